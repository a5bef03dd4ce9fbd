"""Auctions in every state, made by the rules themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.commands import Offer
from auctionctl.auction.events import Opened
from auctionctl.auction.rules import PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.listing import Entropy, LotDescription, describe_terms

NO_PAYMENT = PaymentRules()
START_NS = 1_700_000_000 * SECOND_NS
HOUSE = SecretKey(bytes([1]) * 32)
ALICE = SecretKey(bytes([2]) * 32).identity.signing
BOB = SecretKey(bytes([3]) * 32).identity.signing


@dataclass
class Sale:
    """An auction of 60 s with a soft close of 10 s, for two bidders; ``now_ns`` is moved by the test."""

    lot: LotDescription
    now_ns: int = START_NS
    auction: Auction = field(init=False)

    def __post_init__(self) -> None:
        entropy = Entropy(bytes(16), bytes(32), bytes(32))
        house = HOUSE.identity.signing
        terms = describe_terms(self.lot, house, HOUSE.escrow_public, house, entropy)
        self.auction = Auction(bytes([7]) * 32, terms, START_NS)

    def open(self) -> Sale:
        for bidder in (ALICE, BOB):
            join = Join(self.auction.terms.house, self.auction.id, bidder, bytes(16), self.now_ns, self.now_ns)
            self.auction.apply_join(join, self.now_ns)
        self.auction.apply(Opened(), self.now_ns)
        return self

    def bid(self, bidder: bytes, minor: int) -> Sale:
        seq = self.auction.seqs.get(bidder, 0) + 1
        bid = Bid(self.auction.terms.house, self.auction.id, bidder, seq, minor, "EUR", self.now_ns, self.now_ns)
        assert self.auction.decide_bid(bid, self.now_ns) is None
        self.auction.apply_bid(bid, self.now_ns)
        return self

    def close(self) -> Sale:
        self.now_ns = self.auction.get_timer() or self.now_ns
        event = self.auction.due(self.now_ns, None)
        assert event is not None
        self.auction.apply(event, self.now_ns)
        return self

    def offer(self) -> Sale:
        """To whoever is next, after a default."""
        auction = self.auction
        assert auction.settlement is not None
        assert auction.settlement.next_bidder is not None
        bidder, bid = auction.settlement.next_bidder
        stamp = (auction.terms.house, auction.id, auction.terms.seller, bytes(16), self.now_ns, self.now_ns)
        offer = Offer(*stamp, bidder, bid.amount_minor, "EUR", bid.bid_index)
        assert auction.decide_command(offer, bytes(32), self.now_ns) is None
        auction.apply_command(offer, bytes(32), self.now_ns)
        return self


@pytest.fixture
def sale() -> Callable[..., Sale]:
    def make(title: str = "Gold watch", payment: PaymentRules = NO_PAYMENT) -> Sale:
        lot = LotDescription(
            "gold-watch",
            title,
            "EUR",
            10_000,
            duration_ns=60 * SECOND_NS,
            soft_close_window_ns=10 * SECOND_NS,
            max_extension_ns=60 * SECOND_NS,
            min_bidders=2,
            payment=payment,
        )
        return Sale(lot)

    return make
