"""A snapshot is what the rules have come to at one moment, seen by one bidder."""

from __future__ import annotations

import hashlib

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.events import Opened
from auctionctl.auction.increments import Fixed
from auctionctl.auction.phase import EndReason, Phase
from auctionctl.auction.price import Money
from auctionctl.auction.terms import SECOND_NS
from auctionctl.client.snapshot import snapshot_of
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.listing import Entropy, LotDescription, describe_terms

ANN, BEN, HOUSE = (hashlib.sha256(name).digest() for name in (b"ann", b"ben", b"house"))
LOT = LotDescription("vase", "A vase", "EUR", 1_000, increment=Fixed(100), duration_ns=60 * SECOND_NS, min_bidders=1)


def announced() -> Auction:
    entropy = Entropy(bytes(16), bytes(32), bytes(32))
    terms = describe_terms(LOT, HOUSE, SecretKey(bytes(32)).escrow_public, bytes(32), entropy)
    return Auction(bytes(range(32)), terms, 0)


def opened() -> Auction:
    auction = announced()
    for bidder in (ANN, BEN):
        auction.apply_join(Join(HOUSE, auction.id, bidder, bytes(16), 0, 0), 0)
    auction.apply(Opened(), 0)
    auction.apply_bid(Bid(HOUSE, auction.id, ANN, 1, 1_200, "EUR", 1, 1), 1)
    return auction


def test_before_the_opening_there_is_a_least_bid_and_no_price() -> None:
    seen = snapshot_of(announced(), ANN)
    assert (seen.listing, seen.title, seen.phase) == ("vase", "A vase", Phase.ANNOUNCED)
    assert (seen.price, seen.leader, seen.is_ours, seen.end_reason) == (None, None, False, None)
    assert seen.minimum == Money(1_000, "EUR")
    assert (seen.bid_count, seen.bidder_count, seen.log_size) == (0, 0, 1)


def test_an_open_one_shows_who_leads_to_each_its_own_way() -> None:
    auction = opened()
    ours, theirs = snapshot_of(auction, ANN), snapshot_of(auction, BEN)
    assert (ours.is_ours, theirs.is_ours) == (True, False)
    assert (ours.price, ours.minimum) == (Money(1_200, "EUR"), Money(1_300, "EUR"))
    assert (ours.leader, ours.end_ns, ours.bid_count, ours.bidder_count) == (ANN, 60 * SECOND_NS, 1, 2)


def test_one_that_has_ended_shows_the_sale_and_no_least_bid() -> None:
    auction = opened()
    event = auction.due(auction.end_ns, None)
    assert event is not None
    auction.apply(event, auction.end_ns)
    seen = snapshot_of(auction, ANN)
    assert (seen.phase, seen.end_reason, seen.minimum) == (Phase.CLOSED, EndReason.COMPLETED, None)
    assert (seen.price, seen.is_ours) == (Money(1_200, "EUR"), True)
