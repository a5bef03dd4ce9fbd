"""An auction opens at the very time of the joining that makes it possible, or is cancelled at its start deadline.

Neither is left to the house: it can put off an opening as little as it can cancel a sale that bidders have come for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.auction import NOT_ENOUGH_BIDDERS
from auctionctl.auction.events import Cancelled, Gap, GapCause, Left, Opened
from auctionctl.auction.phase import EndReason, Phase
from auctionctl.auction.rejection import Code, Refusal

Rooms = Callable[..., Any]
SECOND_NS = 1_000_000_000
OPEN_FIRST = "enough bidders have joined: it has to open first"
TOO_LATE = "opened later than the joining that made it possible"
CANCELLED = Cancelled(NOT_ENOUGH_BIDDERS)


def test_it_opens_once_enough_distinct_bidders_are_present(room_with: Rooms) -> None:
    room = room_with(min_bidders=3).join("ann", "ben")
    room.say(Left(room.key("ben"))).join("ben")
    assert room.auction.due(room.now_ns, None) is None
    refused = room.auction.check(Opened(), room.now_ns)
    assert refused == "opened with 2 bidders, and the terms ask for 3"
    room.at(room.now_ns + 7).join("cat")
    assert room.due() == Opened()
    auction = room.auction
    assert (auction.phase, auction.opened_at_ns) == (Phase.OPEN, room.now_ns)
    assert auction.end_ns == auction.get_timer() == room.now_ns + 60 * SECOND_NS
    assert auction.max_end_ns == room.now_ns + 85 * SECOND_NS
    assert auction.due(auction.end_ns - 1, None) is None


def test_where_one_bidder_is_enough_the_first_opens_it(room_with: Rooms) -> None:
    room = room_with(min_bidders=1)
    assert not room.auction.is_ready_to_open
    assert room.join("ann").due() == Opened()
    assert not room.auction.is_ready_to_open
    assert room.try_join("ben") is None


def test_whoever_has_left_before_the_opening_counts_no_more(room_with: Rooms) -> None:
    room = room_with().join("ann").say(Left(room_with().key("ann"))).join("ben")
    assert not room.auction.is_ready_to_open
    assert room.auction.due(room.now_ns, None) is None
    assert room.auction.check(Opened(), room.now_ns) == "opened with 1 bidders, and the terms ask for 2"
    assert room.join("ann").auction.is_ready_to_open


def test_the_timer_of_an_auction_with_enough_bidders_is_due_at_once(room_with: Rooms) -> None:
    room = room_with().join("ann")
    assert room.auction.get_timer() == room.auction.start_deadline_ns
    room.at(room.now_ns + 7).join("ben")
    assert room.auction.is_ready_to_open
    assert room.auction.get_timer() == room.now_ns
    assert room.auction.due(room.now_ns, None) == Opened()


@pytest.mark.parametrize("late_ns", [1, SECOND_NS, 600 * SECOND_NS])
def test_an_opening_later_than_the_last_joining_is_not_allowed(room_with: Rooms, late_ns: int) -> None:
    room = room_with().join("ann")
    room.at(room.now_ns + 7).join("ben")
    assert room.auction.check(Opened(), room.now_ns + late_ns) == TOO_LATE
    assert room.auction.check(Opened(), room.now_ns) is None


def test_it_opens_a_nanosecond_before_its_start_deadline_and_not_at_it(room_with: Rooms) -> None:
    room = room_with().join("ann")
    room.at(room.auction.start_deadline_ns)
    assert room.try_join("ben") == Refusal(Code.CLOSED)
    assert room.auction.due(room.now_ns, None) == CANCELLED
    assert room.at(room.now_ns - 1).join("ben").due() == Opened()
    assert room.auction.opened_at_ns == room.auction.start_deadline_ns - 1


@pytest.mark.parametrize("after_deadline_ns", [-1, 0, 1, SECOND_NS])
def test_an_auction_with_enough_bidders_is_not_cancelled_for_want_of_them(
    room_with: Rooms, after_deadline_ns: int
) -> None:
    room = room_with().join("ann", "ben")
    now_ns = room.auction.start_deadline_ns + after_deadline_ns
    assert room.auction.due(now_ns, None) == Opened()
    assert room.auction.check(CANCELLED, now_ns) == OPEN_FIRST


def test_between_the_last_joining_and_the_opening_there_is_no_entry(room_with: Rooms) -> None:
    room = room_with().join("ann", "ben")
    now_ns = room.now_ns
    for event in (Left(room.key("ann")), Gap(now_ns, now_ns, GapCause.STALLED), CANCELLED):
        assert room.auction.check(event, now_ns) == OPEN_FIRST
    assert room.try_join("cat") is not None
    assert room.try_bid("ann", 1_000) == Refusal(Code.NOT_OPEN)
    room.due()
    for event in (Left(room.key("ann")), Gap(now_ns, now_ns, GapCause.STALLED)):
        assert room.auction.check(event, now_ns) is None
    assert room.try_join("cat") is None
    assert room.try_bid("ann", 1_000) is None


def test_it_is_cancelled_at_its_start_deadline_and_not_a_nanosecond_before(room_with: Rooms) -> None:
    room = room_with().join("ann")
    deadline_ns = room.auction.start_deadline_ns
    assert room.auction.due(deadline_ns - 1, None) is None
    assert room.auction.check(CANCELLED, deadline_ns - 1) == "cancelled without cause"
    assert room.at(deadline_ns).due() == CANCELLED
    assert (room.auction.phase, room.auction.end_reason) == (Phase.CLOSED, EndReason.CANCELLED)
    assert room.auction.get_timer() is None
    assert room.auction.due(deadline_ns + SECOND_NS, None) is None
    assert room.auction.outcome == CANCELLED


def test_it_is_cancelled_for_no_reason_but_that_of_the_rules(room_with: Rooms) -> None:
    room = room_with()
    assert room.auction.check(Cancelled("bad_weather"), room.auction.start_deadline_ns) == "cancelled without cause"
