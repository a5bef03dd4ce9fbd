"""Values come from the distribution that is stated, and from the generator that is handed in."""

from __future__ import annotations

import random
import statistics
from collections import Counter

from auctionctl.market.values import Affiliated, Lognormal, Recorded, Uniform

BIDDERS = 20_000


def test_uniform_values_reach_both_ends_and_are_spread_evenly() -> None:
    drawn = Uniform(10, 13).draw(random.Random(1), 0, BIDDERS)
    counts = Counter(drawn)
    assert sorted(counts) == [10, 11, 12, 13]
    assert all(abs(count - BIDDERS / 4) < 400 for count in counts.values())


def test_half_of_lognormal_values_are_below_the_median_and_their_logarithm_has_the_deviation() -> None:
    drawn = Lognormal(10_000, 0.5).draw(random.Random(1), 0, BIDDERS)
    assert all(isinstance(value, int) for value in drawn)
    assert abs(statistics.median(drawn) - 10_000) < 200
    assert 0.97 < statistics.mean(drawn) / (10_000 * 2.718281828 ** (0.5**2 / 2)) < 1.03


def test_affiliated_values_are_high_together() -> None:
    rng = random.Random(1)
    pairs = [Affiliated(Uniform(0, 100), Uniform(0, 100)).draw(rng, number, 2) for number in range(4_000)]
    # Var(common) / (Var(common) + Var(private)) = 1/2.
    assert 0.45 < statistics.correlation(*zip(*pairs, strict=True)) < 0.55
    apart = [Uniform(0, 100).draw(rng, number, 2) for number in range(4_000)]
    assert abs(statistics.correlation(*zip(*apart, strict=True))) < 0.05


def test_recorded_values_come_row_by_row_and_again_from_the_first() -> None:
    values = Recorded(((1, 2), (3, 4)))
    assert [values.draw(random.Random(), number, 2) for number in range(3)] == [(1, 2), (3, 4), (1, 2)]
