"""manual: an order is carried out once, as it was given, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auctionctl.auction.price import MAX_MINOR
from auctionctl.bidding.strategies import make
from auctionctl.bidding.strategies.manual import Manual, Order
from auctionctl.bidding.strategy import Asking, Offer


def test_nothing_is_bid_without_an_order_and_each_order_once(view: Any, decide: Callable[..., Any]) -> None:
    strategy = Manual()
    assert decide(strategy, view(), 0) == Asking()
    strategy.order = Order()
    assert decide(strategy, view(), 0) == Offer(1_100)
    assert decide(strategy, view(), 0) == Asking()
    strategy.order = Order(1_250)
    assert decide(strategy, view(), 0) == Offer(1_250)


def test_an_amount_that_has_become_too_low_is_dropped_and_not_raised(view: Any, decide: Callable[..., Any]) -> None:
    strategy = Manual(order=Order(1_250))
    assert decide(strategy, view(minimum_minor=1_300), 0) == Asking()
    assert decide(strategy, view(), 0) == Asking()


def test_what_cannot_be_bid_is_refused_with_a_reason(view: Any, decide: Callable[..., Any]) -> None:
    strategy = make("manual", {"limit": "20.00EUR"}, currency="EUR")
    assert isinstance(strategy, Manual)
    assert strategy.refuse(Order()) == "bidding has not begun"
    assert not strategy.is_jump(Order(10**6))
    decide(strategy, view(), 0, purse_minor=3_000)
    assert strategy.refuse(Order()) is None
    assert strategy.refuse(Order(1_099)) == "that is less than the least bid now"
    assert strategy.refuse(Order(3_001)) == "that is more than is left of the budget"
    assert strategy.refuse(Order(2_001)) == "that is more than the parameter limit"
    decide(strategy, view(is_leading=True), 0)
    assert strategy.refuse(Order()) == "you lead already"


def test_a_jump_is_more_than_so_many_increments_above_the_least_bid(view: Any, decide: Callable[..., Any]) -> None:
    strategy = Manual(confirm_steps=2)
    decide(strategy, view(), 0)
    assert [strategy.is_jump(Order(amount)) for amount in (1_300, 1_301)] == [False, True]
    assert not strategy.is_jump(Order())


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Manual(), lambda view, purse, now_ns: MAX_MINOR)
