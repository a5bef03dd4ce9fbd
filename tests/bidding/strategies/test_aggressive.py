"""aggressive: jumps of one to three increments, at once, up to a tenth above the value."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from auctionctl.bidding.strategies import make
from auctionctl.bidding.strategies.aggressive import Aggressive
from auctionctl.bidding.strategy import Offer, Wait, value_minor


def test_it_jumps_one_to_three_increments_by_chance(view: Any, decide: Callable[..., Any]) -> None:
    answers = [decide(Aggressive(), view(), 0) for _ in range(60)]
    assert {answer.amount_minor for answer in answers} == {1_200, 1_300, 1_400}


def test_it_stops_at_its_limit(view: Any, decide: Callable[..., Any]) -> None:
    assert decide(Aggressive(), view(minimum_minor=2_150), 0) == Offer(2_200)
    assert decide(Aggressive(), view(minimum_minor=2_200), 0) == Offer(2_200)
    assert decide(Aggressive(), view(minimum_minor=2_201), 0) == Wait()
    assert decide(Aggressive(), view(), 0, purse_minor=1_150) == Offer(1_150)
    assert decide(make("aggressive", {"factor": "2"}, currency="EUR"), view(minimum_minor=4_000), 0) == Offer(4_000)


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Aggressive(), lambda view, purse, now_ns: value_minor(view, None) * 11 // 10)
    bounds(Aggressive(9_999, Fraction(1, 3)), lambda view, purse, now_ns: 3_333)
