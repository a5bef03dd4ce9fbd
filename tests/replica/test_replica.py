"""A live copy believes what the house signed and the rules allow; holes wait, overlaps do no harm, forks are caught."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auctionctl.errors import NoteError, VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.replica import Replica
from auctionctl.wire.messages import Entries


def new_replica(book: Any) -> Replica:
    return Replica(book.house.identity, book.auction)


def test_a_new_replica_has_nothing_and_misses_nothing_yet(book: Any) -> None:
    replica = new_replica(book)
    assert (replica.size, replica.is_verified, replica.is_behind) == (0, False, False)
    assert (replica.head, replica.head_note, replica.has_ended) == (None, b"", False)
    assert replica.origin == f"{book.house.identity.text}/auction/{book.auction.hex()}"


def test_a_whole_log_under_its_head_is_verified(book: Any) -> None:
    replica = new_replica(book)
    applied = replica.extend(book.piece(0, 12))
    assert [each.entry_index for each in applied] == list(range(12))
    assert (replica.size, replica.is_verified, replica.is_behind) == (12, True, False)
    assert replica.head is not None
    assert (replica.head.size, replica.head_note) == (12, book.note())


def test_entries_beyond_the_last_head_are_provisional(book: Any) -> None:
    replica = new_replica(book)
    replica.extend(book.piece(0, 4, 4))
    replica.extend(book.piece(4, 7))
    assert (replica.size, replica.is_verified, replica.is_behind) == (7, False, True)
    assert replica.head is not None
    assert replica.head.size == 4
    assert not replica.has_ended
    replica.extend(book.piece(7, 12))
    assert (replica.is_verified, replica.is_behind, replica.has_ended) == (True, False, True)


def test_a_piece_beyond_a_hole_waits_until_the_hole_is_filled(book: Any) -> None:
    replica = new_replica(book)
    replica.extend(book.piece(0, 4, 4))
    assert replica.extend(book.piece(6, 12)) == []
    assert (replica.size, replica.is_behind, replica.is_verified) == (4, True, True)
    assert len(replica.extend(book.piece(4, 6, 6))) == 2
    assert replica.is_behind
    assert len(replica.extend(book.piece(6, 12))) == 6
    assert not replica.is_behind


def test_what_overlaps_is_taken_from_where_the_replica_ends(book: Any) -> None:
    replica = new_replica(book)
    replica.extend(book.piece(0, 6, 6))
    assert [each.entry_index for each in replica.extend(book.piece(3, 9, 9))] == [6, 7, 8]
    assert replica.extend(book.piece(0, 4, 4)) == []
    assert replica.extend(book.piece(5, 9, 9)) == []
    assert (replica.size, replica.is_verified) == (9, True)


def test_an_older_checkpoint_is_checked_and_changes_nothing(book: Any) -> None:
    replica = new_replica(book)
    replica.extend(book.piece(0, 12))
    replica.extend(book.piece(0, 0, 5))
    assert (replica.head_note, replica.is_verified, replica.is_behind) == (book.note(), True, False)


def test_an_empty_piece_under_a_newer_head_says_that_there_is_more(book: Any) -> None:
    replica = new_replica(book)
    replica.extend(book.piece(0, 5, 5))
    assert replica.extend(book.piece(5, 5)) == []
    assert (replica.is_behind, replica.is_verified, replica.size) == (True, True, 5)


@given(st.data())
def test_pieces_in_any_order_come_to_the_same_log(book: Any, data: st.DataObject) -> None:
    replica = new_replica(book)
    pieces = data.draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12)), max_size=12))
    for number in (*pieces, (0, 12, 12)):
        start, stop, size = sorted(number)
        replica.extend(book.piece(start, stop, size))
        assert replica.replay.tree.root() == new_root(book, replica.size)
        if replica.head is not None:
            assert replica.head.size <= replica.size
    assert (replica.is_verified, replica.is_behind) == (True, False)


def new_root(book: Any, size: int) -> bytes:
    other = new_replica(book)
    other.extend(book.piece(0, size, size))
    return other.replay.tree.root()


def refused(replica: Replica, message: Entries, rule: str, index: int | None = None) -> None:
    with pytest.raises(VerificationError) as raised:
        replica.extend(message)
    assert (raised.value.rule, raised.value.index) == (rule, index), str(raised.value)


def test_entries_that_their_checkpoint_does_not_hold_are_refused(book: Any) -> None:
    replica = new_replica(book)
    refused(replica, book.piece(0, 6, 5), "checkpoint")
    refused(replica, book.piece(3, 4, 2), "checkpoint")
    assert (replica.size, replica.is_behind) == (0, False)


def test_a_root_that_the_entries_do_not_have_is_caught(book: Any) -> None:
    other = book.changed(11, time_ns=book.entry(11).time_ns + 1)
    replica = new_replica(book)
    replica.extend(book.piece(0, 11, 11))
    refused(replica, Entries(book.auction, 11, book.entries[11:], other.note()), "root")
    assert not replica.is_verified


def test_a_house_that_rewrites_what_it_signed_is_caught_by_whoever_saw_the_old_head(book: Any) -> None:
    # The first bid is dropped and all behind it moved up: every rule is kept, and only the old head tells.
    kept = book.cut(6)
    rewritten = book.cut(5).with_data(*book.entries[:5], *book.entries[6:7])
    fresh = new_replica(book)
    fresh.extend(rewritten.piece(0, 6))
    assert fresh.is_verified
    replica = new_replica(book)
    replica.extend(kept.piece(0, 6))
    refused(replica, rewritten.piece(0, 6), "root")


def test_a_house_that_denies_its_own_older_head_is_caught(book: Any) -> None:
    replica = new_replica(book)
    replica.extend(book.piece(0, 12))
    lie = book.changed(4, time_ns=book.entry(4).time_ns + 1)
    refused(replica, Entries(book.auction, 0, (), lie.note(5)), "root")


def test_an_entry_that_breaks_the_rules_is_named(book: Any) -> None:
    cheat = book.reworded(11, price_minor=1_650)
    replica = new_replica(book)
    replica.extend(cheat.piece(0, 5, 5))
    refused(replica, cheat.piece(5, 12), "closed", 11)
    assert replica.size == 11, "what passed before it stands, provisionally"
    assert not replica.is_verified


def test_a_checkpoint_of_another_log_house_or_key_is_refused(book: Any) -> None:
    replica = new_replica(book)
    stranger = SecretKey(b"x" * 32)
    other_house = type(book)(stranger, book.auction, book.entries, book.announcement)
    for note in (book.note(auction=b"\1" * 32), book.note(key=stranger), other_house.note(), b"", b"\xff"):
        with pytest.raises(NoteError):
            replica.extend(Entries(book.auction, 0, book.entries, note))
    assert (replica.size, replica.is_behind) == (0, False)


def test_a_note_with_one_bit_changed_is_refused(book: Any) -> None:
    message = book.piece(0, 12)
    for position in range(len(message.checkpoint)):
        note = bytearray(message.checkpoint)
        note[position] ^= 1 << position % 8
        with pytest.raises(NoteError):
            new_replica(book).extend(replace(message, checkpoint=bytes(note)))
