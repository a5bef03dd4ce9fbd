"""A live copy believes what the house signed and the rules allow; holes wait, overlaps do no harm, forks are caught."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auctionctl.errors import HistoryChangedError, NoteError, VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.replica import Head, Replica
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
    refused(replica, Entries(book.auction, 0, book.entries, other.note()), "root")
    assert not replica.is_verified


def test_a_root_that_does_not_continue_what_was_verified_is_another_history(book: Any) -> None:
    other = book.changed(11, time_ns=book.entry(11).time_ns + 1)
    replica = new_replica(book)
    replica.extend(book.piece(0, 11, 11))
    refused(replica, Entries(book.auction, 11, book.entries[11:], other.note()), "history")
    assert not replica.is_verified


def test_entries_that_break_the_rules_because_others_came_before_them_are_another_history(book: Any) -> None:
    # The house has lost the last bid before its end, and went on: here, somebody wins who was outbid.
    other = book.with_data(*book.entries[:10], *book.reworded(11, price_minor=1_400).entries[11:])
    replica = new_replica(book)
    replica.extend(book.piece(0, 11, 11))
    refused(replica, Entries(book.auction, 11, (), other.note()), "history")
    replica = new_replica(book)
    replica.extend(book.piece(0, 10, 10))
    longer = other.with_data(*other.entries, other.entries[-1])
    refused(replica, Entries(book.auction, 10, longer.entries[10:], longer.note()), "closed", 10)
    replica = new_replica(book)
    replica.extend(book.piece(0, 11, 11))
    refused(replica, Entries(book.auction, 11, longer.entries[11:], longer.note()), "history")


def test_a_house_that_rewrites_what_it_signed_is_caught_by_whoever_saw_the_old_head(book: Any) -> None:
    # The first bid is dropped and all behind it moved up: every rule is kept, and only the old head tells.
    kept = book.cut(6)
    rewritten = book.cut(5).with_data(*book.entries[:5], *book.entries[6:7])
    fresh = new_replica(book)
    fresh.extend(rewritten.piece(0, 6))
    assert fresh.is_verified
    replica = new_replica(book)
    replica.extend(kept.piece(0, 6))
    refused(replica, rewritten.piece(0, 6), "history")


def test_a_house_that_denies_its_own_older_head_is_caught(book: Any) -> None:
    replica = new_replica(book)
    replica.extend(book.piece(0, 12))
    lie = book.changed(4, time_ns=book.entry(4).time_ns + 1)
    refused(replica, Entries(book.auction, 0, (), lie.note(5)), "history")


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


# Heads that the house signed before


def head_of(book: Any, size: int) -> Head:
    return Head(size, new_root(book, size), book.note(size))


def rewritten_from(book: Any, index: int) -> Any:
    """The same house's log with another time in entry ``index``, which breaks no rule."""
    return book.changed(index, time_ns=book.entry(index).time_ns + 1)


@pytest.mark.parametrize("size", [1, 5, 11, 12])
def test_a_log_that_extends_what_is_held_passes_however_it_comes(book: Any, size: int) -> None:
    replica = new_replica(book)
    replica.hold(head_of(book, size))
    for stop in range(1, 13):
        replica.extend(book.piece(stop - 1, stop, stop))
    replica.hold(head_of(book, size))
    assert (replica.is_verified, replica.is_behind) == (True, False)


@pytest.mark.parametrize("size", [6, 11])
def test_another_log_than_is_held_is_caught_when_it_has_come_so_far_and_both_notes_are_told(
    book: Any, size: int
) -> None:
    other, held = rewritten_from(book, 5), head_of(book, size)
    replica = new_replica(book)
    replica.hold(held)
    replica.extend(other.piece(0, 5, 5))
    # Entries that no head covers yet are nobody's word.
    replica.extend(other.piece(5, size, 12))
    with pytest.raises(HistoryChangedError, match=f"other first {size} entries") as told:
        replica.extend(other.piece(size, 12))
    error = told.value
    assert (error.rule, error.log, error.before, error.now) == ("history", book.auction, held.note, other.note())
    assert error.entries == other.entries[size:]


def test_what_is_held_later_is_compared_at_once(book: Any) -> None:
    replica = new_replica(book)
    replica.extend(book.piece(0, 12))
    with pytest.raises(HistoryChangedError) as told:
        replica.hold(head_of(rewritten_from(book, 5), 6))
    assert told.value.entries == ()


def test_two_heads_of_one_size_contradict_each_other_before_any_entry_is_there(book: Any) -> None:
    replica = new_replica(book)
    replica.hold(head_of(book, 8))
    replica.hold(head_of(book, 8))
    other = head_of(rewritten_from(book, 5), 8)
    with pytest.raises(HistoryChangedError, match="two roots for 8 entries") as told:
        replica.hold(other)
    assert (told.value.before, told.value.now) == (book.note(8), other.note)


def test_a_smaller_head_than_one_of_an_earlier_session_is_a_loss_and_of_this_session_is_none(book: Any) -> None:
    replica = new_replica(book)
    replica.hold(head_of(book, 8))
    replica.begin_session()
    piece = book.piece(0, 3, 9)
    replica.extend(piece)
    replica.check_answer(piece)
    replica.hold(head_of(book, 11))
    # The answer to what was asked before 11 entries were signed for is still under way.
    piece = book.piece(3, 8, 9)
    replica.extend(piece)
    replica.check_answer(piece)
    replica.begin_session()
    piece = book.piece(8, 10, 10)
    replica.extend(piece)
    with pytest.raises(HistoryChangedError, match="signed 11 entries, and now 10") as told:
        replica.check_answer(piece)
    assert (told.value.before, told.value.now) == (book.note(11), book.note(10))
    assert told.value.entries == book.entries[8:10]


def test_the_verified_head_of_an_earlier_session_counts_like_any_other(book: Any) -> None:
    replica = new_replica(book)
    replica.begin_session()
    replica.extend(book.piece(0, 9, 9))
    empty = book.piece(7, 7, 7)
    replica.extend(empty)
    replica.check_answer(empty)
    replica.begin_session()
    replica.extend(empty)
    with pytest.raises(HistoryChangedError, match="signed 9 entries, and now 7"):
        replica.check_answer(empty)


@settings(max_examples=50)
@given(st.data())
def test_no_honest_house_is_accused_and_no_fork_passes_whatever_was_seen_before(book: Any, data: st.DataObject) -> None:
    """Sessions at any sizes, each seeing a part of what the house has then; at last the house forks, or it does not."""
    fork_at = data.draw(st.sampled_from([None, 5, 8, 9]))
    durable, held = 0, []
    for _ in range(data.draw(st.integers(1, 4))):
        durable = data.draw(st.integers(max(1, durable), 12))
        replica = new_replica(book)
        for head in held:
            replica.hold(head)
        replica.begin_session()
        for stop in sorted(data.draw(st.lists(st.integers(0, durable), max_size=3))):
            piece = book.piece(min(replica.size, stop), stop, durable)
            replica.extend(piece)
            replica.check_answer(piece)
        held.append(head_of(book, durable))
    log = book if fork_at is None else rewritten_from(book, fork_at)
    replica = new_replica(log)
    for head in held:
        replica.hold(head)
    if fork_at is None or fork_at >= durable:
        replica.extend(log.piece(0, 12))
    else:
        with pytest.raises(HistoryChangedError):
            replica.extend(log.piece(0, 12))
