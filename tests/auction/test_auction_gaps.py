"""A gap moves every deadline that was running when it began by its length, and no gap lies or counts twice.

A gap says that nobody could be heard: it reaches over nothing that was heard, and over no time that counted before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.claims import MAX_GAP_GRACE_NS
from auctionctl.auction.events import Cancelled, Gap, GapCause, Left, Opened
from auctionctl.auction.phase import Phase
from auctionctl.auction.rejection import Code

Rooms = Callable[..., Any]
SECOND_NS = 1_000_000_000
RESTART = GapCause.RESTART
REACHES_BACK = "a gap reaches back over a sign of life or another gap, or ends before it begins"
REACHES_AHEAD = "a gap reaches further ahead than bidders need to reconnect"


def gap_said(room: Any, since_ns: int, until_ns: int, at_ns: int | None = None) -> Any:
    return room.at(until_ns if at_ns is None else at_ns).say(Gap(since_ns, until_ns, RESTART))


@pytest.mark.parametrize("cause", list(GapCause))
def test_a_gap_moves_end_and_longest_end_by_its_length_whatever_its_cause(open_room: Rooms, cause: GapCause) -> None:
    room = open_room()
    end_ns, max_end_ns = room.auction.end_ns, room.auction.max_end_ns
    since_ns = room.now_ns + 20 * SECOND_NS
    room.at(since_ns + 7).say(Gap(since_ns, since_ns + 7, cause))
    assert (room.auction.end_ns, room.auction.max_end_ns) == (end_ns + 7, max_end_ns + 7)
    assert room.auction.get_timer() == end_ns + 7
    assert (room.auction.extensions, room.auction.phase, room.auction.size) == (0, Phase.OPEN, 5)


def test_a_gap_across_the_end_moves_the_end_behind_it(open_room: Rooms) -> None:
    room = open_room()
    end_ns = room.auction.end_ns
    gap_said(room, end_ns - 1, end_ns + 100 * SECOND_NS)
    assert room.auction.end_ns == end_ns + 100 * SECOND_NS + 1
    assert room.auction.due(room.now_ns, None) is None
    assert room.try_bid("ann", 1_000) is None


@pytest.mark.parametrize(("since_after_end_ns", "moved"), [(-1, True), (0, False), (1, False)])
def test_an_end_that_had_passed_before_the_gap_began_stays(
    open_room: Rooms, since_after_end_ns: int, moved: bool
) -> None:
    room = open_room()
    end_ns, max_end_ns = room.auction.end_ns, room.auction.max_end_ns
    gap_said(room, end_ns + since_after_end_ns, end_ns + 50)
    by_ns = 50 - since_after_end_ns if moved else 0
    assert (room.auction.end_ns, room.auction.max_end_ns) == (end_ns + by_ns, max_end_ns + by_ns)
    assert (room.auction.due(room.now_ns, None) is None) == moved


@pytest.mark.parametrize(("since_after_deadline_ns", "moved"), [(-1, True), (0, False), (1, False)])
def test_a_start_deadline_moves_if_it_was_running(room_with: Rooms, since_after_deadline_ns: int, moved: bool) -> None:
    room = room_with().join("ann")
    deadline_ns = room.auction.start_deadline_ns
    gap_said(room, deadline_ns + since_after_deadline_ns, deadline_ns + 50)
    assert room.auction.start_deadline_ns == deadline_ns + (50 - since_after_deadline_ns if moved else 0)
    assert room.auction.get_timer() == room.auction.start_deadline_ns
    if moved:
        assert room.join("ben").due() == Opened()
    else:
        assert room.due() == Cancelled("min_bidders")


def test_a_gap_while_announced_moves_nothing_but_the_start_deadline(room_with: Rooms) -> None:
    room = room_with()
    gap_said(room, room.now_ns + 1, room.now_ns + 5)
    assert (room.auction.end_ns, room.auction.max_end_ns, room.auction.opened_at_ns) == (0, 0, 0)
    assert room.auction.phase is Phase.ANNOUNCED


def test_a_gap_while_open_leaves_the_start_deadline(open_room: Rooms) -> None:
    room = open_room()
    deadline_ns = room.auction.start_deadline_ns
    gap_said(room, room.now_ns + 1, room.now_ns + 5)
    assert room.auction.start_deadline_ns == deadline_ns


def test_gaps_add_up_and_the_second_may_begin_where_the_first_ended(open_room: Rooms) -> None:
    room = open_room()
    end_ns, from_ns = room.auction.end_ns, room.now_ns + SECOND_NS
    gap_said(room, from_ns, from_ns + 10)
    gap_said(room, from_ns + 10, from_ns + 30)
    gap_said(room, from_ns + 40, from_ns + 41)
    assert room.auction.end_ns == end_ns + 10 + 20 + 1


@pytest.mark.parametrize(
    ("since_ns", "until_ns", "verdict"),
    [
        (9, 30, REACHES_BACK),  # begins within the gap before it
        (0, 30, REACHES_BACK),  # holds the gap before it
        (5, 5, REACHES_BACK),
        (10, 30, None),
        (20, 19, REACHES_BACK),
        (20, 20, None),
        (30, 30, None),
        (30, 30 + MAX_GAP_GRACE_NS, None),
        (10, 30 + MAX_GAP_GRACE_NS, None),
        (30, 30 + MAX_GAP_GRACE_NS + 1, REACHES_AHEAD),
        (-SECOND_NS, 30, REACHES_BACK),
    ],
)
def test_a_gap_neither_overlaps_the_one_before_it_nor_reaches_beyond_its_grace(
    open_room: Rooms, since_ns: int, until_ns: int, verdict: str | None
) -> None:
    room = open_room()
    zero_ns = room.now_ns + SECOND_NS
    gap_said(room, zero_ns, zero_ns + 10)
    gap = Gap(zero_ns + since_ns, zero_ns + until_ns, RESTART)
    assert room.auction.check(gap, zero_ns + 30) == verdict


def test_no_gap_begins_before_the_terms(room_with: Rooms) -> None:
    room = room_with()
    announced_ns = room.now_ns
    assert room.auction.check(Gap(announced_ns - 1, announced_ns + 5, RESTART), announced_ns + 5) == REACHES_BACK
    assert room.auction.check(Gap(announced_ns, announced_ns + 5, RESTART), announced_ns + 5) is None


SIGNS_OF_LIFE: dict[str, Callable[[Any], Any]] = {
    "a joining while announced": lambda room: room.join("ann"),
    "the opening": lambda room: room.join("ann", "ben").due(),
    "a joining while open": lambda room: room.join("cat"),
    "a bid": lambda room: room.bid("ann", 1_000),
}


@pytest.mark.parametrize("sign", SIGNS_OF_LIFE)
def test_a_gap_begins_at_the_last_sign_of_life_at_the_earliest(room_with: Rooms, open_room: Rooms, sign: str) -> None:
    room = open_room() if sign in ("a joining while open", "a bid") else room_with()
    alive_ns = room.now_ns + 7 * SECOND_NS
    SIGNS_OF_LIFE[sign](room.at(alive_ns))
    now_ns = alive_ns + SECOND_NS
    assert room.auction.check(Gap(alive_ns - 1, now_ns, RESTART), now_ns) == REACHES_BACK
    assert room.auction.check(Gap(alive_ns, now_ns, RESTART), now_ns) is None
    assert room.auction.next_gap_since_ns(alive_ns - 1) == alive_ns
    assert room.auction.next_gap_since_ns(alive_ns + 1) == alive_ns + 1


def test_a_bidder_that_the_house_lost_sight_of_is_no_sign_of_life(open_room: Rooms) -> None:
    room = open_room()
    since_ns = room.now_ns
    room.at(since_ns + SECOND_NS).say(Left(room.key("ann")))
    gap_said(room, since_ns, since_ns + SECOND_NS)


def test_a_gap_that_holds_an_accepted_bid_is_not_allowed(open_room: Rooms) -> None:
    room = open_room()
    room.at(room.now_ns + 50 * SECOND_NS).bid("ann", 1_000)
    gap = Gap(room.now_ns - 40 * SECOND_NS, room.now_ns + 1, GapCause.STALLED)
    assert room.auction.check(gap, room.now_ns + 1) == REACHES_BACK


def test_an_end_is_not_moved_by_time_that_passed_before_the_opening(room_with: Rooms) -> None:
    room = room_with().join("ann")
    room.at(room.now_ns + 100 * SECOND_NS).join("ben").due()
    opened_ns, end_ns = room.now_ns, room.auction.end_ns
    now_ns = opened_ns + SECOND_NS
    assert room.auction.check(Gap(opened_ns - 90 * SECOND_NS, now_ns, RESTART), now_ns) == REACHES_BACK
    gap_said(room, opened_ns, now_ns)
    assert room.auction.end_ns == end_ns + SECOND_NS


def test_the_next_gap_is_put_behind_the_one_before_it(open_room: Rooms) -> None:
    room = open_room()
    opened_ns = room.now_ns
    assert room.auction.next_gap_since_ns(opened_ns - 1) == opened_ns
    gap_said(room, opened_ns + 10, opened_ns + 30, at_ns=opened_ns + 20)
    assert room.auction.next_gap_since_ns(opened_ns + 15) == opened_ns + 30
    assert room.auction.next_gap_since_ns(opened_ns + 30) == opened_ns + 30
    assert room.auction.next_gap_since_ns(opened_ns + 31) == opened_ns + 31


def test_a_second_gap_within_the_grace_of_the_first_adds_what_the_first_did_not_hold(open_room: Rooms) -> None:
    room = open_room()
    end_ns, lost_ns = room.auction.end_ns, room.now_ns + SECOND_NS
    gap_said(room, lost_ns, lost_ns + SECOND_NS, at_ns=lost_ns + 1)
    lost_again_ns, back_ns = lost_ns + SECOND_NS // 4, lost_ns + SECOND_NS // 2
    room.at(back_ns)
    assert room.auction.check(Gap(lost_again_ns, back_ns + SECOND_NS, RESTART), back_ns) == REACHES_BACK
    since_ns = room.auction.next_gap_since_ns(lost_again_ns)
    assert since_ns == lost_ns + SECOND_NS > back_ns
    gap_said(room, since_ns, back_ns + SECOND_NS, at_ns=back_ns)
    assert room.auction.end_ns == end_ns + (back_ns + SECOND_NS - lost_ns)


def test_a_bid_in_the_grace_lets_no_later_gap_count_that_grace_again(open_room: Rooms) -> None:
    room = open_room()
    lost_ns = room.now_ns + SECOND_NS
    until_ns = lost_ns + 3 * SECOND_NS
    gap_said(room, lost_ns, until_ns, at_ns=lost_ns + SECOND_NS)
    room.at(until_ns - SECOND_NS).bid("ann", 1_000)
    assert room.auction.next_gap_since_ns(lost_ns) == until_ns
    assert room.auction.check(Gap(until_ns - 1, until_ns + 5, RESTART), until_ns + 5) == REACHES_BACK
    room.at(until_ns + 2).bid("ben", 1_100)
    assert room.auction.next_gap_since_ns(lost_ns) == until_ns + 2


def test_bids_are_taken_in_the_grace_that_a_gap_leaves_for_reconnecting(open_room: Rooms) -> None:
    room = open_room()
    end_ns, back_ns = room.auction.end_ns, room.auction.end_ns + 60 * SECOND_NS
    gap_said(room, end_ns - 1, back_ns + MAX_GAP_GRACE_NS, at_ns=back_ns)
    assert room.auction.end_ns == back_ns + MAX_GAP_GRACE_NS + 1
    room.bid("ann", 1_000)
    assert room.auction.end_ns == back_ns + 10 * SECOND_NS


def test_a_gap_moves_the_cap_of_the_soft_close_with_the_end(open_room: Rooms) -> None:
    room = open_room()
    max_end_ns, from_ns = room.auction.max_end_ns, room.now_ns + SECOND_NS
    gap_said(room, from_ns, from_ns + 9)
    for step in range(5):
        room.at(room.auction.end_ns - 1).bid("ann" if step % 2 else "ben", 1_000 + 100 * step)
    assert room.auction.end_ns == room.auction.max_end_ns == max_end_ns + 9
    refusal = room.at(max_end_ns + 9).try_bid("cat", 9_000)
    assert refusal is not None
    assert refusal.code is Code.CLOSED


def test_a_bids_own_not_after_is_moved_by_no_gap(open_room: Rooms) -> None:
    room = open_room()
    frame = room.bid_frame("ann", 1_000)
    gap_said(room, room.now_ns, frame.not_after_ns + 1)
    refusal = room.auction.decide_bid(frame, room.now_ns)
    assert refusal is not None
    assert refusal.code is Code.EXPIRED
