"""An auction that stands still: who makes it, for how long, and by how much its end moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.auction import Auction
from auctionctl.auction.commands import MAX_COMMAND_TIME_NS, Cancel, Pause, Resume
from auctionctl.auction.events import Cancelled, Closed, Gap, GapCause, Left, PauseCause, Paused, Resumed
from auctionctl.auction.phase import EndReason, Phase
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.rules import Cancellation, Disconnection, PauseRules

Rooms = Callable[..., Any]
Snapshots = Callable[[Auction], dict[str, Any]]
SECOND_NS = 1_000_000_000
PAUSE = PauseRules(Disconnection.PAUSE, 4, 100 * SECOND_NS, 2, 30 * SECOND_NS)
BELOW = PauseRules(Disconnection.PAUSE_BELOW_MIN_BIDDERS, 4, 100 * SECOND_NS, 2, 30 * SECOND_NS)
BY_TERMS, AT_CAP = PauseCause.TERMS, PauseCause.CAP


def leave(room: Any, name: str) -> Any:
    """``name`` is gone, and what has to follow does."""
    return room.say(Left(room.key(name))).follow()


def come(room: Any, name: str) -> Any:
    return room.join(name).follow()


def later(room: Any, seconds: int) -> Any:
    return room.at(room.now_ns + seconds * SECOND_NS)


# By the terms


def test_an_auction_that_waits_for_everybody_stands_still_at_once_and_goes_on_at_once(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE)
    end_ns, max_end_ns = room.auction.end_ns, room.auction.max_end_ns
    later(room, 5).say(Left(room.key("ann")))
    assert room.auction.must_follow == Paused(BY_TERMS)
    assert room.auction.get_timer() == room.now_ns
    leave(later(room, 0).follow(), "ben")
    assert room.auction.phase is Phase.PAUSED
    assert room.auction.get_timer() == room.now_ns + 30 * SECOND_NS
    come(later(room, 7), "ann")
    assert room.auction.phase is Phase.PAUSED
    later(room, 3).join("ben")
    assert room.auction.must_follow == Resumed(BY_TERMS)
    room.follow()
    assert (room.auction.phase, room.auction.pauses.count) == (Phase.OPEN, 1)
    assert (room.auction.end_ns, room.auction.max_end_ns) == (end_ns + 10 * SECOND_NS, max_end_ns + 10 * SECOND_NS)
    assert room.auction.get_timer() == room.auction.end_ns


def test_an_auction_that_waits_for_a_number_stands_still_below_it_only(open_room: Rooms) -> None:
    room = open_room(pauses=BELOW).join("cat")
    leave(room, "ann")
    assert room.auction.phase is Phase.OPEN
    leave(later(room, 1), "ben")
    assert room.auction.phase is Phase.PAUSED
    come(later(room, 9), "dan")
    assert room.auction.phase is Phase.OPEN, "dan is as good as any"
    assert room.auction.end_ns == room.auction.opened_at_ns + (60 + 9) * SECOND_NS


def test_an_auction_that_goes_on_goes_on_whoever_leaves(open_room: Rooms) -> None:
    room = open_room()
    for name in ("ann", "ben"):
        leave(room, name)
    assert (room.auction.phase, room.auction.must_follow) == (Phase.OPEN, None)
    assert room.at(room.auction.end_ns).due() == Closed(EndReason.NO_BIDS)


def test_whoever_left_before_the_opening_is_not_waited_for(room_with: Rooms) -> None:
    room = room_with(pauses=PAUSE).join("cat")
    room.say(Left(room.key("cat"))).join("ann", "ben").follow()
    assert room.auction.phase is Phase.OPEN


def test_a_pause_ends_at_its_cap_and_the_bidder_is_waited_for_no_more(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE)
    leave(room, "ann")
    by_ns = room.auction.get_timer()
    assert room.auction.due(by_ns - 1, None) is None
    assert room.at(by_ns).due() == Resumed(AT_CAP)
    room.follow()
    assert (room.auction.phase, room.auction.end_ns) == (Phase.OPEN, room.auction.opened_at_ns + 90 * SECOND_NS)
    leave(come(later(room, 1), "ann"), "ann")
    assert room.auction.phase is Phase.OPEN


def test_nobody_bids_leaves_or_comes_once_a_pause_has_reached_its_cap(open_room: Rooms) -> None:
    room = leave(open_room(pauses=PAUSE), "ann")
    room.at(room.auction.get_timer())
    assert room.try_join("ann") == Refusal(Code.CLOSED)
    assert room.try_bid("ben", 1_000) == Refusal(Code.PAUSED)
    assert room.auction.check(Left(room.key("ben")), room.now_ns) == (
        "the pause has reached its cap: it has to go on first"
    )


def test_bids_are_taken_again_after_a_pause_and_extend_the_end_it_moved(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE)
    end_ns = room.auction.end_ns
    room.at(end_ns - 8 * SECOND_NS).bid("ben", 1_000)
    assert room.auction.end_ns == end_ns + 2 * SECOND_NS
    leave(later(room, 1), "ann")
    come(later(room, 20), "ann")
    assert room.auction.end_ns == end_ns + 22 * SECOND_NS
    assert room.auction.end_ns - room.now_ns == 9 * SECOND_NS, "as much as when it began"
    room.bid("ann", 1_100)
    assert room.auction.end_ns == end_ns + 23 * SECOND_NS
    assert room.auction.max_end_ns == end_ns + 45 * SECOND_NS


def test_nobody_is_waited_for_at_the_end(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE)
    room.at(room.auction.end_ns).say(Left(room.key("ann")))
    assert room.auction.must_follow is None
    assert room.due() == Closed(EndReason.NO_BIDS)


# By operators


def test_an_operator_has_it_stand_still_and_go_on(open_room: Rooms) -> None:
    room = open_room()
    later(room, 5).command(Pause, "otto", "the hall is dark")
    assert (room.auction.phase, room.auction.get_timer()) == (Phase.PAUSED, room.now_ns + 1_800 * SECOND_NS)
    assert room.auction.whereabouts is Phase.PAUSED
    later(room, 30).command(Resume, "otto", "")
    assert room.auction.end_ns == room.auction.opened_at_ns + 90 * SECOND_NS
    assert room.auction.pauses.spent_ns == 30 * SECOND_NS


def test_an_operators_pause_ends_at_the_cap_of_all(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE)
    room.command(Pause, "otto", "")
    by_ns = room.auction.get_timer()
    assert by_ns == room.now_ns + 100 * SECOND_NS
    assert room.at(by_ns).try_command(Resume, "otto", "") == Refusal(Code.CLOSED)
    assert room.try_command(Cancel, "otto", "") == Refusal(Code.CLOSED)
    assert room.due() == Resumed(AT_CAP)
    used_up = Refusal(Code.PAUSES_USED_UP, (("pauses", 1), ("paused_ns", 100 * SECOND_NS)))
    assert room.try_command(Pause, "otto", "") == used_up
    leave(room, "ann")
    assert room.auction.phase is Phase.OPEN


def test_operators_pause_no_more_often_than_the_terms_allow(open_room: Rooms) -> None:
    room = open_room(pauses=PauseRules(max_pauses=2))
    for _ in range(2):
        assert "pause" in room.auction.possible_commands
        room.command(Pause, "otto", "")
        assert room.auction.possible_commands == ("resume", "cancel")
        later(room, 1).command(Resume, "otto", "")
    assert room.auction.possible_commands == ("cancel",)
    used_up = Refusal(Code.PAUSES_USED_UP, (("pauses", 2), ("paused_ns", 2 * SECOND_NS)))
    assert room.try_command(Pause, "otto", "") == used_up


def test_whoever_leaves_while_an_operator_pauses_is_waited_for_as_soon_as_it_would_go_on(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE)
    room.command(Pause, "otto", "")
    leave(later(room, 10), "ann")
    leave(room, "ben")
    come(later(room, 1), "ben")
    later(room, 9).command(Resume, "otto", "")
    assert (room.auction.phase, room.auction.pauses.is_by_terms) == (Phase.PAUSED, True)
    assert (room.auction.pauses.count, room.auction.get_timer()) == (2, room.now_ns + 30 * SECOND_NS)
    come(later(room, 5), "ann")
    assert room.auction.end_ns == room.auction.opened_at_ns + (60 + 20 + 5) * SECOND_NS


# Calling it off


def test_an_operator_calls_off_what_nobody_has_bid_for(open_room: Rooms, room_with: Rooms) -> None:
    for room in (room_with(), open_room(), leave(open_room(pauses=PAUSE), "ann")):
        room.command(Cancel, "otto", "the lot was stolen")
        assert (room.auction.phase, room.auction.end_reason) == (Phase.CLOSED, EndReason.CANCELLED)
        assert (room.auction.outcome, room.auction.is_final) == (Cancelled("operator"), True)
        assert (room.auction.get_timer(), room.auction.sale) == (None, None)
        assert room.auction.ended_ns == room.now_ns


def test_what_has_bids_is_called_off_only_where_the_terms_allow_it(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", 1_000)
    assert room.try_command(Cancel, "otto", "") == Refusal(Code.HAS_BIDS, (("bids", 1),))
    assert "cancel" not in room.auction.possible_commands
    until_the_close = open_room(cancellation=Cancellation.BEFORE_CLOSE)
    until_the_close.bid("ann", 1_000)
    until_the_close.command(Pause, "otto", "")
    until_the_close.command(Cancel, "otto", "")
    assert until_the_close.auction.sale is None


# Bad input: a code, and nothing changed


@pytest.fixture
def room_in(room_with: Rooms, open_room: Rooms) -> Callable[[str], Any]:
    def build(where: str) -> Any:
        match where:
            case "announced":
                return room_with()
            case "open":
                return open_room(pauses=PAUSE)
            case "paused by an operator":
                room = open_room()
                room.command(Pause, "otto", "")
                return room
            case "paused by its terms":
                return leave(open_room(pauses=PAUSE), "ann")
            case _:
                room = open_room()
                room.at(room.auction.end_ns).due()
                return room

    return build


@pytest.mark.parametrize(
    ("where", "of", "code"),
    [
        ("announced", Pause, Code.NOT_OPEN),
        ("announced", Resume, Code.NOT_PAUSED),
        ("open", Resume, Code.NOT_PAUSED),
        ("paused by an operator", Pause, Code.PAUSED),
        ("paused by its terms", Pause, Code.PAUSED),
        ("paused by its terms", Resume, Code.PAUSED_BY_TERMS),
        ("closed", Pause, Code.CLOSED),
        ("closed", Resume, Code.CLOSED),
        ("closed", Cancel, Code.CLOSED),
    ],
)
def test_what_an_operator_may_not_do_has_a_code_and_changes_nothing(
    room_in: Callable[[str], Any], snapshot_of: Snapshots, where: str, of: Any, code: Code
) -> None:
    room = room_in(where)
    before = snapshot_of(room.auction)
    refusal = room.try_command(of, "otto", "")
    assert refusal is not None
    assert refusal.code is code
    assert snapshot_of(room.auction) == before
    if code is Code.PAUSED_BY_TERMS:
        assert refusal.observed == (("until", room.auction.get_timer()),)


@pytest.mark.parametrize("of", [Pause, Cancel])
def test_a_command_holds_for_its_house_and_within_its_times_only(open_room: Rooms, of: Any) -> None:
    room = open_room()
    now_ns = room.now_ns
    late, latest_ns = now_ns - 1, now_ns + MAX_COMMAND_TIME_NS
    assert room.try_command(of, "otto", "", house=bytes(32)) == Refusal(Code.WRONG_HOUSE)
    assert room.try_command(of, "otto", "", not_after_ns=late) == Refusal(
        Code.EXPIRED, (("not_after", late), ("now", now_ns))
    )
    assert room.try_command(of, "otto", "", not_after_ns=latest_ns + 1) == Refusal(
        Code.NOT_AFTER_TOO_FAR, (("not_after", latest_ns + 1), ("latest", latest_ns))
    )
    assert room.try_command(of, "otto", "", not_after_ns=now_ns) is None
    assert room.try_command(of, "otto", "", not_after_ns=latest_ns, placed_at_ns=0) is None


def test_the_same_bytes_are_no_second_command(open_room: Rooms) -> None:
    room = open_room()
    frame = room.command_frame(Pause, "otto", "")
    name = room.command(Pause, "otto", "")
    room.command(Resume, "otto", "")
    assert room.auction.decide_command(frame, name, room.now_ns) == Refusal(Code.COMMAND_REPEATED)


def test_the_deadline_has_passed_for_operators_too(open_room: Rooms, room_with: Rooms) -> None:
    room = open_room()
    room.at(room.auction.end_ns)
    announced = room_with()
    announced.at(announced.auction.start_deadline_ns)
    for each in (room, announced):
        assert each.try_command(Cancel, "otto", "") == Refusal(Code.CLOSED)
    assert room.try_command(Pause, "otto", "") == Refusal(Code.CLOSED)


# Gaps


@pytest.mark.parametrize("ahead_s", [0, 1, 5])
def test_a_gap_that_reaches_into_a_pause_moves_the_end_once(open_room: Rooms, ahead_s: int) -> None:
    room = open_room(pauses=PAUSE)
    end_ns = room.auction.end_ns
    later(room, 4)
    since_ns, until_ns = room.now_ns - SECOND_NS, room.now_ns + ahead_s * SECOND_NS
    room.say(Gap(since_ns, until_ns, GapCause.RESTART))
    leave(later(room, 1), "ann")
    come(later(room, 9), "ann")
    # From the gap's beginning until the pause's end nobody could bid; what lies in both counts once.
    assert room.auction.end_ns == end_ns + room.now_ns - since_ns - (0 if ahead_s else SECOND_NS)
    assert room.auction.pauses.spent_ns == 9 * SECOND_NS - max(0, ahead_s - 1) * SECOND_NS


def test_a_gap_within_a_pause_is_part_of_it_and_moves_its_cap(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE)
    end_ns = room.auction.end_ns
    leave(room, "ann")
    began_ns = room.now_ns
    later(room, 25).say(Gap(began_ns + 5 * SECOND_NS, room.now_ns + SECOND_NS, GapCause.RESTART))
    assert room.auction.get_timer() == began_ns + (30 + 21) * SECOND_NS
    come(later(room, 5), "ann")
    assert room.auction.end_ns == end_ns + 30 * SECOND_NS
    assert room.auction.pauses.spent_ns == 9 * SECOND_NS


def test_a_gap_that_reaches_beyond_the_pause_moves_the_end_once(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE)
    end_ns = room.auction.end_ns
    leave(room, "ann")
    began_ns = room.now_ns
    later(room, 3).say(Gap(room.now_ns, room.now_ns + 4 * SECOND_NS, GapCause.GATEWAY_LOST))
    come(later(room, 1), "ann")
    assert room.auction.phase is Phase.OPEN
    assert room.auction.end_ns == end_ns + 7 * SECOND_NS == end_ns + room.auction.gap_floor_ns - began_ns
    assert room.auction.pauses.spent_ns == 3 * SECOND_NS


@pytest.mark.parametrize("of", [Pause, Resume])
def test_no_gap_reaches_back_over_what_an_operator_did(open_room: Rooms, of: Any) -> None:
    room = open_room()
    later(room, 1).command(Pause, "otto", "")
    if of is Resume:
        later(room, 1).command(Resume, "otto", "")
    before = Gap(room.now_ns - 1, room.now_ns + 1, GapCause.STALLED)
    assert room.auction.check(before, room.now_ns) is not None
    assert room.auction.next_gap_since_ns(0) == room.now_ns


def test_a_gap_reaches_back_over_a_leaving_which_is_the_houses_word(open_room: Rooms) -> None:
    room = open_room()
    later(room, 5).say(Left(room.key("ann")))
    room.say(Gap(room.now_ns - SECOND_NS, room.now_ns, GapCause.STALLED))
    assert room.auction.end_ns == room.auction.opened_at_ns + 61 * SECOND_NS


def test_no_gap_reaches_back_over_a_pause_by_the_terms(open_room: Rooms) -> None:
    room = leave(later(open_room(pauses=PAUSE), 1), "ann")
    assert room.auction.next_gap_since_ns(0) == room.now_ns
    come(later(room, 1), "ann")
    assert room.auction.next_gap_since_ns(0) == room.now_ns


# What the house may say of it


def test_the_house_pauses_and_resumes_for_a_cause_and_at_once(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE).join("cat")
    assert room.auction.check(Paused(BY_TERMS), room.now_ns) == (
        "paused without cause: nobody has left for whom the terms would wait"
    )
    room.say(Left(room.key("ann")))
    for event in (Paused(AT_CAP), Left(room.key("ben")), Gap(room.now_ns, room.now_ns, GapCause.STALLED)):
        assert room.auction.check(event, room.now_ns) == "bidders have left: it has to stand still first"
    assert room.auction.check(Paused(BY_TERMS), room.now_ns + 1) == "paused later than what made it necessary"
    room.follow()
    for cause in PauseCause:
        assert room.auction.check(Resumed(cause), room.now_ns) == "resumed without cause"
    assert room.auction.check(Resumed(BY_TERMS), room.auction.get_timer()) == "resumed without cause"
    assert room.auction.check(Resumed(AT_CAP), room.auction.get_timer()) is None
    later(room, 1).join("ann")
    assert room.auction.check(Resumed(AT_CAP), room.now_ns) == (
        "there is nobody left to wait for: it has to go on first"
    )
    assert room.auction.check(Resumed(BY_TERMS), room.now_ns + 1) == "resumed later than what made it possible"


def test_where_an_operator_paused_the_house_resumes_at_the_cap_only(open_room: Rooms) -> None:
    room = open_room(pauses=PAUSE)
    room.command(Pause, "otto", "")
    for cause in PauseCause:
        assert room.auction.check(Resumed(cause), room.auction.get_timer() - 1) == "resumed without cause"
    assert room.auction.check(Resumed(AT_CAP), room.auction.get_timer() + 1) is None
