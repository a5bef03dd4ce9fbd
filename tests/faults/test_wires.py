"""A spoiled wire between bidder and house: it comes back by itself, and each bid stands once, with its receipt."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from bidder_process import BidderDaemon, Desk
from house_clients import HonestBidder, all_join, bid_against_each_other, check_promises
from house_process import lot
from tcp_proxy import Cut, Delayed, Swallowed, TcpProxy, Throttled, Whole

from auctionctl.tlog.entry import Kind, encode

NAMES = ("ann", "ben", "cleo")
FAULT_S = 3.0


@pytest.fixture
def wired(start_house, bidder_of, stack):
    """A house, a wire to it, ann at the far end of the wire and ben at the house; both are bidding."""
    house = start_house(NAMES, [lot("vase")])
    proxy = TcpProxy(house.address.port)
    stack.callback(proxy.close)
    ann = HonestBidder("ann", replace(house.address, port=proxy.port))
    stack.callback(ann.close)
    ben = bidder_of("ben", house)
    all_join([ann, ben], house.auctions.values())
    return house, proxy, ann, ben


@pytest.fixture
def cleo(wired, stack, tmp_path):
    """``auctionctl bid`` at the far end of the wire."""
    house, proxy, *_ = wired
    desk = Desk(tmp_path / "desk", house, ("cleo",), replace(house.address, port=proxy.port))
    daemon = BidderDaemon(desk, "cleo")
    stack.callback(daemon.close)
    daemon.await_receipts(1)
    return daemon


def check_receipts(daemon: BidderDaemon, witness: HonestBidder, auction: bytes) -> None:
    """Every receipt on the daemon's disk is an entry of the log at its index, and none of its bids is there twice."""
    receipts = daemon.receipts()
    last = max(proof.index for proof in receipts)
    witness.run_until(lambda: len(witness.log(auction)) > last, "the last of its entries")
    entries = [encode(entry) for entry in witness.log(auction)]
    assert [entries[proof.index] for proof in receipts] == [proof.extra for proof in receipts]
    assert len({proof.index for proof in receipts}) == len(receipts)


def position_of(bidder: HonestBidder, witness: HonestBidder, auction: bytes, command: bytes) -> int | None:
    """Where the witness has seen this command of the bidder's."""
    body = bidder._sent[command].body
    found = [index for index, entry in enumerate(witness.log(auction)) if entry.body == body]
    assert len(found) <= 1, "it stands there twice"
    return found[0] if found else None


@pytest.mark.parametrize(
    "fault", [Cut(), Delayed(0.6), Throttled(1_500.0), Swallowed()], ids=lambda f: type(f).__name__
)
def test_a_bidder_comes_back_by_itself_whatever_its_wire_went_through(wired, cleo, fault):
    house, proxy, _, ben = wired
    auction = house.auctions["vase"]
    rounds = len(cleo.receipts()) + 2
    bid_against_each_other([ben], [auction], lambda: len(cleo.receipts()) >= rounds, "some rounds")
    proxy.set(fault)
    until_s = time.monotonic() + FAULT_S
    bid_against_each_other([ben], [auction], lambda: time.monotonic() > until_s, "the fault to last")
    proxy.set(Whole())
    rounds = len(cleo.receipts()) + 2
    bid_against_each_other([ben], [auction], lambda: len(cleo.receipts()) >= rounds, "more rounds")
    assert cleo.process.poll() is None, "it is the same process"
    check_receipts(cleo, ben, auction)
    assert check_promises([ben], auction) == [], "a bidder's own wire moves no deadline"


def test_a_receipt_that_was_lost_on_the_way_comes_again_for_the_same_bytes_at_the_same_place(wired):
    house, proxy, ann, ben = wired
    auction = house.auctions["vase"]
    proxy.set(Swallowed(towards=False))
    command = ann.bid(auction, 100)

    def seen() -> bool:
        ann.turn(0.002)
        return position_of(ann, ben, auction, command) is not None

    ben.run_until(seen, "ann's bid in the log")
    index = position_of(ann, ben, auction, command)
    assert command not in ann.kept, "and she does not know"
    proxy.set(Cut())
    proxy.set(Whole())
    assert ann.settle(command) == "receipted"
    assert ann.kept[command].receipt.index == index
    assert ben.settle(ben.bid(auction, 200)) == "receipted"
    assert position_of(ann, ben, auction, command) == index
    check_promises([ann, ben], auction)


def test_a_bid_that_was_lost_on_the_way_is_sent_again_and_stands_once(wired):
    house, proxy, ann, ben = wired
    auction = house.auctions["vase"]
    proxy.set(Swallowed(back=False))
    command = ann.bid(auction, 1_000)
    until_s = time.monotonic() + 1.0
    ann.run_until(lambda: time.monotonic() > until_s, "her to try again and again")
    assert ben.settle(ben.bid(auction, 50)) == "receipted"
    assert position_of(ann, ben, auction, command) is None, "none of it got through"
    proxy.set(Cut())
    proxy.set(Whole())
    assert ann.settle(command) == "receipted"
    ben.run_until(lambda: position_of(ann, ben, auction, command) is not None, "her bid in the log")
    check_promises([ann, ben], auction)


def test_a_house_that_is_started_again_while_the_wire_is_cut_is_found_again(wired, cleo):
    house, proxy, _, ben = wired
    auction = house.auctions["vase"]
    for _ in range(2):
        rounds = len(cleo.receipts()) + 2
        bid_against_each_other([ben], [auction], lambda least=rounds: len(cleo.receipts()) >= least, "some rounds")
        proxy.set(Cut())
        house.kill("house")
        ben.run_until(lambda: ben.core.is_welcome and not ben.core.unanswered, "ben to be back")
        proxy.set(Whole())
    rounds = len(cleo.receipts()) + 2
    bid_against_each_other([ben], [auction], lambda: len(cleo.receipts()) >= rounds, "more rounds")
    assert cleo.process.poll() is None, "it is the same process"
    check_receipts(cleo, ben, auction)
    gaps = check_promises([ben], auction)
    assert {gap.cause for gap in gaps} == {"restart"}
    assert Kind.LEFT not in {entry.kind for entry in ben.log(auction)}
