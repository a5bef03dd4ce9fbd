"""A load believes no receipt: whatever a house answers is checked after the run."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from house_process import key_of, lot

from auctionctl.auction.bid import Bid
from auctionctl.errors import AuctionctlError, NoteError, UnreachableError, VerificationError
from auctionctl.net.load import Load, Run, _decode_answer
from auctionctl.net.placing import place_one
from auctionctl.wire.messages import Acknowledged, Moved, Receipted, Receipts, Refused, decode_reply, encode

NAMES = ("ann", "ben")
WAIT_NS = 300_000_000


@pytest.fixture
def load(start_house: Any, stack: Any) -> Load:
    house = start_house(NAMES, [lot(f"lot-{number}", bid_timeout_ns=3_600 * 10**9) for number in range(3)])
    load = Load(house.address, list(house.auctions.values()), [key_of(name) for name in NAMES])
    stack.callback(load.close)
    load.greet_and_join()
    return load


def test_every_bid_is_answered_and_every_receipt_holds(load: Load) -> None:
    load.prepare(20)
    closed = load.run_closed(1)
    load.prepare(4)
    at_a_rate = load.run_open(200, 12)
    assert closed.receipts + closed.rejections + at_a_rate.receipts + at_a_rate.rejections == 3 * 20 + 12
    assert len(closed.latencies_ns) == 60
    assert load.verify() == closed.receipts + at_a_rate.receipts > 0


def test_whoever_is_told_to_wait_sends_the_same_bytes_again(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals: list[Refused] = []

    def decode(body: bytes) -> Any:
        if refusals:
            return _decode_answer(body)
        (command,) = load._by_command
        refusals.append(Refused("busy", "the queue of this house is full", command, WAIT_NS))
        return refusals[0]

    monkeypatch.setattr("auctionctl.net.load._decode_answer", decode)
    load.prepare(1)
    load.send_one()
    run = load.await_answers()
    assert (run.busy, run.receipts, run.repeats) == (1, 1, 0)
    assert run.latencies_ns[0] > WAIT_NS, "the wait is kept, and counts"
    assert load.verify() == 1


@pytest.mark.parametrize("change", [{"index": 0}, {"time_ns": 1}, {"proof": b"p" * 32}])
def test_a_receipt_that_does_not_hold_is_found(load: Load, change: dict[str, Any]) -> None:
    load.prepare(3)
    load.run_closed(1)
    load._answers[-1] = tamper(load._answers[-1], lambda receipt: msgspec.structs.replace(receipt, **change))
    with pytest.raises((VerificationError, NoteError)):
        load.verify()


def test_two_bids_at_one_index_are_found(load: Load) -> None:
    load.prepare(1)
    load.run_closed(1)
    load._answers.append(load._answers[0])
    with pytest.raises(VerificationError, match="two bids at one index"):
        load.verify()


def test_bids_that_are_taken_nowhere_end_the_run(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    (place,) = load.places
    endpoint = ""
    deadline_s = time.monotonic() + 10

    def moved(body: bytes) -> Moved:
        assert time.monotonic() < deadline_s, endpoint
        (command,) = load._by_command
        return Moved(load._auctioned[0].auction, endpoint, command)

    monkeypatch.setattr("auctionctl.net.load._decode_answer", moved)
    monkeypatch.setattr("auctionctl.net.load.SETTLE_PATIENCE_NS", 300_000_000)
    load.prepare(1)
    load.send_one()
    for endpoint in ("", "127.0.0.1:1", place):  # noqa: B007 - what each answer says
        with pytest.raises(UnreachableError, match="1 bids are taken nowhere"):
            load.await_answers()


def bid_on(house: Any, amount_minor: int) -> Bid:
    (auction,) = house.auctions.values()
    key, now_ns = key_of("ann"), time.time_ns()
    return Bid(
        house.address.identity.signing,
        auction,
        key.identity.signing,
        1,
        amount_minor,
        "credits",
        now_ns,
        now_ns + 10**9,
    )


def test_one_bid_alone_gets_a_receipt_that_holds_or_the_reason_why_not(start_house: Any, stack: Any) -> None:
    house = start_house(NAMES, [lot("lot", bid_timeout_ns=3_600 * 10**9)])
    load = Load(house.address, list(house.auctions.values()), [key_of(name) for name in NAMES])
    stack.callback(load.close)
    load.greet_and_join()
    placed = place_one(house.address, key_of("ann"), bid_on(house, 100))
    placed.verify(house.address.identity)
    with pytest.raises(VerificationError):
        replace(placed, entry=placed.entry[:-1] + b"x").verify(house.address.identity)
    with pytest.raises(AuctionctlError, match="answered a bid with"):
        place_one(house.address, key_of("ann"), bid_on(house, 101))


def tamper(body: bytes, change: Any) -> bytes:
    reply = decode_reply(body)
    assert isinstance(reply, Acknowledged)
    first, *others = reply.logs
    receipts: tuple[Receipted, ...] = tuple(change(receipt) for receipt in first.receipts)
    return encode(Acknowledged((Receipts(first.auction, first.checkpoint, receipts), *others)))


def test_what_was_sent_again_counts_once_though_it_was_answered_twice(load: Load) -> None:
    load.prepare(2)
    run = Run()
    for auctioned in load._auctioned:
        load._send_next(auctioned, 0)
    load._send_again()
    deadline_s = time.monotonic() + 30
    # Three bids, each sent twice: in one batch both are answered by one message.
    while sum(len(log.receipts) for log in load._receipts()) < 6 and time.monotonic() < deadline_s:
        load._collect(run, 200_000_000, send_on=False)
    assert run.receipts + run.rejections == len(run.latencies_ns) == 3
    assert load.verify() == run.receipts > 0
