"""One auction, rule by rule: who may join and bid, when it ends, and what the house may claim about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from auctionctl.auction.auction import NOT_ENOUGH_BIDDERS, Auction
from auctionctl.auction.commands import Pause, Resume
from auctionctl.auction.events import Cancelled, Closed, Gap, GapCause, HouseEvent, Left
from auctionctl.auction.phase import EndReason, Phase
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.terms import Reserve, ReserveOpening, commit_reserve

Rooms = Callable[..., Any]
SECOND_NS = 1_000_000_000
TIMEOUT_NS = 30 * SECOND_NS
WINDOW_NS = 10 * SECOND_NS
OPENING = ReserveOpening(1_500, b"\x07" * 32)
RESERVE = Reserve(commit_reserve(OPENING, "EUR"), b"sealed")


def code_of(refusal: Refusal | None) -> Code | None:
    return None if refusal is None else refusal.code


# A new auction


def test_an_announced_auction_waits_for_bidders_until_its_start_deadline(room_with: Rooms) -> None:
    room = room_with()
    auction = room.auction
    assert (auction.phase, auction.size, auction.bid_count, auction.end_reason) == (Phase.ANNOUNCED, 1, 0, None)
    assert auction.get_timer() == room.now_ns + 600 * SECOND_NS
    assert auction.due(room.now_ns, None) is None
    assert auction.minimum_minor == 1_000
    assert auction.last_time_ns == room.now_ns


# Joining


def test_whoever_joins_is_present_from_its_entry_on(room_with: Rooms) -> None:
    room = room_with().join("ann")
    assert room.auction.present == {room.key("ann")}
    assert room.auction.size == 2
    assert room.at(room.now_ns + 5).join("ben").auction.last_time_ns == room.now_ns


def test_a_joining_of_another_house_is_refused_as_wrong_house(room_with: Rooms) -> None:
    assert room_with().try_join("ann", house=bytes(32)) == Refusal(Code.WRONG_HOUSE)


def test_the_seller_joining_its_own_auction_is_refused_as_own_auction(room_with: Rooms) -> None:
    assert room_with().try_join("seller") == Refusal(Code.OWN_AUCTION)


def test_joining_twice_is_refused_as_already_joined_until_one_has_left(room_with: Rooms) -> None:
    room = room_with().join("ann")
    assert room.try_join("ann", nonce=b"\xff" * 16) == Refusal(Code.ALREADY_JOINED)
    room.say(Left(room.key("ann")))
    assert room.auction.present == set()
    room.join("ann")
    assert room.auction.present == {room.key("ann")}


def test_a_joining_sent_again_after_leaving_is_refused_as_join_repeated_while_its_not_after_lasts(
    room_with: Rooms,
) -> None:
    room = room_with(min_bidders=3)
    frame = room.join_frame("ann", not_after_ns=room.now_ns + TIMEOUT_NS)
    room.auction.apply_join(frame, room.now_ns)
    room.say(Left(room.key("ann")))
    for now_ns in (room.now_ns, frame.not_after_ns):
        assert room.auction.decide_join(frame, now_ns) == Refusal(Code.JOIN_REPEATED)
    assert room.try_join("ann", nonce=frame.nonce, placed_at_ns=7) == Refusal(Code.JOIN_REPEATED)
    assert room.try_join("ben", nonce=frame.nonce) is None
    room.join("ann").say(Left(room.key("ann")))
    assert room.auction.decide_join(frame, room.now_ns) == Refusal(Code.JOIN_REPEATED)


def test_a_joining_that_was_refused_uses_up_no_nonce(room_with: Rooms) -> None:
    room = room_with()
    frame = room.join_frame("ann", not_after_ns=room.now_ns + TIMEOUT_NS + 1)
    assert code_of(room.auction.decide_join(frame, room.now_ns)) is Code.NOT_AFTER_TOO_FAR
    assert room.auction.decide_join(frame, room.now_ns + 1) is None


def test_joining_after_the_close_is_refused_as_closed(open_room: Rooms) -> None:
    room = open_room()
    room.at(room.auction.end_ns - 1)
    assert room.try_join("cat") is None
    room.at(room.auction.end_ns)
    assert room.try_join("cat") == Refusal(Code.CLOSED)
    room.due()
    assert room.try_join("cat") == Refusal(Code.CLOSED)


def test_joining_from_the_start_deadline_on_is_refused_as_closed(room_with: Rooms) -> None:
    room = room_with()
    room.at(room.auction.start_deadline_ns - 1)
    assert room.try_join("ann") is None
    room.at(room.auction.start_deadline_ns)
    assert room.try_join("ann") == Refusal(Code.CLOSED)


def test_a_joining_is_taken_until_its_not_after_and_then_refused_as_expired(room_with: Rooms) -> None:
    room = room_with()
    now_ns = room.now_ns
    assert room.try_join("ann", not_after_ns=now_ns) is None
    expected = Refusal(Code.EXPIRED, (("not_after", now_ns - 1), ("now", now_ns)))
    assert room.try_join("ann", not_after_ns=now_ns - 1) == expected


def test_a_joining_meant_for_later_than_bid_timeout_is_refused_as_not_after_too_far(room_with: Rooms) -> None:
    room = room_with()
    latest_ns = room.now_ns + TIMEOUT_NS
    assert room.try_join("ann", not_after_ns=latest_ns) is None
    expected = Refusal(Code.NOT_AFTER_TOO_FAR, (("not_after", latest_ns + 1), ("latest", latest_ns)))
    assert room.try_join("ann", not_after_ns=latest_ns + 1) == expected


def test_an_open_auction_is_not_cancelled(open_room: Rooms) -> None:
    room = open_room()
    assert room.auction.check(Cancelled(NOT_ENOUGH_BIDDERS), room.auction.end_ns) is not None


# Bidding


def test_an_accepted_bid_leads_under_its_index_in_the_log(open_room: Rooms) -> None:
    room = open_room()
    assert room.auction.size == 4  # terms, two joinings, opened
    assert room.bid("ann", 1_000) == 4
    assert room.bid("ben", 1_250, seq=9) == 5
    auction = room.auction
    assert auction.standing is not None
    assert (auction.standing.price_minor, auction.standing.leader) == (1_250, room.key("ben"))
    assert (auction.standing.bid_index, auction.size, auction.bid_count) == (5, 6, 2)
    assert auction.seqs == {room.key("ann"): 1, room.key("ben"): 9}
    assert auction.minimum_minor == 1_350


def test_a_bid_of_another_house_is_refused_as_wrong_house(open_room: Rooms) -> None:
    assert open_room().try_bid("ann", 1_000, house=bytes(32)) == Refusal(Code.WRONG_HOUSE)


def test_a_bid_before_the_opening_is_refused_as_not_open(room_with: Rooms) -> None:
    room = room_with().join("ann", "ben")
    assert room.try_bid("ann", 1_000) == Refusal(Code.NOT_OPEN)
    room.due()
    assert room.try_bid("ann", 1_000) is None


def test_a_bid_exactly_at_the_end_is_refused_as_closed_and_a_nanosecond_before_is_taken(open_room: Rooms) -> None:
    room = open_room()
    room.at(room.auction.end_ns - 1)
    assert room.try_bid("ann", 1_000) is None
    room.at(room.auction.end_ns)
    assert room.try_bid("ann", 1_000) == Refusal(Code.CLOSED)


def test_a_bid_after_the_close_or_the_cancelling_is_refused_as_closed(open_room: Rooms, room_with: Rooms) -> None:
    sold, cancelled = open_room(), room_with()
    sold.at(sold.auction.end_ns).due()
    cancelled.at(cancelled.auction.start_deadline_ns).due()
    for room in (sold, cancelled):
        assert room.try_bid("ann", 1_000) == Refusal(Code.CLOSED)


def test_a_bid_of_the_seller_is_refused_as_own_auction(open_room: Rooms) -> None:
    assert open_room().try_bid("seller", 1_000) == Refusal(Code.OWN_AUCTION)


def test_a_bid_of_one_who_never_joined_or_has_left_is_refused_as_not_joined(open_room: Rooms) -> None:
    room = open_room()
    assert room.try_bid("cat", 1_000) == Refusal(Code.NOT_JOINED)
    room.say(Left(room.key("ann")))
    assert room.try_bid("ann", 1_000) == Refusal(Code.NOT_JOINED)
    room.join("ann")
    assert room.try_bid("ann", 1_000) is None


def test_a_bid_in_another_currency_is_refused_as_wrong_currency(open_room: Rooms) -> None:
    room = open_room()
    for currency in ("USD", "eur", "EUR ", "credits"):
        assert room.try_bid("ann", 1_000, currency=currency) == Refusal(Code.WRONG_CURRENCY)


def test_a_bid_is_taken_until_its_not_after_and_then_refused_as_expired(open_room: Rooms) -> None:
    room = open_room()
    now_ns = room.now_ns
    assert room.try_bid("ann", 1_000, not_after_ns=now_ns) is None
    expected = Refusal(Code.EXPIRED, (("not_after", now_ns - 1), ("now", now_ns)))
    assert room.try_bid("ann", 1_000, not_after_ns=now_ns - 1) == expected


def test_a_bid_meant_for_later_than_bid_timeout_is_refused_as_not_after_too_far(open_room: Rooms) -> None:
    room = open_room()
    latest_ns = room.now_ns + TIMEOUT_NS
    assert room.try_bid("ann", 1_000, not_after_ns=latest_ns) is None
    expected = Refusal(Code.NOT_AFTER_TOO_FAR, (("not_after", latest_ns + 1), ("latest", latest_ns)))
    assert room.try_bid("ann", 1_000, not_after_ns=latest_ns + 1) == expected


def test_when_a_bidder_claims_to_have_placed_its_bid_decides_nothing(open_room: Rooms) -> None:
    room = open_room()
    for placed_at_ns in (0, room.now_ns - 1, room.now_ns + SECOND_NS, 2**62):
        assert room.try_bid("ann", 1_000, placed_at_ns=placed_at_ns) is None


def test_a_seq_below_the_last_accepted_is_refused_as_stale(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", 1_000, seq=5)
    room.bid("ben", 1_100)
    assert room.try_bid("ann", 1_200, seq=4) == Refusal(Code.STALE, (("seq", 4), ("last_seq", 5)))
    assert room.try_bid("ann", 1_200, seq=6) is None
    assert room.try_bid("ann", 1_200, seq=2**53) is None


def test_another_bid_at_an_accepted_seq_is_refused_as_sequence_conflict(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", 1_000, seq=5)
    room.bid("ben", 1_100)
    assert room.try_bid("ann", 1_200, seq=5) == Refusal(Code.SEQUENCE_CONFLICT, (("seq", 5), ("last_seq", 5)))


def test_a_refused_bid_consumes_no_seq_and_changes_nothing(
    open_room: Rooms, snapshot_of: Callable[[Auction], Any]
) -> None:
    room = open_room()
    room.bid("ann", 1_000)
    before = snapshot_of(room.auction)
    for changes in ({"house": bytes(32)}, {"currency": "USD"}, {"not_after_ns": 0}, {"seq": 7, "amount_minor": 1_099}):
        assert room.try_bid("ben", changes.pop("amount_minor", 1_100), **changes) is not None
    assert room.try_join("ann") is not None
    assert snapshot_of(room.auction) == before
    assert room.try_bid("ben", 1_100, seq=1) is None


def test_a_seq_is_each_bidders_own_and_outlives_its_leaving(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", 1_000, seq=5)
    room.bid("ben", 1_100, seq=1)
    room.say(Left(room.key("ann"))).join("ann")
    assert code_of(room.try_bid("ann", 1_200, seq=5)) is Code.SEQUENCE_CONFLICT


def test_the_leader_bidding_again_is_refused_as_already_leading(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", 1_000)
    assert room.try_bid("ann", 5_000) == Refusal(Code.ALREADY_LEADING, (("price", 1_000),))


def test_a_first_bid_too_low_is_refused_as_below_starting_price(open_room: Rooms) -> None:
    room = open_room()
    expected = Refusal(Code.BELOW_STARTING_PRICE, (("amount", 999), ("minimum", 1_000)))
    assert room.try_bid("ann", 999) == expected


def test_a_later_bid_too_low_is_refused_as_below_increment(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", 1_000)
    expected = Refusal(Code.BELOW_INCREMENT, (("amount", 1_099), ("price", 1_000), ("minimum", 1_100)))
    assert room.try_bid("ben", 1_099) == expected
    assert room.try_bid("ben", 1_100) is None


def test_nobody_outbids_the_largest_amount(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", MAX_MINOR)
    assert code_of(room.try_bid("ben", MAX_MINOR)) is Code.BELOW_INCREMENT


def test_a_bid_stands_after_its_bidder_has_left(open_room: Rooms) -> None:
    room = open_room()
    room.bid("ann", 1_000)
    room.say(Left(room.key("ann")))
    assert room.at(room.auction.end_ns).due() == Closed("completed", room.key("ann"), 1_000, 4)


def test_a_bid_while_the_auction_stands_still_is_refused_as_paused(open_room: Rooms) -> None:
    room = open_room()
    room.command(Pause, "otto", "")
    assert room.try_bid("ann", 1_000) == Refusal(Code.PAUSED)
    room.command(Resume, "otto", "")
    assert room.try_bid("ann", 1_000) is None


CODES = tuple(Code)
OF_OTHER_COMMANDS = set(CODES[CODES.index(Code.NOT_PAUSED) :])


def test_every_code_that_can_refuse_a_bid_or_a_joining_is_reached_by_a_test_above() -> None:
    named = [name for name in globals() if name.startswith("test_")]
    codes = [code for code in Code if code not in OF_OTHER_COMMANDS]
    assert [code for code in codes if not any(name.partition("_as_")[2].startswith(code) for name in named)] == []


# The soft close


@pytest.mark.parametrize(
    ("before_end_ns", "moved_by_ns"),
    [(WINDOW_NS + 1, 0), (WINDOW_NS, 0), (WINDOW_NS - 1, 1), (WINDOW_NS // 2, WINDOW_NS // 2), (1, WINDOW_NS - 1)],
)
def test_a_bid_within_the_window_leaves_a_whole_window(open_room: Rooms, before_end_ns: int, moved_by_ns: int) -> None:
    room = open_room()
    end_ns = room.auction.end_ns
    room.at(end_ns - before_end_ns).bid("ann", 1_000)
    assert room.auction.end_ns == room.auction.get_timer() == end_ns + moved_by_ns
    assert room.auction.extensions == (moved_by_ns > 0)
    assert room.auction.max_end_ns == end_ns + 25 * SECOND_NS


def test_the_end_never_passes_the_longest_extension(open_room: Rooms) -> None:
    room = open_room()
    max_end_ns = room.auction.max_end_ns
    for step in range(4):
        room.at(room.auction.end_ns - 1).bid("ann" if step % 2 else "ben", 1_000 + 100 * step)
    assert room.auction.end_ns == max_end_ns
    assert room.auction.extensions == 3  # by 10 s - 1 ns, by as much again, by what was left, and by nothing
    room.at(max_end_ns - 1).join("cat").bid("cat", 2_000)
    assert (room.auction.end_ns, room.auction.extensions) == (max_end_ns, 3)
    room.at(max_end_ns)
    assert code_of(room.try_bid("ann", 9_000)) is Code.CLOSED
    assert room.due() == Closed("completed", room.key("cat"), 2_000, room.auction.standing.bid_index)


def test_a_refused_bid_extends_nothing(open_room: Rooms) -> None:
    room = open_room()
    end_ns = room.auction.end_ns
    assert room.at(end_ns - 1).try_bid("ann", 999) is not None
    assert room.auction.end_ns == end_ns


def test_without_a_soft_close_the_end_stays(open_room: Rooms) -> None:
    room = open_room(soft_close_window_ns=0, max_extension_ns=0)
    end_ns = room.auction.end_ns
    room.at(end_ns - 1).bid("ann", 1_000)
    assert (room.auction.end_ns, room.auction.max_end_ns, room.auction.extensions) == (end_ns, end_ns, 0)


# The close


def closed_by_bids(room: Any) -> Closed:
    return Closed("completed", room.key("ben"), 1_250, 5)


@pytest.fixture
def ended(open_room: Rooms) -> Any:
    """An auction at its end: ann bid 10.00 at index 4, ben 12.50 at index 5."""
    room = open_room()
    room.bid("ann", 1_000)
    room.bid("ben", 1_250)
    return room.at(room.auction.end_ns)


def test_the_highest_bid_wins_at_its_own_price(ended: Any) -> None:
    assert ended.due() == closed_by_bids(ended)
    auction = ended.auction
    assert (auction.phase, auction.end_reason, auction.get_timer()) == (Phase.CLOSED, EndReason.COMPLETED, None)
    assert auction.outcome == closed_by_bids(ended)
    assert auction.due(ended.now_ns + 1, None) is None


def test_without_bids_nothing_is_sold(open_room: Rooms) -> None:
    room = open_room()
    assert room.at(room.auction.end_ns).due() == Closed("no_bids")
    assert room.auction.end_reason is EndReason.NO_BIDS


def test_a_close_one_nanosecond_early_is_not_allowed(ended: Any) -> None:
    closed = closed_by_bids(ended)
    assert ended.auction.check(closed, ended.now_ns - 1) == "closed 1 ns before its end"
    assert ended.auction.check(closed, ended.now_ns) is None
    assert ended.auction.check(closed, ended.now_ns + 3_600 * SECOND_NS) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"winner": b"\x11" * 32}, "winner"),
        ({"winner": None}, "winner"),
        ({"price_minor": 1_249}, "price_minor"),
        ({"price_minor": 1_251}, "price_minor"),
        ({"price_minor": None}, "price_minor"),
        ({"bid_index": 4}, "bid_index"),
        ({"bid_index": None}, "bid_index"),
        ({"end_reason": "no_bids"}, "end_reason"),
        ({"end_reason": "reserve_not_met", "winner": None, "price_minor": None, "bid_index": None}, "end_reason"),
        ({"end_reason": "cancelled"}, "end_reason"),
        ({"end_reason": "as_it_pleased_me"}, "end_reason"),
    ],
)
def test_a_close_that_the_bids_contradict_is_not_allowed(ended: Any, changes: dict[str, Any], field: str) -> None:
    closed = replace(closed_by_bids(ended), **changes)
    assert ended.auction.check(closed, ended.now_ns) == f"{field} of the close entry is not what the bids say"


def test_a_sale_without_a_bid_is_not_allowed(open_room: Rooms) -> None:
    room = open_room()
    closed = Closed("completed", room.key("ann"), 1_000, 3)
    assert room.auction.check(closed, room.auction.end_ns) == "end_reason of the close entry is not what the bids say"


@pytest.mark.parametrize(("price_minor", "sold"), [(1_499, False), (1_500, True), (1_501, True)])
def test_the_lot_is_sold_from_its_reserve_on(open_room: Rooms, price_minor: int, sold: bool) -> None:
    room = open_room(reserve=RESERVE)
    index = room.bid("ann", price_minor)
    closed = room.at(room.auction.end_ns).due(OPENING)
    if sold:
        assert closed == Closed("completed", room.key("ann"), price_minor, index, OPENING)
    else:
        assert closed == Closed("reserve_not_met", reserve=OPENING)
        assert room.auction.end_reason is EndReason.RESERVE_NOT_MET


@pytest.mark.parametrize("bidder", ["ann", None])
@pytest.mark.parametrize("opening", [None, replace(OPENING, minor=1_499), replace(OPENING, salt=bytes(32))])
def test_a_reserve_that_is_not_opened_or_wrongly_is_not_allowed(
    open_room: Rooms, bidder: str | None, opening: ReserveOpening | None
) -> None:
    room = open_room(reserve=RESERVE)
    closed = Closed("no_bids", reserve=opening)
    if bidder:
        closed = Closed("completed", room.key(bidder), 1_600, room.bid(bidder, 1_600), opening)
    end_ns = room.auction.end_ns
    assert room.auction.check(closed, end_ns) == "the reserve was not opened to what the terms commit to"
    assert room.auction.check(replace(closed, reserve=OPENING), end_ns) is None


@pytest.mark.parametrize("bidder", ["ann", None])
def test_a_close_without_the_opening_of_its_reserve_is_a_fault_of_our_own(open_room: Rooms, bidder: str | None) -> None:
    sealed, unsealed = open_room(reserve=RESERVE), open_room()
    for room, opening in ((sealed, None), (unsealed, OPENING)):
        if bidder:
            room.bid(bidder, 1_600)
        with pytest.raises(AssertionError, match="a reserve has to be opened at the close"):
            room.auction.due(room.auction.end_ns, opening)
        assert room.auction.due(room.auction.end_ns - 1, opening) is None


def test_a_sale_below_the_opened_reserve_is_not_allowed(open_room: Rooms) -> None:
    room = open_room(reserve=RESERVE)
    closed = Closed("completed", room.key("ann"), 1_499, room.bid("ann", 1_499), OPENING)
    assert room.auction.check(closed, room.auction.end_ns) == "end_reason of the close entry is not what the bids say"


def test_a_reserve_out_of_nowhere_is_not_allowed(ended: Any) -> None:
    closed = replace(closed_by_bids(ended), reserve=OPENING)
    assert ended.auction.check(closed, ended.now_ns) == "a reserve was opened that the terms do not hold"


def test_who_was_not_there_cannot_have_left(open_room: Rooms) -> None:
    room = open_room()
    assert room.auction.check(Left(room.key("cat")), room.now_ns) == "a bidder left that was not there"
    room.say(Left(room.key("ann")))
    assert room.auction.check(Left(room.key("ann")), room.now_ns) == "a bidder left that was not there"


# Our own faults


class Impostor(msgspec.Struct, array_like=True, tag="left", frozen=True):
    """An event of a type that nobody has taught the machine."""


def test_what_the_machine_was_never_taught_is_a_fault_of_our_own(open_room: Rooms) -> None:
    room = open_room()
    stranger: HouseEvent = Impostor()  # type: ignore[assignment]
    with pytest.raises(AssertionError):
        room.auction.check(stranger, room.now_ns)
    with pytest.raises(AssertionError):
        room.auction.apply(stranger, room.now_ns)
    room.auction.phase = "limbo"
    with pytest.raises(AssertionError):
        room.auction.get_timer()
    with pytest.raises(AssertionError):
        room.auction.due(room.now_ns, None)
    room.auction.outcome = Gap(0, 0, GapCause.RESTART)
    with pytest.raises(AssertionError):
        _ = room.auction.end_reason
