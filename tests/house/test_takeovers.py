"""A takeover is owed until it is written, and says as a gap what was lost, if that was more than a stall."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.events import Gap, GapCause, Takeover, decode_event
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.takeovers import Taken, Takeovers, enter_takeover
from auctionctl.tlog.entry import decode

ONE, TWO = b"1" * 32, b"2" * 32
TAKEN = Taken(Takeover("two", 2), None)


def test_what_is_owed_is_taken_once_and_owed_again_when_it_was_not_written() -> None:
    takeovers = Takeovers()
    takeovers.owe(ONE, TAKEN)
    takeovers.owe(TWO, TAKEN)
    assert list(takeovers.take_owed()) == [ONE, TWO]
    assert takeovers.take_owed() == {}
    takeovers.said(ONE, TAKEN)
    assert takeovers.take_back() == [ONE]
    assert takeovers.take_owed() == {ONE: TAKEN}
    assert takeovers.take_back() == []


def test_what_is_durable_is_owed_no_more() -> None:
    takeovers = Takeovers()
    takeovers.said(ONE, TAKEN)
    takeovers.committed()
    assert takeovers.take_back() == []


def test_what_somebody_else_has_taken_is_owed_no_more() -> None:
    takeovers = Takeovers()
    takeovers.owe(ONE, TAKEN)
    assert takeovers.owes(ONE)
    takeovers.drop(ONE)
    assert not takeovers.owes(ONE)
    takeovers.drop(TWO)
    assert takeovers.take_owed() == {}


@pytest.mark.parametrize(("lost_ns", "is_gap"), [(None, False), (SECOND_NS, False), (SECOND_NS + 1, True)])
def test_a_gap_is_said_of_what_was_longer_than_a_stall(stage: Any, lost_ns: int | None, is_gap: bool) -> None:
    log = stage.log(stage.opened())
    now_ns = stage.now_ns + 10 * SECOND_NS
    enter_takeover(log, Taken(Takeover("two", 2), None if lost_ns is None else now_ns - lost_ns), now_ns)
    append = log.to_append()
    events = [decode_event(each.kind, each.body) for each in map(decode, append.entries)]
    gap = Gap(now_ns - (lost_ns or 0), now_ns + SECOND_NS, GapCause.TAKEOVER)
    assert events == [Takeover("two", 2), *([gap] if is_gap else [])]


def test_no_gap_reaches_back_over_what_was_written_in_time(stage: Any) -> None:
    auction = stage.opened()
    log, heard_ns = stage.log(auction), stage.now_ns
    enter_takeover(log, Taken(Takeover("two", 2), heard_ns - SECOND_NS), heard_ns + 5 * SECOND_NS)
    assert log.auction.end_ns == heard_ns + (20 + 6) * SECOND_NS
