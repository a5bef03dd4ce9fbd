"""The index says of each log what the stream says, knows its own messages, and takes no message for what it is not."""

from __future__ import annotations

import pytest

from auctionctl.errors import StoreError
from auctionctl.store.cluster_index import ClusterIndex
from auctionctl.store.jetstream import Stored
from auctionctl.store.stream_records import Alive, Claim, Entries, Opened, Record, Removed, write_header

STREAM = "auction-ab"
A = "auction/" + "a" * 8


def stored(sequence: int, record: Record, writer: str = "other", subject: str = f"{STREAM}.log.{A}") -> Stored:
    return Stored(sequence, subject, write_header(record, writer), f"id{sequence}", b"")


def test_a_log_is_what_its_messages_say_one_after_the_other() -> None:
    index = ClusterIndex(STREAM)
    assert index.take(stored(1, Opened("two"), subject=f"{STREAM}.opened.two"), "mine") is None
    assert index.take(stored(2, Entries(7, 0, 3)), "mine") == (A, Entries(7, 0, 3))
    assert index.take(stored(5, Claim(1, "two", 9)), "mine") == (A, Claim(1, "two", 9))
    index.take(stored(6, Entries(8, 3, 1)), "mine")
    log = index.held[A]
    assert (log.size, log.last, log.epoch, log.holder, log.given_ns, log.since_ns) == (4, 6, 1, "two", 9, 9)
    assert (list(log.firsts), list(log.sequences)) == ([0, 3], [2, 6])
    assert (index.position, index.written, index.last_time_ns) == (6, (6, "id6"), 8)
    index.take(stored(7, Removed(4)), "mine")
    assert (index.held, index.logs[A].size, index.logs[A].last, index.logs[A].epoch) == ({}, 0, 7, 1)
    index.take(stored(8, Entries(9, 0, 1)), "mine")
    assert index.held[A].size == 1


def test_a_log_knows_until_when_each_of_its_holders_looked_after_it() -> None:
    index = ClusterIndex(STREAM)
    for sequence, claim in enumerate(
        (Claim(1, "one", 10, 7), Claim(2, "one"), Claim(3, "two", 20), Claim(4, "x", 30, 26))
    ):
        index.take(stored(sequence + 1, claim), "mine")
    log = index.logs[A]
    assert [log.left_ns(at_ns) for at_ns in (0, 9, 10, 19, 20, 29, 30, 99)] == [7, 7, 20, 20, 26, 26, 0, 0]
    assert index.find("auction/other").left_ns(0) == 0


def test_what_this_store_has_written_is_known_already() -> None:
    index = ClusterIndex(STREAM)
    log = index.find(A)
    index.grow(A, log, 3, 2)
    index.note_written(3, "id3")
    assert index.take(stored(3, Entries(7, 0, 2), "mine"), "mine") is None
    assert (log.size, index.position) == (2, 3)
    # A message that comes late does not say that less is stored.
    index.note_written(9, "id9")
    index.take(stored(4, Entries(7, 2, 1)), "mine")
    assert index.written == (9, "id9")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (stored(9, Entries(1, 4, 1)), "has entry 4 of log auction/aaaaaaaa, behind 2 entries"),
        (stored(9, Claim(1, "two")), "claims epoch 1 of log auction/aaaaaaaa a second time"),
        (stored(9, Entries(1, 2, 1), subject=f"{STREAM}.other.x"), "belongs to no log"),
        (stored(9, Alive(1)), "belongs to no log"),
    ],
)
def test_a_message_that_does_not_follow_what_is_known_is_damage(message: Stored, reason: str) -> None:
    index = ClusterIndex(STREAM)
    index.take(stored(1, Entries(1, 0, 2)), "mine")
    index.take(stored(2, Claim(1, "one")), "mine")
    with pytest.raises(StoreError, match=reason) as caught:
        index.take(message, "mine")
    assert "restore the stream from a backup" in caught.value.hint


def test_a_message_without_headers_or_with_such_as_nobody_can_read_is_none_of_this_house() -> None:
    index = ClusterIndex(STREAM)
    with pytest.raises(StoreError, match="message 1 of the stream auction-ab is none that this house writes") as caught:
        index.take(Stored(1, f"{STREAM}.log.{A}", "", "", b""), "mine")
    assert "restore it from a backup" in caught.value.hint
