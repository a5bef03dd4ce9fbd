"""A clock head that was kept proves what was dated before or after its time: live, in whatever order things come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import NoteError, RemoteProtocolError, VerificationError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.clock_heads import MAX_WAITING, KeptHead, KeptHeads, contradiction
from auctionctl.replica.follower import Stamped
from auctionctl.replica.replica import Replica
from auctionctl.tlog.checkpoint import Checkpoint, origin_of
from auctionctl.tlog.cosignature import Cosigner, TimedCheckpoint, open_timed
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.tlog.proof import decode_receipt, verify_proof
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import ClockHead, Read, encode

KEY = SecretKey(bytes(range(32)))
ORIGIN = origin_of(KEY.identity.text, "auction/" + "0f" * 32)


def log_of(times_ns: list[int]) -> Tree:
    """A tree of so many entries; what they hold is of no matter here."""
    tree = Tree()
    for index in range(len(times_ns)):
        tree.append(leaf_hash(index.to_bytes(4, "big")))
    return tree


def head_of(tree: Tree, size: int, time_s: int) -> KeptHead:
    root = tree.root(size) if size <= tree.size else bytes(32)
    return KeptHead(b"", TimedCheckpoint(Checkpoint(ORIGIN, size, root), time_s))


def is_wrong(times_ns: list[int], kept: KeptHead) -> bool:
    """By the definitions, asked of every entry."""
    return any(
        kept.head.proves_back_dated(index, time_ns) or kept.head.proves_ahead(index, time_ns)
        for index, time_ns in enumerate(times_ns)
    )


times = st.lists(st.integers(0, 6 * SECOND_NS), max_size=12).map(sorted)
stamps = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 7)), max_size=MAX_WAITING)


@given(times, stamps)
def test_the_two_entries_beside_a_head_answer_for_all_of_them(times_ns: list[int], told: list[tuple[int, int]]) -> None:
    tree = log_of(times_ns)
    for size, time_s in told:
        kept = head_of(tree, size, time_s)
        found = contradiction(kept, tree, len(times_ns), times_ns.__getitem__)
        assert (found is not None) == is_wrong(times_ns, kept)
        if found is not None:
            # The entry that is named is wrong itself, and none before it is wrong in the same way.
            assert times_ns[found.entry_index] == found.time_ns
            proves = kept.head.proves_back_dated if found.rule == "back_dated" else kept.head.proves_ahead
            wrong = [index for index, time_ns in enumerate(times_ns) if proves(index, time_ns)]
            assert wrong[0] == found.entry_index


@given(times, stamps, st.data())
def test_heads_and_entries_may_come_in_any_order(
    times_ns: list[int], told: list[tuple[int, int]], data: st.DataObject
) -> None:
    tree, heads = Tree(), KeptHeads(ORIGIN, KEY.identity)
    whole = log_of(times_ns)
    order = data.draw(st.permutations([True] * len(times_ns) + [False] * len(told)))
    left, kept, found = list(times_ns), [head_of(whole, *each) for each in told], None
    waiting = list(kept)
    for is_entry in order:
        if is_entry:
            tree.append(leaf_hash(tree.size.to_bytes(4, "big")))
            heads.date(left.pop(0))
        else:
            heads.keep(waiting.pop(0))
        found = heads.check(tree, tree.size)
        if found is not None:
            break
    assert (found is not None) == any(is_wrong(times_ns, each) for each in kept)


def test_entries_that_no_checkpoint_covers_are_held_against_nothing_yet() -> None:
    times_ns = [0, SECOND_NS, 2 * SECOND_NS]
    tree, heads = log_of(times_ns), KeptHeads(ORIGIN, KEY.identity)
    heads.keep(head_of(tree, 1, 1))
    for time_ns in (0, 0, 0):
        heads.date(time_ns)
    assert heads.check(tree, 1) is None
    found = heads.check(tree, 3)
    assert found is not None
    assert (found.rule, found.entry_index) == ("back_dated", 1)


def test_a_head_with_another_root_is_a_fork() -> None:
    tree = log_of([0, 0])
    kept = KeptHead(b"", TimedCheckpoint(Checkpoint(ORIGIN, 2, bytes(32)), 0))
    found = contradiction(kept, tree, 2, lambda _: 0)
    assert found is not None
    assert found.rule == "root"
    assert "another root for the first 2 entries" in found.words


def test_of_heads_far_ahead_the_oldest_are_forgotten() -> None:
    tree, heads = Tree(), KeptHeads(ORIGIN, KEY.identity)
    for number in range(3 * MAX_WAITING):
        heads.keep(head_of(tree, 1_000 + number, number))
        assert heads.check(tree, 0) is None
    assert heads.latest is not None
    assert heads.latest.head.time_s == 3 * MAX_WAITING - 1
    assert len(heads._waiting) == MAX_WAITING


# Live


def watching(line: Any, **changes: Any) -> bytes:
    """An auction that the line follows, with its log and some stamps there."""
    auction: bytes = line.stage.opened(**changes)
    line.connect()
    line.follower.follow({auction}, line.stage.now_ns)
    line.pump()
    line.run_for(3 * SECOND_NS)
    return auction


def test_a_follower_keeps_the_last_stamp_of_every_log(line: Any) -> None:
    auction = watching(line)
    line.stage.handle(line.stage.bid(1, auction, 1_000))
    line.run_for(2 * SECOND_NS)
    told = line.told(Stamped)
    assert [notice.kept.head.checkpoint.size for notice in told] == [4, 4, 4, 5, 5]
    assert {notice.auction for notice in told} == {auction}
    replica = line.follower.replicas[auction]
    assert replica.clock_heads.latest == told[-1].kept
    assert told[-1].kept.head.time_s == line.stage.now_ns // SECOND_NS
    head = open_timed(told[-1].kept.note, replica.origin, line.stage.key.identity.text, line.stage.key.identity.signing)
    assert head == told[-1].kept.head


def test_stamps_that_come_with_the_seconds_spare_the_reading_of_silent_logs(line: Any) -> None:
    watching(line, duration_ns=50 * SECOND_NS)
    line.run_for(40 * SECOND_NS)
    assert len(line.said(Read)) == 1


def test_a_stamp_shows_that_a_piece_of_the_feed_was_lost(line: Any) -> None:
    auction = watching(line)
    line.lose("entries")
    line.stage.handle(line.stage.bid(1, auction, 1_000))
    line.pump()
    line.loses = lambda message: False
    assert not line.agrees(auction)
    line.run_for(SECOND_NS)
    assert line.agrees(auction)


def dated_by(monkeypatch: pytest.MonkeyPatch, by_ns: int) -> None:
    """A house that dates bids this much later than its clock, or earlier."""
    honest = AuctionLog.add_bid

    def add_bid(self: AuctionLog, request: Any, bid: Any, command: bytes, now_ns: int) -> None:
        honest(self, request, bid, command, now_ns + by_ns)

    monkeypatch.setattr(AuctionLog, "add_bid", add_bid)


def caught(line: Any, act: Any) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        act()
    line.stage.handle()
    return caught.value


def test_a_house_that_back_dates_a_bid_is_caught_in_the_act_with_the_proof_of_it(
    line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction = watching(line)
    dated_by(monkeypatch, -1_500_000_000)
    line.stage.handle(line.stage.bid(1, auction, 1_000))
    error = caught(line, line.pump)
    assert (error.rule, error.index) == ("back_dated", 4)
    assert "dated 1.500 s before the house signed" in str(error)
    # All that anybody needs who was not there: two files and the house's key.
    house, origin = line.stage.key.identity, line.follower.replicas[auction].origin
    head = open_timed(error.evidence["clock-head.note"], origin, house.text, house.signing)
    proof = decode_receipt(error.evidence["entry.tlog-proof"].decode())
    verify_proof(proof, proof.extra, origin, house.signing)
    assert head.proves_back_dated(proof.index, line.stage.entries(auction)[4].time_ns)


def test_one_that_back_dates_within_the_second_is_not(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    auction = watching(line)
    line.run_for(SECOND_NS // 2)
    dated_by(monkeypatch, -SECOND_NS // 2)
    line.stage.handle(line.stage.bid(1, auction, 1_000))
    line.pump()
    assert line.agrees(auction)


def test_a_house_that_dates_a_bid_ahead_is_caught_by_its_next_stamp(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    auction = watching(line)
    dated_by(monkeypatch, 3 * SECOND_NS)
    line.stage.handle(line.stage.bid(1, auction, 1_000))
    line.pump()
    error = caught(line, lambda: line.run_for(SECOND_NS))
    assert (error.rule, error.index) == ("ahead_of_clock", 4)
    assert "dated 2.000 s after" in str(error)
    assert set(error.evidence) == {"clock-head.note", "head.note"}


def test_a_head_kept_from_before_a_reconnection_counts(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    auction = watching(line)
    line.follower.disconnected()
    line.stage.house.session_ended(line.session, line.stage.now_ns)
    dated_by(monkeypatch, -1_500_000_000)
    line.stage.handle(line.stage.bid(1, auction, 1_000))
    error = caught(line, line.connect)
    assert (error.rule, error.index) == ("back_dated", 4)


def stamp(line: Any, auction: bytes, *, key: Any = None, note: bytes = b"") -> Message:
    key = key or line.stage.key
    note = note or Cosigner(key.identity.text, key).stamp(line.stage.log(auction).sign_head(), 1)
    return Message(encode(ClockHead(auction, note)))


def test_a_stamp_that_is_not_the_houses_or_of_another_log_is_not_believed(line: Any) -> None:
    auction, other = watching(line), line.stage.opened()
    for message in (stamp(line, auction, key=KEY), stamp(line, auction, note=line.stage.log(auction).sign_head())):
        with pytest.raises(NoteError):
            line.hear(message)
    elsewhere = Cosigner(line.stage.key.identity.text, line.stage.key).stamp(line.stage.log(other).sign_head(), 1)
    with pytest.raises(NoteError):
        line.hear(stamp(line, auction, note=elsewhere))
    with pytest.raises(RemoteProtocolError):
        line.hear(stamp(line, other))


def test_stamps_that_come_before_the_log_wait_for_it(book: Any) -> None:
    last_s = book.entry(-1).time_ns // SECOND_NS
    cosigner = Cosigner(book.house.identity.text, book.house)
    replica = Replica(book.house.identity, book.auction)
    replica.stamp(cosigner.stamp(book.note(), last_s))
    assert replica.is_behind
    replica.stamp(cosigner.stamp(book.note(5), last_s - 3))
    with pytest.raises(VerificationError, match="back_dated") as error:
        replica.extend(book.piece(0, len(book.entries)))
    assert error.value.index == 5
    assert error.value.evidence["clock-head.note"] == cosigner.stamp(book.note(5), last_s - 3)
