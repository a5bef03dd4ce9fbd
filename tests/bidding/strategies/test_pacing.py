"""pacing: one budget over several lots; what was overspent is saved at the next ones."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from auctionctl.bidding.experience import ClosedLot
from auctionctl.bidding.strategies import make
from auctionctl.bidding.strategies.pacing import MAX_MULTIPLIER_PPM, Pacing
from auctionctl.bidding.strategy import Offer, Purse, Wait


def lot(paid_minor: int) -> ClosedLot:
    return ClosedLot(frozenset(), "EUR", 0, None, 5_000, True, 2, 0, paid_minor)


def test_the_first_of_many_lots_cannot_take_the_whole_budget(view: Any) -> None:
    strategy = make("pacing", {"value": "100.00EUR"}, currency="EUR")
    many = view(lots_open=2, lots_to_come=2, minimum_minor=5_000)
    assert strategy.decide(many, Purse(10_000, 10_000), 0, None) == Offer(5_000)  # type: ignore[arg-type]
    assert Pacing(10_000).limit_minor(many, Purse(10_000, 10_000)) == 5_000
    assert Pacing(10_000, slack=Fraction(1)).limit_minor(many, Purse(10_000, 10_000)) == 2_500
    assert Pacing(10_000, lots=20).limit_minor(many, Purse(10_000, 10_000)) == 1_000


def test_the_last_lot_may_take_what_is_left(view: Any) -> None:
    assert Pacing(20_000).limit_minor(view(), Purse(4_000, 10_000, 6_000, 6_000)) == 4_000
    assert Pacing(2_000).limit_minor(view(), Purse(10_000, 10_000)) == 2_000


def test_the_limit_falls_with_what_was_overspent_and_rises_again_with_what_was_not(view: Any) -> None:
    purse = Purse(10_000, 10_000)
    dear = view(closed_lots=(lot(5_000),), lots_open=3)
    strategy = Pacing(1_000)
    assert strategy.multiplier_ppm(dear, purse) == 250_000
    assert strategy.limit_minor(dear, purse) == 800
    assert Pacing(1_000).multiplier_ppm(view(closed_lots=(lot(5_000), lot(0)), lots_open=2), purse) == 0
    assert Pacing(step=Fraction(999)).multiplier_ppm(dear, purse) == MAX_MULTIPLIER_PPM
    assert strategy.multiplier_ppm(dear, purse) == 250_000


def test_with_nothing_left_it_bids_nothing(view: Any) -> None:
    strategy = Pacing(1_000_000)
    assert strategy.decide(view(), Purse(0, 10_000, 10_000, 10_000), 0, None) == Wait()  # type: ignore[arg-type]


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Pacing(), lambda view, purse, now_ns: Pacing().limit_minor(view, purse))
    bounds(Pacing(9_000, 7), lambda view, purse, now_ns: 9_000)
