"""``pacing``: make one budget last over several lots.

Source: S. R. Balseiro and Y. Gur, "Learning in Repeated Auctions with Budgets", Management Science 65 (2019): bid
value / (1 + μ), and after each auction move the multiplier μ ≥ 0 by what was spent there against what each may cost,
budget / number of lots: up where more was spent, down where less.

Lots of several auctions at once are open here, and an ascending price is paid only by whoever needs it. So μ is moved
by closed lots, in the order in which they ended; and beside value / (1 + μ) stands a second limit, for all lots that
are still open or to come: an even share of what is left, times ``slack``, so that the first lot cannot take it all.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from auctionctl.bidding.experience import ClosedLot
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

PPM: Final = 1_000_000
MAX_MULTIPLIER_PPM: Final = 9 * PPM
"""A tenth of the value is always bid."""


@dataclass(slots=True)
class Pacing:
    """``lots`` is how many there will be in all, at least; ``step`` is how fast μ moves; ``slack`` 1 is an even share.

    The last μ is kept, with what it was reckoned from: it is asked for at every look, and changes with a closed lot.
    """

    stated_minor: int | None = None
    lots: int = 0
    step: Fraction = Fraction(1, 4)
    slack: Fraction = Fraction(2)
    _known: tuple[tuple[ClosedLot, ...], int, int] | None = field(default=None, compare=False)

    def multiplier_ppm(self, view: AuctionView, purse: Purse) -> int:
        """μ after all lots that have closed, in parts per million."""
        seen = len(view.closed_lots) + view.lots_open + view.lots_to_come
        target_minor = max(1, purse.budget_minor // max(1, self.lots, seen))
        if self._known is not None and self._known[0] is view.closed_lots and self._known[1] == target_minor:
            return self._known[2]
        step_ppm, multiplier_ppm = scaled(PPM, self.step), 0
        for lot in view.closed_lots:
            spent_ppm = min(100 * PPM, lot.paid_minor * PPM // target_minor)
            multiplier_ppm += step_ppm * (spent_ppm - PPM) // PPM
            multiplier_ppm = max(0, min(MAX_MULTIPLIER_PPM, multiplier_ppm))
        self._known = view.closed_lots, target_minor, multiplier_ppm
        return multiplier_ppm

    def limit_minor(self, view: AuctionView, purse: Purse) -> int:
        """The most that it pays for this lot."""
        worth_minor = value_minor(view, self.stated_minor)
        paced_minor = worth_minor * PPM // (PPM + self.multiplier_ppm(view, purse))
        left = max(1, view.lots_open + view.lots_to_come, self.lots - len(view.closed_lots))
        left_minor = max(0, purse.budget_minor - purse.spent_minor)
        return min(paced_minor, scaled(left_minor, self.slack) // left) if left > 1 else min(paced_minor, left_minor)

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """The minimum, whenever somebody else leads."""
        return offer_within(view, purse, self.limit_minor(view, purse), view.minimum_minor)


def _build(settings: Settings) -> Pacing:
    fractions = settings.fractions
    return Pacing(settings.amounts["value"], settings.count("lots"), fractions["step"], fractions["slack"])


SPEC = StrategySpec(
    "pacing",
    "the minimum, up to a limit that makes the budget last over all lots that are open and to come",
    (
        VALUE_PARAMETER,
        Parameter("lots", ParameterKind.COUNT, "0", "how many lots there will be in all, if more than are announced"),
        Parameter("step", ParameterKind.FACTOR, "0.25", "how fast what was spent moves the limit"),
        Parameter("slack", ParameterKind.FACTOR, "2", "how many even shares of what is left one lot may take"),
    ),
    _build,
    "Balseiro and Gur 2019, Management Science 65",
)
