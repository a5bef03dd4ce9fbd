"""A disk that fills up in the middle of bidding, for real: a small file system of its own under a house's state."""

from __future__ import annotations

import time

import pytest
from house_clients import all_join, bid_against_each_other, check_promises
from house_process import lot
from small_disk import SmallDisk, mounted

from auctionctl.auction.terms import SECOND_NS
from auctionctl.store.state_directory import BALLAST_BYTES
from auctionctl.wire.messages import Refused

NAMES = ("ann", "ben")
REFUSALS = 3


@pytest.fixture
def disk(stack, tmp_path) -> SmallDisk:
    return mounted(tmp_path / "state", stack)


def refusals(bidders) -> list[Refused]:
    """Those for want of room, of all of them."""
    notices = [notice for bidder in bidders for notice in bidder.notices]
    return [each for each in notices if isinstance(each, Refused) and each.code == "store_full"]


def test_on_a_full_disk_nothing_is_accepted_and_nothing_lost_and_bidding_goes_on_when_there_is_room(
    disk, start_house, bidder_of
):
    house = start_house(NAMES, [lot("vase"), lot("lamp")])
    bidders = [bidder_of(name, house) for name in NAMES]
    auctions = list(house.auctions.values())
    all_join(bidders, auctions)
    bid_against_each_other(bidders, auctions, lambda: all(len(b.kept) > 10 for b in bidders), "receipts")

    def is_full() -> bool:
        """Until whoever does not lead is refused; the ballast that the house gives back goes the same way."""
        disk.fill()
        house.hear()
        return len(refusals(bidders)) >= REFUSALS

    bid_against_each_other(bidders, auctions, is_full, "refusals for want of room")
    kept, refused = [len(bidder.kept) for bidder in bidders], len(refusals(bidders))
    bid_against_each_other(
        bidders, auctions, lambda: len(refusals(bidders)) >= refused + REFUSALS, "more refusals, whatever is tried"
    )
    assert [len(bidder.kept) for bidder in bidders] == kept, "nothing was accepted"
    assert all(refusal.retry_after_ns for refusal in refusals(bidders))
    assert house.await_report("StoreFull")["released_bytes"] == BALLAST_BYTES
    for auction in auctions:
        check_promises(bidders, auction)

    waiting = {command for bidder in bidders for command in bidder.core.unanswered}
    disk.make_room()
    bid_against_each_other(
        bidders,
        auctions,
        lambda: all(len(b.kept) > least + 5 for b, least in zip(bidders, kept, strict=True)),
        "receipts again",
    )
    answered = {command for bidder in bidders for command in (*bidder.kept, *bidder.codes)}
    assert waiting
    assert waiting <= answered, "the same bytes, of which nothing had been written"
    for auction in auctions:
        check_promises(bidders, auction)
    house.hear()
    assert house.count("Restarted") == 0


def test_an_auction_whose_end_passes_while_the_disk_is_full_goes_on_when_there_is_room(disk, start_house, bidder_of):
    house = start_house(NAMES, [lot("vase", duration_ns=6 * SECOND_NS)])
    bidders = [bidder_of(name, house) for name in NAMES]
    auction = house.auctions["vase"]
    all_join(bidders, [auction])
    bid_against_each_other(bidders, [auction], lambda: all(len(b.kept) > 3 for b in bidders), "receipts")
    end_ns = bidders[0].auction(auction).end_ns

    def is_over() -> bool:
        disk.fill()
        return bool(refusals(bidders)) and time.time_ns() > end_ns + SECOND_NS

    bid_against_each_other(bidders, [auction], is_over, "the end to pass on a full disk")
    kept = [len(bidder.kept) for bidder in bidders]
    disk.make_room()
    bid_against_each_other(
        bidders,
        [auction],
        lambda: all(len(b.kept) > least for b, least in zip(bidders, kept, strict=True)),
        "receipts after the end that was",
    )
    assert {gap.cause for gap in check_promises(bidders, auction)} == {"stalled"}
    assert bidders[0].auction(auction).end_ns > end_ns + SECOND_NS
