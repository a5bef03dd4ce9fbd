"""market-value: the minimum, up to what the lot is worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auctionctl.bidding.strategies.market_value import MarketValue
from auctionctl.bidding.strategy import Offer, Wait, value_minor


def test_it_bids_the_minimum_up_to_the_value_and_no_further(view: Any, decide: Callable[..., Any]) -> None:
    strategy = MarketValue()
    assert decide(strategy, view(minimum_minor=1_100), 0) == Offer(1_100)
    assert decide(strategy, view(minimum_minor=2_000), 0) == Offer(2_000)
    assert decide(strategy, view(minimum_minor=2_001), 0) == Wait()
    assert decide(strategy, view(is_leading=True), 0) == Wait()
    assert decide(MarketValue(2_001), view(minimum_minor=2_001), 0) == Offer(2_001)


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(MarketValue(), lambda view, purse, now_ns: value_minor(view, None))
    bounds(MarketValue(9_000), lambda view, purse, now_ns: 9_000)
