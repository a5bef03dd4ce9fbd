"""What one auction says about each bidder, once nothing can follow: the evidence behind reputations.

Rule: everything but ``invalid`` follows from the auction's log alone, so that anybody recomputes it; bids that were
refused are in no log, and their number is the house's word. What counts is that a bidder stood by its bids in an
auction, not how many it made: bids are cheap, and whoever bids in small steps is not the more reliable for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

import msgspec

from auctionctl.auction.auction import Auction
from auctionctl.auction.events import Closed
from auctionctl.auction.phase import Stage
from auctionctl.auction.rules import Key

MAX_COUNT: Final = 1_000_000
MAX_DEEDS: Final = 100
"""How many bidders one entry of the registry speaks of: it stays far below the bound of an entry."""

Flag = Annotated[int, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]

NO_BIDS: Final[Mapping[bytes, int]] = MappingProxyType({})


class Deeds(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One bidder (signing key) in one auction.

    ``stood``: it bid, and stood by that until bidding closed and after. ``won``: it bought the lot, at the close or by
    accepting an offer. ``paid``: its payment was settled. ``defaulted``: it did not pay in time. ``left``: how often it
    left while it led. ``invalid``: how many of its bids the rules refused by its own fault, as the house counted.
    """

    bidder: Key
    stood: Flag
    won: Flag
    paid: Flag
    defaulted: Flag
    left: Count
    invalid: Count

    @property
    def is_consistent(self) -> bool:
        """Whether it says anything, and nothing that excludes itself."""
        says = self.stood or self.won or self.left or self.invalid
        return bool(says) and self.paid + self.defaulted <= self.won and self.stood + self.defaulted <= 1


def deeds_of(auction: Auction, invalid: Mapping[bytes, int] = NO_BIDS) -> tuple[Deeds, ...]:
    """What ``auction``, which is final, says of every bidder of whom there is something to say, by signing key.

    ``invalid`` is how many bids of each were refused by its fault. In an auction that was called off nobody was held to
    its bids: nobody stood by them.
    """
    assert auction.is_final
    outcome, settlement = auction.outcome, auction.settlement
    has_closed = isinstance(outcome, Closed)
    winner = outcome.winner if isinstance(outcome, Closed) else None
    buyers = settlement.buyers if settlement is not None else frozenset(filter(None, (winner,)))
    defaulters = settlement.defaulters if settlement is not None else frozenset[bytes]()
    is_settled = settlement is not None and settlement.stage is Stage.SETTLED
    payer = settlement.debtor if settlement is not None and is_settled else None
    concerned = {*auction.seqs, *auction.left_leading, *invalid}
    deeds = (
        Deeds(
            bidder,
            stood=int(has_closed and bidder in auction.seqs and bidder not in defaulters),
            won=int(bidder in buyers),
            paid=int(bidder == payer),
            defaulted=int(bidder in defaulters),
            left=min(MAX_COUNT, auction.left_leading.get(bidder, 0)),
            invalid=min(MAX_COUNT, invalid.get(bidder, 0)),
        )
        for bidder in sorted(concerned)
    )
    return tuple(each for each in deeds if each.is_consistent)


def without_invalid(deeds: tuple[Deeds, ...]) -> tuple[Deeds, ...]:
    """``deeds`` as far as the auction's log can bear them out."""
    known = (msgspec.structs.replace(each, invalid=0) for each in deeds)
    return tuple(each for each in known if each.is_consistent)
