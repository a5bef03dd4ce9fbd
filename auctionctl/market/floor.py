"""The house's side of one auction under a virtual clock: the rules, and nothing else.

Rule: every bid goes through ``decide`` and ``apply`` of :class:`~auctionctl.auction.auction.Auction`, and deadlines
that have passed run before it, as in a house (DESIGN.md section 6). Bidders are 32 bytes that stand for a key; nobody
signs, and nothing is kept but the state. Times are nanoseconds of the virtual clock, amounts minor units.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.rejection import Refusal
from auctionctl.auction.terms import ReserveOpening, Terms
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.listing import Entropy, LotDescription, describe_terms

_DOMAIN: Final = b"auctionctl/market/v1\0"
_SALT: Final = bytes(32)


@lru_cache(maxsize=4_096)
def stand_in(name: str) -> bytes:
    """What stands for the signing key of whoever is called ``name``: 32 bytes, the same in every run."""
    return hashlib.sha256(_DOMAIN + name.encode()).digest()


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """The terms of a lot under keys of nobody's, and the opening of their reserve, which the market knows itself."""

    terms: Terms
    reserve: ReserveOpening | None


def terms_of(lot: LotDescription) -> MarketTerms:
    """The terms that ``lot`` describes. Raises TermsError for a reserve that is no amount."""
    escrow = SecretKey(_SALT).escrow_public
    # Names of bidders have no NUL, so that none of them is the house or the seller.
    house, seller = stand_in("\0house"), stand_in("\0seller")
    terms = describe_terms(lot, house, escrow, seller, Entropy(bytes(16), _SALT, _SALT))
    reserve = None if lot.reserve_minor is None else ReserveOpening(lot.reserve_minor, _SALT)
    return MarketTerms(terms, reserve)


class Floor:
    """One auction, from ``now_ns`` on. ``auction`` may be looked at, and is changed by the methods here alone."""

    __slots__ = ("_currency", "_house", "_id", "_reserve", "auction")

    def __init__(self, auction_id: bytes, terms: MarketTerms, now_ns: int) -> None:
        self.auction = Auction(auction_id, terms.terms, now_ns)
        self._id = auction_id
        self._reserve = terms.reserve
        self._house = terms.terms.house
        self._currency = terms.terms.rules.currency

    def admit(self, bidder: bytes, now_ns: int) -> Refusal | None:
        """``bidder`` joins, with the reputation that the terms ask for; why the rules refuse that, or None."""
        auction = self.auction
        ppm = auction.terms.rules.min_reputation_ppm
        join = Join(self._house, self._id, bidder, bytes(16), now_ns, now_ns, ppm)
        refusal = auction.decide_join(join, now_ns)
        if refusal is None:
            auction.apply_join(join, now_ns)
        return refusal

    def run_until(self, now_ns: int) -> None:
        """Have every deadline run out that has come by ``now_ns``, each at its own time."""
        auction = self.auction
        # What follows the end of bidding is the payment, and nobody pays here.
        while auction.outcome is None and (timer_ns := auction.get_timer()) is not None and timer_ns <= now_ns:
            event = auction.due(timer_ns, self._reserve)
            assert event is not None, "a timer that has come brings something about"
            auction.apply(event, timer_ns)

    def bid_of(self, bidder: bytes, seq: int, amount_minor: int, now_ns: int, not_after_ns: int) -> Bid:
        """What ``bidder`` would sign at ``now_ns``, in the currency of the terms."""
        return Bid(self._house, self._id, bidder, seq, amount_minor, self._currency, now_ns, not_after_ns)

    def judge(self, bid: Bid, now_ns: int) -> Refusal | None:
        """``bid`` comes in; why the rules refuse it, or None: then it leads.

        Whatever was due by ``now_ns`` has been seen to by :meth:`run_until`.
        """
        refusal = self.auction.decide_bid(bid, now_ns)
        if refusal is None:
            self.auction.apply_bid(bid, now_ns)
        return refusal
