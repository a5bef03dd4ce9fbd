"""Faults on top of faults: an outage that a restart must not forget, a log that must not be sold twice, a flood."""

from __future__ import annotations

import os
import signal
import sqlite3
import time

from house_clients import all_join, bid_against_each_other, check_promises
from house_process import lot, until

from auctionctl.auction.events import Gap
from auctionctl.tlog.entry import Kind
from auctionctl.wire.messages import List, Read, encode

NAMES = ("ann", "ben")
DURATION_NS = 3 * 10**9


def test_time_without_a_gateway_is_a_gap_even_if_the_house_dies_before_there_is_another(start_house, bidder_of):
    lots = [lot("vase", duration_ns=DURATION_NS)]
    house = start_house(NAMES, lots)
    auction = house.auctions["vase"]
    bidders = [bidder_of(name, house) for name in NAMES]
    all_join(bidders, [auction])
    bidders[0].settle(bidders[0].bid(auction, 100))
    end_ns = bidders[0].auction(auction).end_ns
    house.process.send_signal(signal.SIGSTOP)  # Nobody starts another gateway.
    os.kill(house.pids["gateway"], signal.SIGKILL)
    lost_ns = time.time_ns()
    until(lambda: time.time_ns() > end_ns + 10**9, "the end to pass with nobody able to bid")
    os.kill(house.pids["house"], signal.SIGKILL)
    house.process.send_signal(signal.SIGCONT)
    house.await_report("Serving", number=2)
    witness = bidder_of("ben", house)
    witness.greet()
    witness.run_until(lambda: any(isinstance(each.fact, Gap) for each in witness.applied(auction)), "the gap")
    (gap,) = [each.fact for each in witness.applied(auction) if isinstance(each.fact, Gap)]
    assert gap.since_ns <= lost_ns + 10**9 < end_ns < gap.until_ns
    assert witness.auction(auction).outcome is None
    assert witness.auction(auction).end_ns == end_ns + gap.until_ns - gap.since_ns


def test_a_lot_whose_log_does_not_verify_is_not_sold_a_second_time(start_house, bidder_of, tmp_path):
    lots = [lot("vase"), lot("lamp")]
    house = start_house(NAMES, lots)
    auction = house.auctions["vase"]
    bidders = [bidder_of(name, house) for name in NAMES]
    all_join(bidders, [auction])
    bidders[0].settle(bidders[0].bid(auction, 100))
    for bidder in bidders:
        bidder.close()
    assert house.signal(signal.SIGTERM) == 0
    name = f"auction/{auction.hex()}"
    with sqlite3.connect(tmp_path / "state/logs.sqlite3") as database:
        (log,) = database.execute("SELECT id FROM logs WHERE name = ?", (name,)).fetchone()
        (data,) = database.execute("SELECT data FROM entries WHERE log = ? AND idx = 4", (log,)).fetchone()
        damaged = data[:8] + bytes([data[8] ^ 1]) + data[9:]
        database.execute("UPDATE entries SET data = ? WHERE log = ? AND idx = 4", (damaged, log))
    database.close()
    again = start_house(NAMES, lots)
    assert list(again.auctions) == ["lamp"], "the vase stands still, the lamp goes on"
    assert again.await_report("Quarantined")["log"] == name


def test_a_state_is_not_served_under_the_key_of_another_house(start_house):
    house = start_house(NAMES, [lot("vase")])
    assert list(house.auctions) == ["vase"]
    assert house.signal(signal.SIGTERM) == 0
    other = start_house(NAMES, [lot("vase")], seed="69" * 32)
    assert other.wait() == 1
    ended = other.await_report("Ended")
    assert (ended["error"], ended["message"]) == (
        "ConfigurationError",
        "the state is that of another house, under another key",
    )
    again = start_house(NAMES, [lot("vase")])
    assert again.auctions == house.auctions, "nothing was written meanwhile"


def test_a_reader_that_asks_without_end_moves_no_deadline_and_keeps_nobody_from_bidding(
    start_house, bidder_of, raw_session_of
):
    house = start_house((*NAMES, "eve=observer"), [lot("vase")])
    auction = house.auctions["vase"]
    bidders = [bidder_of(name, house) for name in NAMES]
    all_join(bidders, [auction])
    bid_against_each_other(bidders, [auction], lambda: len(bidders[0].log(auction)) > 100, "a log worth reading")
    eve = raw_session_of("eve", house)
    eve.greet("observer")
    questions = [encode(Read(auction, 0)), encode(List(0))]
    kept = len(bidders[0].kept)

    def flooded() -> bool:
        for number in range(200):
            eve.send(questions[number % 2], b"")
        return len(bidders[0].kept) > kept + 20

    bid_against_each_other(bidders, [auction], flooded, "receipts under the flood")
    until(lambda: getattr(eve.receive(), "code", "") == "busy", "her to be told that she asks too much")
    assert check_promises(bidders, auction) == []
    assert Kind.GAP not in {entry.kind for entry in bidders[0].log(auction)}
