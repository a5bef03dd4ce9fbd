"""SIGSTOP of each process in the middle of bidding: nothing is lost, and a gap is there exactly where one is due."""

from __future__ import annotations

import os
import signal
import time

import pytest
from bidder_process import BidderDaemon, Desk
from house_clients import all_join, bid_against_each_other, check_promises
from house_process import lot

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.gaps import RECONNECT_GRACE_NS
from auctionctl.net.ways import BEAT_NS, HUNG_NS
from auctionctl.tlog.entry import Kind

NAMES = ("ann", "ben")
LISTINGS = ("vase", "lamp")
LEEWAY_NS = SECOND_NS // 2
"""From a beat to the next one and to when it is heard, on a machine with much to do."""


@pytest.fixture
def bidding(start_house, bidder_of):
    """A house with bidders who have receipts, and its auctions: starts with the number of verifiers."""

    def begin(verifiers: int = 2, **changes: int):
        house = start_house((*NAMES, "cleo"), [lot(name, **changes) for name in LISTINGS], verifiers=verifiers)
        bidders = [bidder_of(name, house) for name in NAMES]
        auctions = list(house.auctions.values())
        all_join(bidders, auctions)
        bid_on(bidders, auctions)
        return house, bidders, auctions

    return begin


def bid_on(bidders, auctions, receipts: int = 5) -> None:
    """Until each has so many receipts more."""
    wanted = [len(bidder.kept) + receipts for bidder in bidders]
    bid_against_each_other(
        bidders,
        auctions,
        lambda: all(len(bidder.kept) >= least for bidder, least in zip(bidders, wanted, strict=True)),
        "receipts",
    )


def stop(pid: int, seconds: float, bidders, auctions) -> tuple[int, int]:
    """SIGSTOP, everybody bids on as they can, SIGCONT: from when it stood still, and when it may have gone on first."""
    os.kill(pid, signal.SIGSTOP)
    since_ns = time.time_ns()
    try:
        until_ns = since_ns + int(seconds * SECOND_NS)
        bid_against_each_other(bidders, auctions, lambda: time.time_ns() >= until_ns, "time to pass")
    finally:
        goes_on_ns = time.time_ns()
        os.kill(pid, signal.SIGCONT)
    return since_ns, goes_on_ns


@pytest.mark.parametrize("seconds", [1.5, 5.0])
def test_a_house_that_stands_still_has_a_gap_as_long_as_that_and_loses_nothing(bidding, seconds):
    house, bidders, auctions = bidding()
    since_ns, until_ns = stop(house.pids["house"], seconds, bidders, auctions)
    bid_on(bidders, auctions)
    for auction in auctions:
        (gap,) = check_promises(bidders, auction)
        assert gap.cause == "stalled"
        assert gap.since_ns <= since_ns + LEEWAY_NS
        assert until_ns - LEEWAY_NS <= gap.until_ns <= until_ns + LEEWAY_NS
    house.hear()
    assert house.count("Restarted") == 0, "nobody has ended it for that"


@pytest.mark.parametrize("seconds", [2.0, 5.0])
def test_a_gateway_that_stands_still_has_a_gap_from_its_last_beat_on_and_its_sessions_stay(bidding, seconds):
    house, bidders, auctions = bidding()
    greetings = [bidder.core.greetings for bidder in bidders]
    since_ns, until_ns = stop(house.pids["gateway"], seconds, bidders, auctions)
    bid_on(bidders, auctions)
    for auction in auctions:
        (gap,) = check_promises(bidders, auction)
        assert gap.cause == "gateway_lost"
        assert since_ns - BEAT_NS - LEEWAY_NS <= gap.since_ns <= since_ns + LEEWAY_NS
        assert until_ns <= gap.until_ns - RECONNECT_GRACE_NS <= until_ns + LEEWAY_NS
        assert Kind.LEFT not in {entry.kind for entry in bidders[0].log(auction)}
    assert [bidder.core.greetings for bidder in bidders] == greetings
    house.hear()
    assert house.count("Restarted") == 0


def test_an_auction_does_not_end_while_its_gateway_stands_still(bidding):
    house, bidders, auctions = bidding(duration_ns=4 * SECOND_NS)
    end_ns = min(bidders[0].auction(auction).end_ns for auction in auctions)
    bid_against_each_other(bidders, auctions, lambda: time.time_ns() > end_ns - 2 * SECOND_NS, "the last two seconds")
    stop(house.pids["gateway"], 5.0, bidders, auctions)
    bid_against_each_other(
        bidders, auctions, lambda: all(b.auction(a).outcome for b in bidders for a in auctions), "the ends"
    )
    for auction in auctions:
        gaps = check_promises(bidders, auction)
        assert [gap.cause for gap in gaps] == ["gateway_lost"]
        state = bidders[0].auction(auction)
        assert bidders[0].log(auction)[-1].time_ns >= state.end_ns > end_ns + 5 * SECOND_NS


def test_the_only_verifier_standing_still_keeps_bids_away_as_a_gateway_would(bidding):
    house, bidders, auctions = bidding(verifiers=1)
    since_ns, until_ns = stop(house.pids["verifier 0"], 2.0, bidders, auctions)
    bid_on(bidders, auctions)
    for auction in auctions:
        (gap,) = check_promises(bidders, auction)
        assert gap.cause == "gateway_lost"
        assert gap.since_ns <= since_ns + LEEWAY_NS
        assert until_ns <= gap.until_ns


def test_one_verifier_of_two_standing_still_loses_nothing_and_is_no_gap(bidding):
    house, bidders, auctions = bidding()
    for slot in range(2):
        stop(house.pids[f"verifier {slot}"], 3.0, bidders, auctions)
        bid_on(bidders, auctions)
    for auction in auctions:
        assert check_promises(bidders, auction) == []
    house.hear()
    assert house.count("Restarted") == 0


def test_a_bidder_that_stands_still_goes_on_afterwards_and_moves_no_deadline(bidding, stack, tmp_path):
    house, bidders, auctions = bidding()
    cleo = BidderDaemon(Desk(tmp_path / "desk", house, ("cleo",)), "cleo")
    stack.callback(cleo.close)
    cleo.await_receipts(3)
    stop(cleo.process.pid, 5.0, bidders, auctions)
    before = len(cleo.receipts())
    bid_against_each_other(bidders, auctions, lambda: len(cleo.receipts()) > before, "a receipt of the one that stood")
    assert cleo.process.poll() is None
    for auction in auctions:
        assert check_promises(bidders, auction) == []
        name = auction.hex().encode()
        proofs = [proof for proof in cleo.receipts() if proof.checkpoint_note.split(b"\n")[0].endswith(name)]
        last = max(proof.index for proof in proofs)
        bidders[0].run_until(lambda auction=auction, last=last: len(bidders[0].log(auction)) > last, "its last receipt")
        applied = bidders[0].log(auction)
        for proof in proofs:
            assert proof.extra.endswith(applied[proof.index].signature)


def test_a_gateway_that_never_moves_again_is_replaced_and_all_goes_on(bidding):
    house, bidders, auctions = bidding()
    since_ns = time.time_ns()
    os.kill(house.pids["gateway"], signal.SIGSTOP)
    restarted = house.await_report("Restarted")
    assert time.time_ns() - since_ns > HUNG_NS - BEAT_NS
    assert restarted["cause"] == "SIGKILL"
    bid_on(bidders, auctions)
    for auction in auctions:
        gaps = check_promises(bidders, auction)
        assert {gap.cause for gap in gaps} == {"gateway_lost"}
        assert sum(gap.until_ns - gap.since_ns for gap in gaps) > HUNG_NS
