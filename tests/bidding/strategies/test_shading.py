"""shading: the more bidders there are, the further below an uncertain value it stops."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from statistics import mean
from typing import Any

import pytest

from auctionctl.bidding.strategies import make
from auctionctl.bidding.strategies.shading import Shading, expected_largest
from auctionctl.bidding.strategy import Offer, Wait


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10])
def test_the_table_is_the_mean_of_the_largest_of_so_many_normal_draws(count: int) -> None:
    rng = random.Random(count)
    largest = mean(max(rng.gauss(0, 1) for _ in range(count)) for _ in range(10_000))
    assert float(expected_largest(count)) == pytest.approx(largest, abs=0.04)
    assert expected_largest(11) == expected_largest(10)
    assert expected_largest(10**6) == expected_largest(100)


def test_its_limit_falls_with_each_bidder(view: Any, decide: Callable[..., Any]) -> None:
    strategy = make("shading", {"value": "100.00EUR"}, currency="EUR")
    assert [Shading(10_000).limit_minor(view(active_bidders=n)) for n in (0, 1, 2, 4)] == [9_435, 9_435, 9_153, 8_837]
    assert decide(strategy, view(minimum_minor=9_435), 0) == Offer(9_435)
    assert decide(strategy, view(minimum_minor=9_436), 0) == Wait()
    assert Shading(10_000, Fraction(0)).limit_minor(view()) == 10_000
    assert Shading(10_000, Fraction(1), 99).limit_minor(view()) == 0


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Shading(), lambda view, purse, now_ns: Shading().limit_minor(view))
