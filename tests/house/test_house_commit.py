"""Durable first, then signed, then said: what a batch gives, what a failed one leaves, and what a retry is answered."""

from __future__ import annotations

import copy
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from auctionctl.auction.events import decode_event
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.effects import Commit, Fetch, Publish, Send
from auctionctl.house.gaps import RECONNECT_GRACE_NS
from auctionctl.house.limits import Limits
from auctionctl.house.presence import PRESENCE_GRACE_NS
from auctionctl.house.room import LONGEST_PAUSE_NS
from auctionctl.keys.signing import verify
from auctionctl.tlog.checkpoint import open_checkpoint, origin_of
from auctionctl.tlog.merkle import leaf_hash, verify_inclusion
from auctionctl.tlog.proof import Receipt, verify_receipt
from auctionctl.wire.frames import MAX_REPLY_BYTES, domain
from auctionctl.wire.messages import (
    MAX_ENTRIES_BYTES,
    Acknowledged,
    Bye,
    Read,
    Refused,
    Rejections,
    RejectionsHead,
    Subscribe,
    decode_rejection,
    encode,
)


def checked_receipts(stage: Any, staging: ModuleType, effects: list[Any], session: int) -> list[tuple[bytes, int]]:
    """(command, index) of every receipt for ``session``, each of which holds."""
    found = []
    for reply in staging.replies(effects, session):
        for receipts in reply.logs if isinstance(reply, Acknowledged) else ():
            log = stage.log(receipts.auction)
            origin = origin_of(stage.key.identity.text, log.name)
            for item in receipts.receipts:
                receipt = Receipt(item.index, item.time_ns, item.proof, receipts.checkpoint)
                data = stage.data(receipts.auction)[item.index]
                verify_receipt(receipt, data, origin, stage.key.identity.signing)
                found.append((item.command, item.index))
    return found


# What is released, and when


def test_nothing_that_a_batch_changed_is_said_before_it_is_durable(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    stage.handle(stage.ask(2, Subscribe((auction,))))
    stage.is_held = True
    good, bad = stage.bid(1, auction, 1_000), stage.bid(2, auction, 1)
    effects = stage.handle(good, bad, stage.ask(2, Read(auction, 0)))
    (commit,) = effects
    assert isinstance(commit, Commit)
    (append,) = commit.appends
    assert (append.log, append.expected_size, len(append.entries)) == (stage.log(auction).name, 4, 1)
    with pytest.raises(AssertionError, match="in flight"):
        stage.house.handle((), stage.now_ns)
    with pytest.raises(AssertionError, match="in flight"):
        stage.house.session_ended(1, stage.now_ns)
    released = stage.settle()
    assert [type(effect) for effect in released] == [Publish, Send, Send, Fetch]
    assert checked_receipts(stage, staging, released, 1) == [(staging.command_of(good), 4)]
    assert staging.codes(released, 2) == ["below_increment"]


def test_the_feed_goes_before_the_answers_and_under_the_same_head(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    stage.handle(stage.ask(1, Subscribe((auction,))))
    effects = stage.handle(stage.bid(2, auction, 1_000))
    assert [type(effect) for effect in effects] == [Commit, Publish, Send]
    (entries,) = staging.published(effects)
    (acknowledged,) = staging.replies(effects, 2)
    (receipts,) = acknowledged.logs
    assert (entries.start, list(entries.entries)) == (4, stage.data(auction)[4:])
    assert entries.checkpoint == receipts.checkpoint == stage.log(auction).checkpoint


def test_a_batch_of_refusals_commits_nothing(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    effects = stage.handle(stage.bid(1, auction, 1), stage.bid(2, auction, 2))
    assert not any(isinstance(effect, Commit) for effect in effects)
    assert staging.codes(effects, 1) == staging.codes(effects, 2) == ["below_starting_price"]


def test_one_batch_may_touch_many_auctions_in_one_commit(stage: Any, staging: ModuleType) -> None:
    auctions = [stage.opened() for _ in range(3)]
    effects = stage.handle(*(stage.bid(1, auction, 1_000) for auction in auctions))
    commits = [effect for effect in effects if isinstance(effect, Commit)]
    assert [len(commit.appends) for commit in commits] == [3]
    (acknowledged,) = staging.replies(effects, 1)
    assert [receipts.auction for receipts in acknowledged.logs] == auctions
    assert len(checked_receipts(stage, staging, effects, 1)) == 3


def test_what_is_due_comes_before_a_bid_at_the_same_instant(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    end_ns = stage.log(auction).auction.end_ns
    stage.until(end_ns - 1)
    stage.handle(stage.bid(1, auction, 1_000))
    stage.now_ns = end_ns
    effects = stage.handle(stage.bid(2, auction, 2_000))
    assert staging.codes(effects, 2) == ["closed"]
    assert stage.kinds(auction)[-2:] == ["bid", "closed"]
    closed = stage.log(auction).auction.outcome
    assert (closed.winner, closed.price_minor) == (staging.key_of("ann").identity.signing, 1_000)


def test_requests_are_judged_in_order_within_a_batch(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    effects = stage.handle(
        stage.bid(1, auction, 1_000), stage.bid(2, auction, 1_050), stage.bid(2, auction, 1_100), stage.ask(1, Bye())
    )
    assert [index for _, index in checked_receipts(stage, staging, effects, 1)] == [4]
    assert [index for _, index in checked_receipts(stage, staging, effects, 2)] == [5]
    assert staging.codes(effects, 2) == ["below_increment"]


# Retries


def test_the_same_bytes_give_the_same_index_under_a_newer_head(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    request, join = stage.bid(1, auction, 1_000), stage.join(1, auction)
    stage.handle(stage.ask(1, Bye()))
    stage.enter(1, "ann")
    assert staging.codes(stage.handle(join), 1) == ["already_joined"]
    first = stage.handle(request)
    stage.handle(stage.bid(2, auction, 2_000))
    stage.after(SECOND_NS)
    size = len(stage.data(auction))
    again = stage.handle(request)
    assert checked_receipts(stage, staging, first, 1) == checked_receipts(stage, staging, again, 1)
    assert not any(isinstance(effect, Commit) for effect in again)
    heads = [staging.replies(effects, 1)[0].logs[0].checkpoint for effects in (first, again)]
    origin = origin_of(stage.key.identity.text, stage.log(auction).name)
    sizes = [open_checkpoint(head, origin, stage.key.identity.signing).size for head in heads]
    assert sizes == [5, 6]
    assert len(stage.data(auction)) == size


def test_a_repetition_within_one_batch_is_one_entry_and_two_receipts(stage: Any, staging: ModuleType) -> None:
    auction = stage.announce()
    stage.enter(1, "ann")
    stage.enter(2, "ann")
    request = stage.join(1, auction)
    effects = stage.handle(request, request, request._replace(session=2))
    expected = (staging.command_of(request), 1)
    assert checked_receipts(stage, staging, effects, 1) == [expected, expected]
    assert checked_receipts(stage, staging, effects, 2) == [expected]
    assert stage.kinds(auction) == ["terms", "joined"]


def test_an_accepted_bid_is_receipted_again_after_the_close_and_after_a_restart(
    stage: Any, staging: ModuleType
) -> None:
    auction = stage.opened()
    request = stage.bid(1, auction, 1_000)
    before = checked_receipts(stage, staging, stage.handle(request), 1)
    stage.after(21 * SECOND_NS)
    assert stage.log(auction).auction.outcome is not None
    assert checked_receipts(stage, staging, stage.handle(request), 1) == before
    stage.restart(5 * SECOND_NS)
    stage.enter(1, "ann")
    assert checked_receipts(stage, staging, stage.handle(request), 1) == before


def test_another_bid_under_an_accepted_number_is_a_conflict(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    stage.handle(stage.bid(1, auction, 1_000, seq=10_000))
    stage.handle(stage.bid(2, auction, 2_000))
    effects = stage.handle(stage.bid(1, auction, 3_000, seq=10_000), stage.bid(1, auction, 3_000, seq=9_999))
    assert staging.codes(effects, 1) == ["sequence_conflict", "stale"]


# A store that took nothing


def state_of(stage: Any, auction: bytes) -> list[Any]:
    log = stage.log(auction)
    names = [name for name in type(log.auction).__slots__ if name != "_format"]
    values = {name: getattr(log.auction, name) for name in names}
    return copy.deepcopy([values, log.tree.root(), log.commands, list(log.times_ns)])


def test_a_batch_that_was_not_written_leaves_nothing_and_its_commands_are_refused_for_want_of_room(
    stage: Any, staging: ModuleType
) -> None:
    auction = stage.opened(soft_close_window_ns=19 * SECOND_NS, max_extension_ns=60 * SECOND_NS)
    stage.handle(stage.ask(2, Subscribe((auction,))))
    stage.after(5 * SECOND_NS)
    before, head = state_of(stage, auction), stage.log(auction).checkpoint
    stage.is_full = True
    good, bad = stage.bid(1, auction, 1_000), stage.bid(2, auction, 1)
    effects = stage.handle(good, bad, stage.ask(2, Read(auction, 0)))
    refused = [(session, staging.replies(effects, session)) for session in (1, 2)]
    assert refused == [
        (
            session,
            [Refused("store_full", "this house has no room to write this", staging.command_of(request), SECOND_NS)],
        )
        for session, request in ((1, good), (2, bad))
    ], "neither receipt nor rejection nor entries"
    assert state_of(stage, auction) == before
    assert stage.log(auction).checkpoint == head
    assert stage.log(auction).followers == {2}
    stage.is_full = False
    assert stage.handle() == []
    effects = stage.handle(good, good)
    receipts = [(staging.command_of(good), 4)] * 2
    assert checked_receipts(stage, staging, effects, 1) == receipts
    assert len(staging.published(effects)) == 1
    assert stage.kinds(auction) == ["terms", "joined", "joined", "opened", "bid"]
    end_ns = stage.now_ns + 19 * SECOND_NS
    stage.house.session_ended(2, stage.now_ns)
    stage.until(end_ns - 1)
    assert stage.house.get_timer() == end_ns


def test_an_announcement_that_was_not_written_never_was(stage: Any) -> None:
    stage.is_full = True
    message = stage.terms(listing="lot-a")
    stage.do(stage.house.announce(message.body, message.signature, stage.now_ns))
    assert (list(stage.house.logs), stage.house.live_count, stage.house.get_timer()) == ([], 0, None)
    stage.is_full = False
    stage.do(stage.house.announce(message.body, message.signature, stage.now_ns))
    assert stage.house.live_count == 1


def test_a_close_that_was_not_written_is_due_again(stage: Any) -> None:
    auction = stage.opened()
    stage.is_full = True
    stage.until(stage.log(auction).auction.end_ns + SECOND_NS)
    assert stage.log(auction).auction.outcome is None
    assert stage.house.live_count == 1
    stage.is_full = False
    stage.after(LONGEST_PAUSE_NS)
    assert stage.kinds(auction)[-1] == "closed"
    assert stage.house.live_count == 0


def test_a_gap_that_was_not_written_is_owed_and_moves_the_deadline_all_the_same(stage: Any) -> None:
    auction = stage.opened()
    stage.after(SECOND_NS)
    end_ns, since_ns = stage.log(auction).auction.end_ns, stage.now_ns
    stage.is_full = True
    for _ in range(3):
        stage.now_ns += 4 * SECOND_NS
        stage.handle()
    assert stage.log(auction).auction.end_ns == end_ns
    stage.is_full = False
    stage.now_ns += LONGEST_PAUSE_NS
    stage.handle()
    assert stage.log(auction).auction.end_ns == end_ns + stage.now_ns - since_ns
    assert stage.kinds(auction)[4:] == ["gap"], "three stalls, and no room in between"
    stage.after(SECOND_NS)
    assert stage.kinds(auction)[4:] == ["gap"]


@pytest.mark.parametrize("first", ["alive", "announce"])
def test_a_gap_that_is_owed_is_not_forgotten_by_a_crash(stage: Any, first: str) -> None:
    auction = stage.opened()
    lost_ns = stage.now_ns
    stage.house.gateway_lost(lost_ns)
    stage.now_ns += 5 * SECOND_NS
    stage.is_full = True
    stage.do(stage.house.gateway_back(stage.now_ns))
    stage.is_full = False
    if first == "alive":
        stage.store.alive(stage.house.alive_ns(stage.now_ns))
    else:
        stage.announce()
    stage.restart(SECOND_NS)
    gaps = [decode_event("gap", entry.body) for entry in stage.entries(auction) if entry.kind == "gap"]
    assert gaps[0].since_ns == lost_ns
    assert gaps[-1].until_ns == stage.now_ns + RECONNECT_GRACE_NS
    assert all(sooner.until_ns == later.since_ns for sooner, later in pairwise(gaps))


def test_a_house_whose_clock_went_back_dates_nothing_before_what_it_said_without_a_gateway(stage: Any) -> None:
    auction = stage.opened()
    stage.is_full = True
    stage.handle(stage.bid(1, auction, 1_000))
    stage.is_full = False
    stage.house.gateway_lost(stage.now_ns)
    stage.now_ns += 2 * SECOND_NS
    stage.handle()
    assert stage.kinds(auction)[-1] == "gap", "there was no room, and it is said while nobody can come"
    stage.restart(-SECOND_NS)
    times_ns = [entry.time_ns for entry in stage.entries(auction)]
    assert stage.kinds(auction)[-2:] == ["gap", "gap"]
    assert times_ns == sorted(times_ns)


def test_a_gap_that_is_owed_is_not_laid_to_an_auction_that_was_announced_since(stage: Any) -> None:
    old = stage.opened()
    stage.is_full = True
    stage.now_ns += 4 * SECOND_NS
    stage.handle()
    stage.is_full = False
    new = stage.announce()
    stage.handle()
    assert (stage.kinds(old)[-1], stage.kinds(new)) == ("gap", ["terms"])


def test_a_batch_that_was_not_written_leaves_an_ended_auction_ended(stage: Any, staging: ModuleType) -> None:
    ended, running = stage.opened(duration_ns=SECOND_NS), stage.opened()
    request = stage.bid(1, ended, 1_000)
    stage.handle(request)
    stage.after(2 * SECOND_NS)
    stage.is_full = True
    other = stage.bid(2, running, 1_000)
    effects = stage.handle(request, other)
    assert staging.replies(effects, 1) == [], "it was written, and is not said to be refused"
    assert [reply.command for reply in staging.replies(effects, 2)] == [staging.command_of(other)]
    stage.is_full = False
    assert stage.house.live_count == 1
    assert checked_receipts(stage, staging, stage.handle(request), 1) == [(staging.command_of(request), 4)]
    stage.after(PRESENCE_GRACE_NS)
    assert stage.kinds(ended)[-1] == "closed"


def test_a_departure_that_was_not_written_is_noticed_again(stage: Any) -> None:
    auction = stage.announce(min_bidders=3)
    stage.enter(1, "ann")
    stage.handle(stage.join(1, auction))
    stage.house.session_ended(1, stage.now_ns)
    stage.after(9 * SECOND_NS)
    stage.is_full = True
    stage.after(2 * SECOND_NS)
    assert stage.kinds(auction) == ["terms", "joined"]
    stage.is_full = False
    stage.after(11 * SECOND_NS)
    assert stage.kinds(auction) == ["terms", "joined", "gap", "left"]


# Many answers


def test_rejections_of_a_batch_are_signed_once_and_each_is_proved(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    requests = [stage.bid(1 + number % 2, auction, number) for number in range(1, 8)]
    stage.handle(stage.ask(1, Subscribe((auction,))))
    effects = stage.handle(*requests, stage.bid(1, auction, 1_000))
    batches = [reply for session in (1, 2) for reply in staging.replies(effects, session)]
    batches = [batch for batch in batches if isinstance(batch, Rejections)]
    assert len({(batch.count, batch.root, batch.signature) for batch in batches}) == 1
    head = encode(RejectionsHead(batches[0].count, batches[0].root))
    assert batches[0].count == 7
    assert verify(stage.key.identity.signing, domain("rejections_head") + head, batches[0].signature)
    found = {}
    for session, batch in ((1, batches[0]), (2, batches[1])):
        for item in batch.rejections:
            assert verify_inclusion(leaf_hash(item.rejection), item.index, batch.count, item.proof, batch.root)
            rejection = decode_rejection(item.rejection)
            assert (rejection.house, rejection.auction) == (stage.key.identity.signing, auction)
            assert (rejection.code, rejection.log_size, rejection.time_ns) == ("below_starting_price", 4, stage.now_ns)
            found[item.index] = (session, rejection.command, dict(rejection.observed)["amount"])
    expected = [(1 + n % 2, staging.command_of(requests[n - 1]), n) for n in range(1, 8)]
    assert [found[index] for index in range(7)] == expected


def test_no_answer_is_longer_than_a_session_takes(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    good = stage.bid(1, auction, 1_000)
    stage.handle(good)
    low = [stage.bid(2, auction, 1, seq=number) for number in range(1, 1_001)]
    effects = stage.handle(*low, *[good] * 1_000)
    lengths = [len(effect.message.body) for effect in effects if isinstance(effect, Send)]
    assert max(lengths) <= MAX_REPLY_BYTES
    assert staging.codes(effects, 2) == ["below_increment"] * 1_000
    assert checked_receipts(stage, staging, effects, 1) == [(staging.command_of(good), 4)] * 1_000


def test_the_feed_comes_in_slices_of_64_kib_that_join_without_a_hole(staging: ModuleType) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=1))
    auction = stage.opened(duration_ns=60 * SECOND_NS)
    stage.handle(stage.ask(1, Subscribe((auction,))))
    bids = [stage.bid(1 + number % 2, auction, 1_000 + 100 * number) for number in range(600)]
    effects = stage.handle(*bids)
    slices = staging.published(effects)
    assert len(slices) > 2
    assert [data for piece in slices for data in piece.entries] == stage.data(auction)[4:]
    starts = [4]
    for piece in slices:
        assert sum(map(len, piece.entries)) <= MAX_ENTRIES_BYTES
        assert len(encode(piece)) <= MAX_REPLY_BYTES
        assert piece.start == starts[-1]
        starts.append(piece.start + len(piece.entries))
    assert starts[-1] == 604
    full = [sum(map(len, piece.entries)) for piece in slices[:-1]]
    assert min(full) > MAX_ENTRIES_BYTES - 1_000, "slices are no smaller than they have to be"
    assert len({piece.checkpoint for piece in slices}) == 1
