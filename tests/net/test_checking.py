"""Signatures that other processes have checked are as good as one's own: nothing passes that would not pass here."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence

import pytest

from auctionctl.auction.bid import decode_bid
from auctionctl.auction.terms import SECOND_NS, auction_id
from auctionctl.errors import VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.net.checker import vouch
from auctionctl.net.checking import PIECE_ENTRIES, Crew, count_checkers
from auctionctl.net.filling import plan_logs, write_log
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import Kind, decode, encode

HOUSE = SecretKey(b"h" * 32)
BIDDERS = [SecretKey(bytes([number]) * 32) for number in (1, 2)]
PLAN, *_ = plan_logs(HOUSE, BIDDERS, 1_400, 1_767_225_600 * SECOND_NS)
ENTRIES = [data for data, _ in write_log(PLAN)]


@pytest.fixture
def crew_of_one() -> Iterator[Crew]:
    crew = Crew(1)
    yield crew
    crew.close()


def replay(crew: Crew, entries: Sequence[bytes], on_entry: Callable[[int], None] = lambda _: None) -> Replay:
    replayed = Replay(HOUSE.identity.signing, auction_id(PLAN.terms.body), crew.is_signed)
    crew.take(entries)
    for index, data in enumerate(crew.entries()):
        on_entry(index)
        replayed.apply(data)
    return replayed


def forged(data: bytes) -> bytes:
    entry = decode(data)
    return encode(type(entry)(entry.kind, entry.time_ns, entry.body, entry.signature[::-1]))


def test_only_bids_that_are_signed_by_the_key_in_them_are_vouched_for() -> None:
    bid, terms = ENTRIES[10], ENTRIES[0]
    assert decode(bid).kind is Kind.BID
    assert vouch([bid, terms, forged(bid), b"", b"\xff" * 40, bid[:-1]]) == b"\1\0\0\0\0\0"


def test_a_log_is_the_same_whoever_has_checked_its_signatures(crew_of_one: Crew) -> None:
    alone = Replay(HOUSE.identity.signing, auction_id(PLAN.terms.body))
    for data in ENTRIES:
        alone.apply(data)
    helped = replay(crew_of_one, ENTRIES)
    assert (helped.tree.root(), helped.size) == (alone.tree.root(), len(ENTRIES))
    assert len(ENTRIES) > 10 * PIECE_ENTRIES


@pytest.mark.parametrize("index", [0, 5, PIECE_ENTRIES, len(ENTRIES) - 1])
def test_a_signature_that_does_not_hold_is_found_wherever_it_is(index: int) -> None:
    crew = Crew(0)
    with pytest.raises(VerificationError) as caught:
        replay(crew, [*ENTRIES[:index], forged(ENTRIES[index]), *ENTRIES[index + 1 :]])
    assert (caught.value.rule, caught.value.index) == ("signature", index)


def test_another_process_finds_it_too(crew_of_one: Crew) -> None:
    index = len(ENTRIES) - 2
    with pytest.raises(VerificationError) as caught:
        replay(crew_of_one, [*ENTRIES[:index], forged(ENTRIES[index]), ENTRIES[-1]])
    assert (caught.value.rule, caught.value.index) == ("signature", index)


def test_the_word_for_an_entry_answers_no_other_question(crew_of_one: Crew) -> None:
    bids = [decode(data) for data in ENTRIES if decode(data).kind is Kind.BID][:2]
    signers = [decode_bid(bid.body).bidder for bid in bids]
    assert signers[0] != signers[1]
    crew_of_one.take(ENTRIES[: ENTRIES.index(encode(bids[0])) + 1])
    assert list(crew_of_one.entries())[-1] == encode(bids[0])
    assert crew_of_one._vouched_for is not None
    assert crew_of_one.is_signed(signers[0], bids[0].body, bids[0].signature)
    assert not crew_of_one.is_signed(signers[1], bids[0].body, bids[0].signature)
    assert not crew_of_one.is_signed(HOUSE.identity.signing, bids[0].body, bids[0].signature)
    assert not crew_of_one.is_signed(signers[0], bids[1].body, bids[0].signature)
    assert not crew_of_one.is_signed(signers[0], bids[0].body, bids[1].signature)


def test_what_a_process_that_died_has_not_answered_is_checked_here() -> None:
    crew = Crew(1)
    try:

        def kill(index: int) -> None:
            if index == PIECE_ENTRIES:
                os.kill(crew._checkers[0]._child.process.pid, signal.SIGKILL)

        assert replay(crew, ENTRIES, kill).size == len(ENTRIES)
    finally:
        crew.close()


def test_every_core_helps_but_not_without_end() -> None:
    assert [count_checkers(cores) for cores in (1, 2, 4, 64)] == [0, 1, 3, 7]
