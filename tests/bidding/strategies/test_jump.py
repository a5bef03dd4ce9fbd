"""jump: one jump as the first word, then the minimum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auctionctl.bidding.strategies import make
from auctionctl.bidding.strategies.jump import Jump
from auctionctl.bidding.strategy import Offer, Wait, value_minor


def test_its_first_bid_is_half_the_value_and_all_others_the_minimum(view: Any, decide: Callable[..., Any]) -> None:
    strategy = make("jump", {"value": "40.00EUR"}, currency="EUR")
    assert decide(strategy, view(), 0) == Offer(2_000)
    assert decide(strategy, view(own_number=1, minimum_minor=2_100), 0) == Offer(2_100)
    assert decide(strategy, view(minimum_minor=2_500), 0) == Offer(2_500)
    assert decide(strategy, view(minimum_minor=4_001), 0) == Wait()


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Jump(), lambda view, purse, now_ns: value_minor(view, None))
