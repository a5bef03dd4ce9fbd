"""Means and how far they can be trusted: exact sums of integers, and floats only at the very end.

Rule: what is counted as independent is a whole market, for its lots share wallets. Intervals are of the normal
distribution, which the mean of a few hundred markets has near enough; of a quotient, by the delta method (Cochran,
Sampling Techniques, 1977, section 6.3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

Z_95: Final = 1.959963984540054
Z_99: Final = 2.5758293035489004
"""Quantiles of the normal distribution: how many standard errors make an interval of so many percent."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its standard error; None where there is nothing to say."""

    mean: float | None
    error: float | None

    def interval(self, z: float = Z_95) -> tuple[float, float] | None:
        """The bounds of the confidence interval of ``z`` standard errors."""
        if self.mean is None or self.error is None:
            return None
        return self.mean - z * self.error, self.mean + z * self.error


@dataclass(slots=True)
class Mean:
    """The mean of integers."""

    count: int = 0
    total: int = 0
    squares: int = 0

    def add(self, value: int) -> None:
        """One more."""
        self.count += 1
        self.total += value
        self.squares += value * value

    def estimate(self, scale: int = 1) -> Estimate:
        """The mean of what was added, divided by ``scale``."""
        n = self.count
        if not n:
            return Estimate(None, None)
        mean = self.total / (n * scale)
        if n == 1:
            return Estimate(mean, None)
        # n Σx² − (Σx)² is exact, and so never below 0.
        variance = (n * self.squares - self.total * self.total) / (n * (n - 1))
        return Estimate(mean, math.sqrt(variance / n) / scale)


@dataclass(slots=True)
class Quotient:
    """The quotient of two totals, such as of all prices and all values."""

    count: int = 0
    upper: int = 0
    lower: int = 0
    upper_squares: int = 0
    products: int = 0
    lower_squares: int = 0

    def add(self, upper: int, lower: int) -> None:
        """One more pair."""
        self.count += 1
        self.upper += upper
        self.lower += lower
        self.upper_squares += upper * upper
        self.products += upper * lower
        self.lower_squares += lower * lower

    def estimate(self) -> Estimate:
        """The quotient; nothing if everything below the line is 0."""
        n, upper, lower = self.count, self.upper, self.lower
        if not lower:
            return Estimate(None, None)
        if n == 1:
            return Estimate(upper / lower, None)
        # Σ(x − r y)² with r = upper / lower, times lower²: exact.
        rest = self.upper_squares * lower**2 - 2 * self.products * upper * lower + self.lower_squares * upper**2
        variance = rest / (lower**2 * (n - 1))
        return Estimate(upper / lower, math.sqrt(variance * n) / lower)
