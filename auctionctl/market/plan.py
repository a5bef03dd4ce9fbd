"""What a market is made of: the lot, who bids for it and how, and how often all of it is done. Data, and no more.

Rule: whoever makes a plan has checked it; amounts are minor units of the lot's currency, times nanoseconds.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from auctionctl.bidding.strategy import Strategy
from auctionctl.market.floor import MarketTerms
from auctionctl.market.values import Values

StrategyMaker = Callable[[int], Strategy]
"""Makes the strategy for one auction, from what the lot is worth to its bidder as far as that knows."""


class Order(enum.StrEnum):
    """How the lots of one market follow one another."""

    SEQUENTIAL = "sequential"
    CONCURRENT = "concurrent"


def names_of(group: str, count: int) -> list[str]:
    """What the bidders of a group are called."""
    return [group] if count == 1 else [f"{group}-{number}" for number in range(1, count + 1)]


@dataclass(frozen=True, slots=True)
class BidderGroup:
    """``count`` bidders who bid alike, each with ``budget_minor`` over the lots of a market.

    A message takes ``latency_ns`` to the house, and as long back. ``reaction_ns`` are the least and the longest time
    from news to what is done about it. What a bidder believes a lot to be worth differs from its value by as much as
    ``noise_minor`` either way.
    """

    name: str
    strategy: str
    make: StrategyMaker
    count: int
    budget_minor: int
    reaction_ns: tuple[int, int]
    latency_ns: int
    noise_minor: int = 0
    values: Values | None = None
    """Their own, where they have others than the rest."""

    def names(self) -> list[str]:
        """What its bidders are called."""
        return names_of(self.name, self.count)


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """``auctions`` are held in all, ``lots`` in each market: with one wallet a bidder, and a new one in the next."""

    terms: MarketTerms
    values: Values
    groups: tuple[BidderGroup, ...]
    auctions: int
    lots: int
    order: Order
    seed: int

    @property
    def markets(self) -> int:
        """How many markets that makes; the last one has all its lots, too."""
        return -(-self.auctions // self.lots)

    @property
    def bidders(self) -> int:
        """How many bidders there are."""
        return sum(group.count for group in self.groups)
