"""Another instance of the house writes a log on: who did is in it, and nothing else is changed by that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.events import Gap, GapCause, Takeover
from auctionctl.auction.phase import Stage

Rooms = Callable[..., Any]
SECOND_NS = 1_000_000_000


def test_a_takeover_moves_no_deadline_and_the_gap_behind_it_reaches_back_over_it(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", 1_000)
    heard_ns, end_ns = room.now_ns, room.auction.end_ns
    room.at(heard_ns + 4 * SECOND_NS).say(Takeover("two", 2))
    assert (room.auction.end_ns, room.auction.gap_floor_ns) == (end_ns, heard_ns)
    room.say(Gap(heard_ns, room.now_ns + SECOND_NS, GapCause.TAKEOVER))
    assert room.auction.end_ns == end_ns + 5 * SECOND_NS


def test_bids_are_taken_on_as_before(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", 1_000)
    room.say(Takeover("two", 2))
    room.bid("ben", 1_200)
    assert room.auction.sale is None
    assert room.auction.standing.leader == room.key("ben")
    assert room.auction.takeover == Takeover("two", 2)


def test_one_that_was_outdated_never_takes_over(open_room: Rooms) -> None:
    room = open_room()
    room.say(Takeover("two", 5))
    for epoch in (1, 4, 5):
        assert room.auction.check(Takeover("three", epoch), room.now_ns) is not None
    assert room.auction.check(Takeover("two", 6), room.now_ns) is None


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in (Stage.SETTLED, Stage.REVERTED)])
def test_a_sale_that_is_not_settled_is_taken_over_too(sale_in: Rooms, stage: Stage) -> None:
    room, _ = sale_in(stage)
    timer_ns = room.auction.get_timer()
    room.say(Takeover("two", 2))
    assert (room.auction.whereabouts, room.auction.get_timer()) == (stage, timer_ns)


@pytest.mark.parametrize("stage", [Stage.SETTLED, Stage.REVERTED])
def test_what_is_final_needs_nobody_any_more(sale_in: Rooms, stage: Stage) -> None:
    room, _ = sale_in(stage)
    assert room.auction.check(Takeover("two", 2), room.now_ns) == f"takeover is not allowed while {stage}"
