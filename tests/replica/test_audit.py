"""The promise that the project is built on: no bit of a log can change unnoticed, and no house can cheat its rules."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.bid import decode_bid, decode_join
from auctionctl.auction.events import Closed, decode_event
from auctionctl.auction.phase import EndReason
from auctionctl.auction.terms import SECOND_NS, ReserveOpening
from auctionctl.errors import VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.audit import Audit, audit, claimed_house
from auctionctl.replica.export import decode_export, encode_export
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind
from auctionctl.tlog.note import NoteSigner

STRANGER = SecretKey(b"x" * 32)


def audited(book: Any) -> Audit:
    return audit(book.file(), book.house.identity)


def caught(book: Any, rule: str, index: int | None, words: str = "") -> None:
    """A house that signs for ``book`` itself is caught, by this rule and at this entry."""
    with pytest.raises(VerificationError) as raised:
        audited(book)
    assert (raised.value.rule, raised.value.index) == (rule, index), str(raised.value)
    assert words in str(raised.value)


# The truth


def test_an_honest_log_tells_who_won_at_what_price(book: Any, staging: Any) -> None:
    found = audited(book)
    assert found.is_finished
    assert found.sale is not None
    assert found.sale.winner == staging.key_of("ann").identity.signing
    assert (found.sale.price_minor, found.sale.bid_index) == (1_700, 10)
    assert (found.auction.end_reason, found.auction.extensions) == (EndReason.COMPLETED, 1)
    assert (found.house, found.checkpoint.size, found.contested) == (book.house.identity, 12, ())


def test_every_beginning_of_a_log_under_its_own_head_is_unfinished_not_wrong(book: Any) -> None:
    for size in range(1, len(book.entries)):
        found = audited(book.cut(size))
        assert (found.is_finished, found.sale, found.checkpoint.size) == (False, None, size)


def test_an_auction_without_a_sale_has_none(stage: Any, staging: Any, book: Any) -> None:
    auction = stage.opened()
    stage.after(20 * SECOND_NS)
    unsold = type(book)(stage.key, auction, tuple(stage.data(auction)), stage.announcement(auction))
    assert (audited(unsold).is_finished, audited(unsold).sale) == (True, None)
    cancelled = stage.announce()
    stage.after(30 * SECOND_NS)
    unsold = type(book)(stage.key, cancelled, tuple(stage.data(cancelled)), stage.announcement(cancelled))
    assert (audited(unsold).is_finished, audited(unsold).sale) == (True, None)


def test_progress_is_told_as_entries_are_checked(book: Any) -> None:
    seen: list[int] = []
    audit(book.file(), book.house.identity, seen.append)
    assert seen == [0]


# Damage


@pytest.mark.usefixtures("true_signatures_checked_once")
def test_no_bit_of_a_finished_log_can_change_unnoticed(book: Any) -> None:
    data = book.file()
    house = book.house.identity
    audit(data, house)
    rules: set[str] = set()
    for position in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            with pytest.raises(VerificationError) as raised:
                audit(bytes(damaged), house)
            rules.add(raised.value.rule)
    assert rules >= {"format", "checkpoint", "terms", "signature", "entry", "time", "gap", "left", "closed", "root"}


def test_no_bit_of_an_entry_can_change_unnoticed_even_under_a_new_signature_of_its_tree(book: Any) -> None:
    """All bits of what participants signed: the house re-signs the root, so only signatures and rules are left."""
    for index in (0, 1, 5, 6, 10):
        entry = book.entry(index)
        for position in range(len(entry.body)):
            body = bytearray(entry.body)
            body[position] ^= 1 << (position % 8)
            forged = book.changed(index, body=bytes(body))
            with pytest.raises(VerificationError) as raised:
                audited(forged)
            assert raised.value.index == index


@pytest.mark.parametrize("size", [0, 1, 100, 1_000])
def test_a_file_cut_short_is_refused(book: Any, size: int) -> None:
    with pytest.raises(VerificationError):
        audit(book.file()[:size], book.house.identity)


def test_a_file_followed_by_anything_is_refused(book: Any) -> None:
    for tail in (b"\n", b"\x00", book.note()):
        with pytest.raises(VerificationError) as raised:
            audit(book.file() + tail, book.house.identity)
        assert raised.value.rule == "announcement"


# Checkpoints


def test_entries_under_the_checkpoint_of_fewer_or_more_are_refused(book: Any) -> None:
    for size, entries in ((11, book.entries), (12, book.entries[:11])):
        with pytest.raises(
            VerificationError, match=f"over {size} entries, and the file holds {len(entries)}"
        ) as raised:
            audit(encode_export(entries, book.note(size), book.announcement), book.house.identity)
        assert (raised.value.rule, raised.value.index) == ("checkpoint", None)


def test_a_root_that_the_entries_do_not_have_is_refused(book: Any) -> None:
    origin = origin_of(book.house.identity.text, f"auction/{book.auction.hex()}")
    note = CheckpointSigner(origin, book.house).sign(12, bytes(32))
    with pytest.raises(VerificationError, match="another root") as raised:
        audit(encode_export(book.entries, note, book.announcement), book.house.identity)
    assert (raised.value.rule, raised.value.index) == ("root", None)


def test_the_checkpoint_of_another_auction_of_the_house_does_not_do(book: Any) -> None:
    data = encode_export(book.entries, book.note(auction=b"\1" * 32), book.announcement)
    with pytest.raises(VerificationError, match="terms of another auction") as raised:
        audit(data, book.house.identity)
    assert (raised.value.rule, raised.value.index) == ("terms", 0)


def test_the_checkpoint_of_the_registry_is_that_of_no_auction(book: Any) -> None:
    note = CheckpointSigner(origin_of(book.house.identity.text, "registry"), book.house).sign(12, bytes(32))
    with pytest.raises(VerificationError, match="no log of an auction") as raised:
        audit(encode_export(book.entries, note, book.announcement), book.house.identity)
    assert raised.value.rule == "checkpoint"


def test_a_checkpoint_that_somebody_else_signed_in_the_houses_name_is_refused(book: Any) -> None:
    data = encode_export(book.entries, book.note(key=STRANGER), book.announcement)
    with pytest.raises(VerificationError, match="the checkpoint does not hold") as raised:
        audit(data, book.house.identity)
    assert (raised.value.rule, raised.value.index) == ("checkpoint", None)


def test_the_log_of_another_house_is_refused(book: Any) -> None:
    with pytest.raises(VerificationError, match="log of another house") as raised:
        audit(book.file(), STRANGER.identity)
    assert (raised.value.rule, raised.value.index) == ("checkpoint", None)


def test_another_house_cannot_sign_for_a_log_of_this_one(book: Any) -> None:
    stolen = type(book)(STRANGER, book.auction, book.entries, book.announcement)
    with pytest.raises(VerificationError, match="name another house") as raised:
        audited(stolen)
    assert (raised.value.rule, raised.value.index) == ("terms", 0)


@pytest.mark.parametrize("note", [b"", b"\xff\xfe", b"nonsense", b"a/b\n1\n", b"house/registry\n\n"])
def test_a_file_without_a_checkpoint_is_refused(book: Any, note: bytes) -> None:
    data = encode_export(book.entries, note, book.announcement)
    for check in (lambda: audit(data, book.house.identity), lambda: claimed_house(data)):
        with pytest.raises(VerificationError) as raised:
            check()
        assert raised.value.rule == "checkpoint"


def test_a_file_says_which_house_it_claims_to_be_from(book: Any) -> None:
    assert claimed_house(book.file()) == book.house.identity
    nobody = f"nobody/auction/{book.auction.hex()}"
    note = NoteSigner(nobody, STRANGER).sign(f"{nobody}\n1\n".encode() + b"A" * 43 + b"=\n")
    with pytest.raises(VerificationError, match="names no house"):
        claimed_house(encode_export(book.entries, note, book.announcement))


# A cheating house: it signs a new tree with its own key, so that only the rules can tell


def test_swapped_entries_are_caught(book: Any) -> None:
    caught(book.swapped(5, 6), "time", 6)
    caught(book.swapped(3, 4), "opened", 3)
    caught(book.swapped(0, 1), "phase", 0)
    caught(book.swapped(10, 11), "closed", 10)


def test_bids_swapped_at_one_instant_are_caught(book: Any) -> None:
    together = book.changed(5, time_ns=book.entry(6).time_ns)
    assert audited(together).is_finished, "a house that chose its order within one instant is not found out"
    caught(together.swapped(5, 6), "below_increment", 6)


@pytest.mark.parametrize(
    ("index", "rule", "found_at"),
    [(0, "phase", 0), (1, "opened", 3), (4, "phase", 4), (5, "closed", 10), (6, "closed", 10), (10, "closed", 10)],
)
def test_a_dropped_entry_is_caught(book: Any, index: int, rule: str, found_at: int) -> None:
    caught(book.without(index), rule, found_at)


def test_a_dropped_gap_is_caught_by_the_late_end_that_it_leaves_behind(book: Any) -> None:
    # Without the gap the last bid came after the end.
    caught(book.without(7), "closed", 9)


@pytest.mark.parametrize(
    ("index", "rule"),
    [
        (0, "phase"),
        (1, "already_joined"),
        (4, "phase"),
        (5, "sequence_conflict"),
        (7, "gap"),
        (8, "left"),
        (10, "sequence_conflict"),
        (11, "phase"),
    ],
)
def test_a_duplicated_entry_is_caught(book: Any, index: int, rule: str) -> None:
    caught(book.inserted(index + 1, book.entry(index)), rule, index + 1)


@pytest.mark.parametrize("index", range(1, 12))
def test_a_back_dated_entry_is_caught(book: Any, index: int) -> None:
    before_ns = book.entry(index - 1).time_ns
    caught(book.changed(index, time_ns=before_ns - 1), "time", index, "dated 1 ns before the entry below it")


def test_a_close_before_the_end_is_caught(book: Any) -> None:
    closed = book.entry(11)
    caught(book.changed(11, time_ns=closed.time_ns - 1), "closed", 11, "closed 1 ns before its end")


def test_a_bid_taken_after_the_end_is_caught(book: Any, signed: Any, staging: Any) -> None:
    end_ns = book.entry(11).time_ns
    ben = staging.key_of("ben")
    late = replace(decode_bid(book.entry(9).body), seq=10**6, amount_minor=9_000, not_after_ns=end_ns)
    caught(book.inserted(11, signed(Kind.BID, end_ns, ben, late)), "closed", 11)
    in_time = book.inserted(11, signed(Kind.BID, end_ns - 1, ben, late))
    caught(in_time, "closed", 12)


def test_a_bid_that_another_key_signed_is_caught(book: Any, staging: Any) -> None:
    bid = decode_bid(book.entry(10).body)
    for key in (staging.key_of("ben"), book.house, STRANGER):
        caught(book.resigned(10, key, bid), "signature", 10)
    caught(book.changed(10, signature=b""), "signature", 10)
    caught(book.changed(10, signature=book.entry(9).signature), "signature", 10)


def test_a_bid_raised_in_its_bidders_name_is_caught(book: Any) -> None:
    bid = replace(decode_bid(book.entry(10).body), amount_minor=9_999)
    caught(book.resigned(10, book.house, bid), "signature", 10)


def test_a_joining_in_somebodys_name_is_caught(book: Any) -> None:
    caught(book.resigned(2, book.house, decode_join(book.entry(2).body)), "signature", 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"winner": b"w" * 32},
        {"winner": None},
        {"price_minor": 1_699},
        {"price_minor": 1_701},
        {"price_minor": None},
        {"bid_index": 9},
        {"bid_index": None},
        {"end_reason": "reserve_not_met"},
        {"end_reason": "no_bids"},
        {"end_reason": "cancelled"},
        {"end_reason": "whatever"},
    ],
)
def test_a_close_that_says_something_else_than_the_bids_is_caught(book: Any, changes: dict[str, Any]) -> None:
    (name,) = changes
    caught(book.reworded(11, **changes), "closed", 11, f"{name} of the close entry is not what the bids say")


def test_a_sale_to_the_second_best_bid_is_caught(book: Any) -> None:
    second = decode_bid(book.entry(9).body)
    caught(book.reworded(11, winner=second.bidder, price_minor=second.amount_minor, bid_index=9), "closed", 11)


@pytest.mark.parametrize("opened", ["another amount", "another salt", "nothing"])
def test_a_wrongly_opened_reserve_is_caught(book: Any, opened: str) -> None:
    closed = decode_event("closed", book.entry(11).body)
    assert isinstance(closed, Closed)
    assert closed.reserve == ReserveOpening(1_500, closed.reserve.salt)
    forged = {
        "another amount": replace(closed.reserve, minor=1_800),
        "another salt": replace(closed.reserve, salt=bytes(32)),
        "nothing": None,
    }[opened]
    no_sale = {"end_reason": "reserve_not_met", "winner": None, "price_minor": None, "bid_index": None}
    caught(book.reworded(11, reserve=forged, **no_sale), "closed", 11, "the reserve was not opened to what")


def test_a_gap_that_would_move_the_end_more_than_it_may_is_caught(book: Any) -> None:
    gap = book.entry(7)
    caught(book.reworded(7, since_ns=book.entry(5).time_ns), "gap", 7, "reaches back")
    caught(book.reworded(7, until_ns=gap.time_ns + 6 * SECOND_NS), "gap", 7, "reaches further ahead")
    caught(book.reworded(7, until_ns=book.entry(6).time_ns - 1), "gap", 7)


def test_a_gap_that_was_shortened_is_caught_by_the_bids_behind_it(book: Any) -> None:
    since_ns = decode_event("gap", book.entry(7).body).since_ns
    caught(book.reworded(7, until_ns=since_ns), "closed", 10)


def test_a_departure_that_was_none_is_caught(book: Any) -> None:
    caught(book.reworded(8, bidder=b"w" * 32), "left", 8)


def test_anything_after_the_close_is_caught(book: Any) -> None:
    for index in (5, 7, 8, 4):
        later = replace(book.entry(index), time_ns=book.entry(11).time_ns)
        caught(book.inserted(12, later), "phase", 12)


def test_a_cancellation_instead_of_a_sale_is_caught(book: Any) -> None:
    body = b"\x92\xa9cancelled\xabmin_bidders"
    caught(book.cut(11).inserted(11, Entry(Kind.CANCELLED, book.entry(11).time_ns, body)), "cancelled", 11)
    caught(book.cut(3).inserted(3, Entry(Kind.CANCELLED, book.entry(2).time_ns, body)), "cancelled", 3)


def test_a_bid_that_claims_another_history_is_contested_but_no_proof_by_itself(book: Any, staging: Any) -> None:
    ann, bid = staging.key_of("ann"), decode_bid(book.entry(10).body)
    seen = decode_bid(book.entry(9).body)
    assert seen.head_size == 9
    heads = [(0, b"", False), (9, seen.head_root, False), (9, b"r" * 32, True), (10, seen.head_root, True)]
    for size, root, is_contested in [*heads, (11, b"r" * 32, True), (2**53, b"r" * 32, True)]:
        found = audited(book.resigned(10, ann, replace(bid, head_size=size, head_root=root)))
        assert found.contested == ((10,) if is_contested else ())


def test_the_file_of_a_cheating_house_is_otherwise_in_order(book: Any) -> None:
    """The forgeries above fail for what they forge, and not for how they are put together."""
    again = book.changed(5, time_ns=book.entry(5).time_ns)
    assert again == book
    assert decode_export(again.file()).entries == book.entries
    bid = decode_bid(book.entry(10).body)
    assert book.resigned(10, SecretKey(b"ann".ljust(32, b".")), bid) == book
    assert audited(book.reworded(11)).is_finished
