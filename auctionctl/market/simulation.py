"""Many markets under one plan, and what they come to: revenue, efficiency, surplus, bids, and price over value.

Rule: everything is summed in integers, market by market, in the order of their numbers; an interval counts markets, not
lots, as independent (:mod:`auctionctl.market.statistics`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from auctionctl.market.market import HeldAuction, Market
from auctionctl.market.plan import BidderGroup, MarketPlan
from auctionctl.market.statistics import Mean, Quotient


@dataclass(slots=True)
class GroupResult:
    """What one group of bidders has come to. Means are over markets, of the sum over its bidders and lots."""

    group: BidderGroup
    wins: int = 0
    bids: int = 0
    rejected: int = 0
    surplus: Mean = field(default_factory=Mean)
    spent: Mean = field(default_factory=Mean)


@dataclass(slots=True)
class Simulation:
    """What the markets of ``plan`` have come to so far. Means are over markets, of the sum over their lots.

    ``efficiency`` is what the lots are worth to their winners, over what they are worth to whoever values them most;
    ``price_over_value`` is the prices over what the lots are worth to their winners. ``best_won`` counts the lots that
    went to a bidder to whom none is worth more.
    """

    plan: MarketPlan
    groups: list[GroupResult]
    markets: int = 0
    auctions: int = 0
    sold: int = 0
    best_won: int = 0
    revenue: Mean = field(default_factory=Mean)
    surplus: Mean = field(default_factory=Mean)
    bids: Mean = field(default_factory=Mean)
    rejected: Mean = field(default_factory=Mean)
    efficiency: Quotient = field(default_factory=Quotient)
    price_over_value: Quotient = field(default_factory=Quotient)

    def add(self, market: Market) -> None:
        """One more market, which has been held."""
        held = market.held
        sold = [each for each in held if each.bidder is not None]
        revenue_minor = sum(each.price_minor or 0 for each in sold)
        value_minor = sum(each.value_minor or 0 for each in sold)
        self.markets += 1
        self.auctions += len(held)
        self.sold += len(sold)
        self.best_won += sum(each.value_minor == each.highest_value_minor for each in sold)
        self.revenue.add(revenue_minor)
        self.surplus.add(value_minor - revenue_minor)
        self.bids.add(sum(each.bids for each in held))
        self.rejected.add(sum(each.rejected for each in held))
        self.efficiency.add(value_minor, sum(each.highest_value_minor for each in held))
        self.price_over_value.add(revenue_minor, value_minor)
        self._add_groups(market, sold)

    def _add_groups(self, market: Market, sold: list[HeldAuction]) -> None:
        first = 0
        for result in self.groups:
            last = first + result.group.count
            won = [each for each in sold if each.bidder is not None and first <= each.bidder < last]
            spent_minor = sum(each.price_minor or 0 for each in won)
            result.wins += len(won)
            result.spent.add(spent_minor)
            result.surplus.add(sum(each.value_minor or 0 for each in won) - spent_minor)
            for places in market.places:
                for place in places[first:last]:
                    result.bids += place.bids
                    result.rejected += place.rejected
            first = last


PROGRESS_STEPS: Final = 200
"""How often progress is told, at the most: to tell it is slower than a small market."""

Progress = Callable[[int, int], None]
"""(auctions held, of how many)."""
Keep = Callable[[HeldAuction], None]
"""Told of every auction, in order."""


def simulate(plan: MarketPlan, progress: Progress, keep: Keep | None = None, recorded: int = 0) -> Simulation:
    """Hold every market of ``plan``; the paths of the first ``recorded`` markets are kept for ``keep``."""
    simulation = Simulation(plan, [GroupResult(group) for group in plan.groups])
    total = plan.markets * plan.lots
    stride = max(1, plan.markets // PROGRESS_STEPS)
    for number in range(plan.markets):
        market = Market(plan, number, is_recorded=number < recorded)
        market.run()
        simulation.add(market)
        if keep is not None:
            for held in market.held:
                keep(held)
        market.dissolve()
        if simulation.markets % stride == 0 or simulation.markets == plan.markets:
            progress(simulation.auctions, total)
    return simulation
