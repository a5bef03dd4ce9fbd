"""sniper: the last moment at which a bid still arrives, and with a soft close the last that does not move the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.strategies import make
from auctionctl.bidding.strategies.sniper import MIN_LEAD_NS, Sniper
from auctionctl.bidding.strategy import Offer, Wait, value_minor

S = SECOND_NS


def test_it_bids_a_margin_and_two_round_trips_before_a_fixed_end(view: Any, decide: Callable[..., Any]) -> None:
    last = view(round_trip_ns=S // 10, max_end_ns=300 * S)
    begin_ns = 300 * S - S // 2 - S // 5
    assert decide(Sniper(), last, begin_ns - 1) == Wait(begin_ns)
    assert decide(Sniper(), last, begin_ns) == Offer(1_100)
    assert decide(Sniper(margin_ns=0), view(), 0) == Wait(300 * S - MIN_LEAD_NS)


def test_a_slow_way_to_the_house_makes_it_bid_sooner(view: Any) -> None:
    assert Sniper().begin_ns(view(round_trip_ns=S), 0) == Sniper().begin_ns(view(), 0) - 2 * S


def test_it_bids_before_the_window_in_which_a_bid_would_move_the_end(view: Any, decide: Callable[..., Any]) -> None:
    soft = view(soft_close_window_ns=30 * S, max_end_ns=900 * S)
    begin_ns = 270 * S - S // 2
    assert decide(Sniper(), soft, begin_ns - 1) == Wait(begin_ns)
    assert decide(Sniper(), soft, begin_ns) == Offer(1_100)
    assert decide(Sniper(), soft, 271 * S) == Wait(300 * S - S // 2)


def test_an_end_that_can_move_no_more_is_a_fixed_end(view: Any, decide: Callable[..., Any]) -> None:
    spent = view(soft_close_window_ns=30 * S, max_end_ns=300 * S)
    assert decide(Sniper(), spent, 0) == Wait(300 * S - S // 2)


def test_it_goes_some_steps_further_if_told_to_and_stops_at_the_value(view: Any, decide: Callable[..., Any]) -> None:
    strategy = make("sniper", {"value": "13.50EUR", "steps": "2", "margin": "1"}, currency="EUR")
    assert decide(strategy, view(), 299 * S) == Offer(1_300)
    assert decide(strategy, view(minimum_minor=1_300), 299 * S) == Offer(1_350)
    assert decide(strategy, view(minimum_minor=1_400), 299 * S) == Wait()


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Sniper(), lambda view, purse, now_ns: value_minor(view, None))
    bounds(Sniper(9_000, 0, 3), lambda view, purse, now_ns: 9_000)
