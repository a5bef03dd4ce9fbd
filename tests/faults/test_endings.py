"""A house that is ended in the middle of a flood: whatever it accepted, its bidder has the receipt of (DESIGN.md 1)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable

import pytest
from house_clients import all_join, bid_against_each_other, check_promises
from house_process import HouseInProcesses, lot

from auctionctl.store.sqlite import SqliteStore
from auctionctl.tlog.entry import Kind, decode

NAMES = ("ann", "ben", "cleo")
LISTINGS = [f"lot-{number}" for number in range(10)]
RECEIPTS = 60


def bids_in_store(house: HouseInProcesses, auctions: Iterable[bytes]) -> dict[bytes, int]:
    """Every bid in the store of a house that has ended: its bytes → its index."""
    store = SqliteStore(house.directory / "state")
    try:
        logs = [[decode(data) for data in store.read(f"auction/{auction.hex()}")] for auction in auctions]
    finally:
        store.close()
    return {entry.body: index for log in logs for index, entry in enumerate(log) if entry.kind is Kind.BID}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_bid_is_accepted_without_its_receipt_when_a_signal_comes_in_a_flood(start_house, bidder_of, number):
    house = start_house(NAMES, [lot(listing) for listing in LISTINGS])
    bidders = [bidder_of(name, house) for name in NAMES]
    auctions = list(house.auctions.values())
    all_join(bidders, auctions)
    joinings = {command for bidder in bidders for command in bidder.kept}
    was_sent: list[int] = []

    def has_ended() -> bool:
        """Nobody stops bidding when the signal comes."""
        if not was_sent and sum(len(bidder.kept) for bidder in bidders) > len(joinings) + RECEIPTS:
            house.process.send_signal(number)
            was_sent.append(number)
        return house.process.poll() is not None

    bid_against_each_other(bidders, auctions, has_ended, "the end of the house")
    for bidder in bidders:
        # libzmq hands over all that has arrived before it says that the connection is gone.
        bidder.run_until(lambda b=bidder: not b.dealer._is_connected, "the end of the connection")
        bidder.turn()
    assert house.wait() == 0
    assert not (house.directory / "state/logs.sqlite3-wal").exists(), "the store was left with a checkpoint"
    receipted = {
        bidder._sent[command].body: kept.receipt.index
        for bidder in bidders
        for command, kept in bidder.kept.items()
        if command not in joinings
    }
    assert bids_in_store(house, auctions) == receipted
    assert any(bidder.core.unanswered for bidder in bidders), "it was ended in the middle"
    again = start_house(port=house.address.port)
    assert set(again.auctions.values()) == set(auctions)
    for bidder in bidders:
        bidder.run_until(lambda b=bidder: b.core.is_welcome and not b.core.unanswered, "answers to all the rest")
    assert {gap.cause for auction in auctions for gap in check_promises(bidders, auction)} == {"restart"}
    assert not house.stderr


def test_a_second_signal_ends_the_house_at_once(start_house):
    house = start_house(NAMES, [lot("vase")])
    house.await_report("Serving")
    os.kill(house.pids["gateway"], signal.SIGSTOP)  # it cannot be drained: the first signal waits for it
    house.process.send_signal(signal.SIGTERM)
    house.await_report("Draining")
    assert house.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    house.await_all_gone()


def test_a_gateway_that_stands_still_does_not_keep_the_house_from_ending(start_house):
    house = start_house(NAMES, [lot("vase")])
    house.await_report("Serving")
    os.kill(house.pids["gateway"], signal.SIGSTOP)
    assert house.signal(signal.SIGTERM) == 0
    house.await_all_gone()
