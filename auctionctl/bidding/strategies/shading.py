"""``shading``: a limit below what one thinks the lot is worth, for whoever wins has most likely overrated it.

Source: R. Wilson, "A Bidding Model of Perfect Competition", Review of Economic Studies 44 (1977), and P. R. Milgrom and
R. J. Weber, "A Theory of Auctions and Competitive Bidding", Econometrica 50 (1982), on the winner's curse.

The value is taken to be an unbiased guess with a standard deviation of ``spread`` × value, as are those of the others.
The best of n such guesses is too high by E(n) standard deviations on average, where E(n) is the mean of the largest of
n standard normal draws (H. L. Harter, Biometrika 48, 1961). So the limit is value × (1 − spread × E(n)), where n counts
us and all who have bid. The more there are, the lower the limit.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from auctionctl.bidding.strategy import (
    VALUE_PARAMETER,
    AuctionView,
    Offer,
    Parameter,
    ParameterKind,
    Purse,
    Settings,
    StrategySpec,
    Wait,
    offer_within,
    scaled,
    value_minor,
)

_LARGEST_OF: Final = (
    (1, 0),
    (2, 5_642),
    (3, 8_463),
    (4, 10_294),
    (5, 11_630),
    (6, 12_672),
    (7, 13_522),
    (8, 14_236),
    (9, 14_850),
    (10, 15_388),
    (12, 16_292),
    (15, 17_359),
    (20, 18_675),
    (30, 20_428),
    (50, 22_491),
    (100, 25_076),
)
"""n and E(n) × 10,000; between two rows the lower one holds."""


def expected_largest(count: int) -> Fraction:
    """The mean of the largest of ``count`` ≥ 1 standard normal draws, rounded down to a row of the table."""
    row = bisect_right(_LARGEST_OF, count, key=lambda entry: entry[0]) - 1
    return Fraction(_LARGEST_OF[row][1], 10_000)


@dataclass(frozen=True, slots=True)
class Shading:
    """See the module for its limit; with no ``rivals`` as yet, so many are reckoned with."""

    stated_minor: int | None = None
    spread: Fraction = Fraction(1, 10)
    rivals: int = 1

    def limit_minor(self, view: AuctionView) -> int:
        """The most that it pays."""
        count = 1 + max(self.rivals, view.active_bidders)
        factor = max(Fraction(0), 1 - self.spread * expected_largest(count))
        return scaled(value_minor(view, self.stated_minor), factor)

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """The minimum, whenever somebody else leads."""
        return offer_within(view, purse, self.limit_minor(view), view.minimum_minor)


def _build(settings: Settings) -> Shading:
    return Shading(settings.amounts["value"], settings.fractions["spread"], settings.count("rivals"))


SPEC = StrategySpec(
    "shading",
    "the minimum, up to a limit below an uncertain value: the lower, the more bidders there are",
    (
        VALUE_PARAMETER,
        Parameter("spread", ParameterKind.SHARE, "0.1", "how uncertain the value is: its standard deviation over it"),
        Parameter("rivals", ParameterKind.COUNT, "1", "how many others to reckon with, even before they bid"),
    ),
    _build,
    "Wilson 1977, Review of Economic Studies 44; Milgrom and Weber 1982, Econometrica 50",
)
