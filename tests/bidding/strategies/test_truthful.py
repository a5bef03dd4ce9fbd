"""truthful: the minimum, step by step, up to the stated value and never beyond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auctionctl.bidding.strategies import make
from auctionctl.bidding.strategies.truthful import Truthful
from auctionctl.bidding.strategy import Offer, Wait


def test_it_stays_in_exactly_up_to_its_value(view: Any, decide: Callable[..., Any]) -> None:
    strategy = make("truthful", {"value": "12.00EUR"}, currency="EUR")
    assert decide(strategy, view(minimum_minor=1_200), 0) == Offer(1_200)
    assert decide(strategy, view(minimum_minor=1_201), 0) == Wait()
    assert decide(strategy, view(is_leading=True), 0) == Wait()


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Truthful(9_000), lambda view, purse, now_ns: 9_000)
