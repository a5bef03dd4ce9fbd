"""Plans to vary, and what was heard on the floor of a market."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auctionctl.auction.increments import Fixed
from auctionctl.auction.price import MAX_MINOR
from auctionctl.bidding import strategies
from auctionctl.market.casting import strategy_maker
from auctionctl.market.floor import terms_of
from auctionctl.market.plan import BidderGroup, MarketPlan, Order
from auctionctl.market.values import Uniform, Values
from auctionctl.wire.listing import LotDescription

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
RANGE = Uniform(0, 10_000)


def group(
    strategy: str = "market-value",
    count: int = 2,
    *,
    name: str = "",
    budget_minor: int = MAX_MINOR,
    reaction_ns: tuple[int, int] = (50 * MILLISECOND_NS, 500 * MILLISECOND_NS),
    latency_ns: int = 0,
    make: Callable[[int], Any] | None = None,
    **more: Any,
) -> BidderGroup:
    make = make or strategy_maker(strategies.find(strategy), {}, "EUR")
    return BidderGroup(name or strategy, strategy, make, count, budget_minor, reaction_ns, latency_ns, **more)


def plan(
    *groups: BidderGroup,
    auctions: int = 1,
    lots: int = 1,
    order: Order = Order.SEQUENTIAL,
    seed: int = 1,
    values: Values = RANGE,
    **lot: Any,
) -> MarketPlan:
    description = {"increment": Fixed(100), "duration_ns": 300 * SECOND_NS, "min_bidders": 1, **lot}
    terms = terms_of(LotDescription("watch", "Watch", "EUR", 1, **description))
    return MarketPlan(terms, values, groups or (group(),), auctions, lots, order, seed)
