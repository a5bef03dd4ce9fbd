"""Means and intervals are those of the textbooks, from exact sums."""

from __future__ import annotations

import random
import statistics
from math import sqrt

import pytest

from auctionctl.market.statistics import Z_95, Z_99, Estimate, Mean, Quotient


def test_the_mean_of_integers_has_its_standard_error() -> None:
    numbers = [3, 5, 10**15, 0]
    mean = Mean()
    for number in numbers:
        mean.add(number)
    estimate = mean.estimate()
    assert estimate.mean == statistics.mean(numbers)
    assert estimate.error == pytest.approx(statistics.stdev(numbers) / sqrt(4))
    assert mean.estimate(10).mean == pytest.approx(statistics.mean(numbers) / 10)


def test_of_one_there_is_no_interval_and_of_none_no_mean() -> None:
    mean = Mean()
    assert mean.estimate() == Estimate(None, None)
    assert mean.estimate().interval() is None
    mean.add(7)
    assert mean.estimate() == Estimate(7.0, None)
    assert Quotient().estimate() == Estimate(None, None)
    quotient = Quotient()
    quotient.add(1, 2)
    assert quotient.estimate() == Estimate(0.5, None)


def test_an_interval_of_99_percent_holds_the_truth_that_often() -> None:
    rng, held = random.Random(1), 0
    for _ in range(1_000):
        mean = Mean()
        for _ in range(50):
            mean.add(rng.randrange(101))
        low, high = mean.estimate().interval(Z_99) or (0, 0)
        held += low <= 50 <= high
    assert held >= 980


def test_a_quotient_of_totals_has_an_interval_that_holds_the_truth() -> None:
    rng, held = random.Random(2), 0
    for _ in range(500):
        quotient = Quotient()
        for _ in range(100):
            lower = rng.randrange(50, 150)
            quotient.add(lower * 3 // 4 + rng.randrange(-5, 6), lower)
        low, high = quotient.estimate().interval(Z_95) or (0, 0)
        held += low <= 0.745 <= high  # 3/4 of the mean, less half a unit in four cases of eight of a hundred
    assert held >= 440
