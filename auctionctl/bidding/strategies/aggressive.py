"""``aggressive``: bid at once, jump ahead of the minimum, and go somewhat beyond the value.

Source: R. F. Easley and R. Tenorio, "Jump Bidding Strategies in Internet Auctions", Management Science 50 (2004), for
the jumps; to go beyond the value is nobody's advice, and here to be compared with.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

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

MAX_JUMP = 3


@dataclass(frozen=True, slots=True)
class Aggressive:
    """Limit: value × ``factor``. A bid is 1 to MAX_JUMP increments, by chance, above the minimum, within the limit."""

    stated_minor: int | None = None
    factor: Fraction = Fraction(11, 10)

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """A jump, whenever somebody else leads."""
        limit_minor = scaled(value_minor(view, self.stated_minor), self.factor)
        jump_minor = rng.randint(1, MAX_JUMP) * view.increment_minor
        return offer_within(view, purse, limit_minor, view.minimum_minor + jump_minor)


def _build(settings: Settings) -> Aggressive:
    return Aggressive(settings.amounts["value"], settings.fractions["factor"])


SPEC = StrategySpec(
    "aggressive",
    "jumps of 1 to 3 increments, at once, up to a tenth above the value",
    (VALUE_PARAMETER, Parameter("factor", ParameterKind.FACTOR, "1.1", "the limit, as a multiple of the value")),
    _build,
    "Easley and Tenorio 2004, Management Science 50, on jumps",
)
