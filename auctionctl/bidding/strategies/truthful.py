"""``truthful``: the minimum, step by step, up to a private value that has to be stated.

Source: W. Vickrey, "Counterspeculation, Auctions, and Competitive Sealed Tenders", Journal of Finance 16 (1961): where
the value is one's own affair, to stay in an ascending auction exactly up to it is a dominant strategy. This is the
yardstick of all others; ``market-value`` does the same for a value that it takes from the seller's estimate.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from auctionctl.bidding.strategy import (
    AuctionView,
    Offer,
    Parameter,
    ParameterKind,
    Purse,
    Settings,
    StrategySpec,
    Wait,
    offer_within,
)


@dataclass(frozen=True, slots=True)
class Truthful:
    """Limit: ``private_minor``."""

    private_minor: int

    @property
    def ceiling_minor(self) -> int:
        """The value itself."""
        return self.private_minor

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """The minimum, whenever somebody else leads."""
        return offer_within(view, purse, self.private_minor, view.minimum_minor)


def _build(settings: Settings) -> Truthful:
    return Truthful(settings.amounts["value"] or 0)


SPEC = StrategySpec(
    "truthful",
    "the minimum, step by step, up to your own value, which has to be stated",
    (
        Parameter(
            "value", ParameterKind.AMOUNT, "", "what the lot is worth to you, as 120.00EUR; required", is_required=True
        ),
    ),
    _build,
    "Vickrey 1961, Journal of Finance 16",
)
