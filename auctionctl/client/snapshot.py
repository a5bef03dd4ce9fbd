"""An auction as its verified log has it, at one moment: what a program looks at.

Rule: nothing in here is a house's word: all of it was computed from entries that passed the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from auctionctl.auction.auction import Auction
from auctionctl.auction.phase import EndReason, Phase
from auctionctl.auction.price import Money
from auctionctl.auction.terms import Terms


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One auction. Keys and ids are bytes, times the house's, nanoseconds since the Unix epoch.

    ``price`` is what leads, or the price of the sale; ``minimum`` the least acceptable bid, None once it has ended;
    ``end_ns`` the deadline that runs, None where there is none; ``is_ours`` whether we lead, or have won.
    """

    id: bytes
    listing: str
    title: str
    terms: Terms
    phase: Phase
    price: Money | None
    minimum: Money | None
    leader: bytes | None
    is_ours: bool
    bid_count: int
    bidder_count: int
    end_ns: int | None
    end_reason: EndReason | None
    log_size: int


def snapshot_of(auction: Auction, me: bytes) -> Snapshot:
    """``auction`` now, as ``me`` (a signing key) sees it."""
    terms, standing, sale = auction.terms, auction.standing, auction.sale
    held = sale if auction.outcome is not None else standing
    leader = None if held is None else held.leader
    currency = terms.rules.currency
    return Snapshot(
        id=auction.id,
        listing=terms.listing,
        title=terms.lot.title,
        terms=terms,
        phase=auction.phase,
        price=None if held is None else Money(held.price_minor, currency),
        minimum=Money(auction.minimum_minor, currency) if auction.outcome is None else None,
        leader=leader,
        is_ours=leader == me,
        bid_count=auction.bid_count,
        bidder_count=len(auction.present),
        end_ns=auction.get_timer(),
        end_reason=auction.end_reason,
        log_size=auction.size,
    )
