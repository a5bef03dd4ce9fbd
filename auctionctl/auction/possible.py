"""Which commands the rules of an auction could accept as things stand, whoever may give them (DESIGN.md section 6).

Rule: what the tables do not allow is not possible, and of what they do, that which has no cause is not either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auctionctl.auction.commands import KINDS

if TYPE_CHECKING:
    from auctionctl.auction.auction import Auction


def possible_commands(auction: Auction) -> tuple[str, ...]:
    """The types of commands that could be accepted in ``auction``."""
    return tuple(name for name, kind in KINDS.items() if auction.allows(kind) and _has_cause(auction, name))


def _has_cause(auction: Auction, name: str) -> bool:
    match name:
        case "cancel":
            return auction.may_cancel
        case "pause":
            return auction.pauses.allows_another()
        case "resume":
            return not auction.pauses.is_by_terms
        case "offer":
            return auction.settlement is not None and auction.settlement.next_bidder is not None
        case _:
            return True
