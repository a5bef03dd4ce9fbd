"""What every log of a house does: nothing of a batch is said before it is durable, and then all of it in slices."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from auctionctl.house.effects import Append
from auctionctl.house.log import HouseLog
from auctionctl.tlog.checkpoint import Checkpoint, open_checkpoint, origin_of
from auctionctl.tlog.heads import sign_heads
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.tlog.note import is_signed_alone
from auctionctl.wire.messages import MAX_ENTRIES_BYTES


@pytest.fixture
def log(stage: Any) -> HouseLog:
    return HouseLog(stage.key, "registry", b"", Tree())


def opened(stage: Any, note: bytes) -> Checkpoint:
    return open_checkpoint(note, origin_of(stage.key.identity.text, "registry"), stage.key.identity.signing)


def test_a_new_log_has_nothing_to_write_and_no_head(log: HouseLog) -> None:
    assert (log.durable_size, log.to_append(), log.checkpoint, log.needs_head) == (0, None, b"", True)
    assert log.release_feed() == []


def test_the_batch_goes_behind_what_is_durable(log: HouseLog) -> None:
    log._add(b"one")
    log._add(b"two")
    assert (log.durable_size, log.tree.size) == (0, 2)
    assert log.to_append() == Append("registry", 0, (b"one", b"two"))
    log.release_feed()
    log._add(b"three")
    assert (log.durable_size, log.to_append()) == (2, Append("registry", 2, (b"three",)))
    assert log.tree.root() == _root_of(b"one", b"two", b"three")


def _root_of(*entries: bytes) -> bytes:
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    return tree.root()


def test_a_head_is_needed_while_there_is_a_batch_or_none_was_signed(stage: Any, log: HouseLog) -> None:
    log._add(b"one")
    assert log.needs_head
    log.put_head(b"note")
    log.release_feed()
    assert not log.needs_head
    log._add(b"two")
    assert log.needs_head


def test_a_plain_head_is_over_everything_and_only_while_it_is_durable(stage: Any, log: HouseLog) -> None:
    log._add(b"one")
    with pytest.raises(AssertionError):
        log.sign_head()
    log.release_feed()
    note = log.sign_head()
    assert note == log.checkpoint
    assert log.sign_head() is note, "it is signed once"
    assert (opened(stage, note).size, opened(stage, note).root) == (1, _root_of(b"one"))


def test_a_head_signed_in_company_gives_way_to_a_plain_one(stage: Any, log: HouseLog) -> None:
    other = HouseLog(stage.key, "auction/" + "0" * 64, bytes(32), Tree())
    for each in (log, other):
        each._add(b"one")
    note, _ = sign_heads([log.head, other.head], stage.key)
    log.put_head(note)
    log.release_feed()
    assert not is_signed_alone(log.checkpoint)
    plain = log.sign_head()
    assert is_signed_alone(plain)
    assert opened(stage, plain) == opened(stage, note)


def test_nobody_is_sent_anything_without_followers_and_nothing_is_sent_twice(log: HouseLog) -> None:
    log._add(b"one")
    assert log.release_feed() == []
    log.followers.add(1)
    assert log.release_feed() == []
    log._add(b"two")
    (piece,) = log.release_feed()
    assert (piece.auction, piece.start, piece.entries) == (b"", 1, (b"two",))
    assert log.release_feed() == []


def test_a_long_batch_is_cut_into_slices_that_join_without_a_hole(log: HouseLog) -> None:
    log.followers.add(1)
    entries = [b"%d" % number + bytes(10_000) for number in range(20)]
    big = bytes(MAX_ENTRIES_BYTES + 1)
    for data in (*entries, big, b"end"):
        log._add(data)
    pieces = log.release_feed()
    assert [data for piece in pieces for data in piece.entries] == [*entries, big, b"end"]
    for piece, following in pairwise(pieces):
        assert piece.start + len(piece.entries) == following.start
    for piece in pieces:
        assert len(piece.entries) == 1 or sum(map(len, piece.entries)) <= MAX_ENTRIES_BYTES
