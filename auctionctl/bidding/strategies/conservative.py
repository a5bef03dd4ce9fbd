"""``conservative``: stay well below the value, and stay out of the first half.

Source: R. Bapna, P. Goes, A. Gupta and Y. Jin, "User Heterogeneity and Its Impact on Electronic Auction Market Design",
MIS Quarterly 28 (2004), whose "opportunists" look for bargains, late.
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


@dataclass(frozen=True, slots=True)
class Conservative:
    """Limit: value × ``factor``. Bids the minimum once ``patience``, a share of the time from opening to end, is over.

    The end is the present one: a gap or a soft close moves the half-time, too.
    """

    stated_minor: int | None = None
    factor: Fraction = Fraction(85, 100)
    patience: Fraction = Fraction(1, 2)

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """Nothing before half-time; then the minimum, whenever somebody else leads."""
        begin_ns = view.opened_at_ns + scaled(view.end_ns - view.opened_at_ns, self.patience)
        if now_ns < begin_ns:
            return Wait(begin_ns)
        limit_minor = scaled(value_minor(view, self.stated_minor), self.factor)
        return offer_within(view, purse, limit_minor, view.minimum_minor)


def _build(settings: Settings) -> Conservative:
    return Conservative(settings.amounts["value"], settings.fractions["factor"], settings.fractions["patience"])


SPEC = StrategySpec(
    "conservative",
    "the minimum, in the second half only, up to 85% of the value",
    (
        VALUE_PARAMETER,
        Parameter("factor", ParameterKind.FACTOR, "0.85", "the limit, as a multiple of the value"),
        Parameter("patience", ParameterKind.SHARE, "0.5", "the share of the auction's time in which it does not bid"),
    ),
    _build,
    "Bapna, Goes, Gupta and Jin 2004, MIS Quarterly 28, on bidders who come late",
)
