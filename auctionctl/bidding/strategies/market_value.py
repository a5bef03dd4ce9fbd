"""``market-value``: bid the minimum as long as it is not more than the lot is worth.

Source: W. Vickrey, "Counterspeculation, Auctions, and Competitive Sealed Tenders", Journal of Finance 16 (1961).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from auctionctl.bidding.strategy import (
    VALUE_PARAMETER,
    AuctionView,
    Offer,
    Purse,
    Settings,
    StrategySpec,
    Wait,
    offer_within,
    value_minor,
)


@dataclass(frozen=True, slots=True)
class MarketValue:
    """Limit: the value. In an English auction no other way of bidding pays better (Vickrey 1961)."""

    stated_minor: int | None = None

    @property
    def ceiling_minor(self) -> int | None:
        """The value, if it is stated."""
        return self.stated_minor

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """The minimum, whenever somebody else leads."""
        return offer_within(view, purse, value_minor(view, self.stated_minor), view.minimum_minor)


def _build(settings: Settings) -> MarketValue:
    return MarketValue(settings.amounts["value"])


SPEC = StrategySpec(
    "market-value",
    "the minimum, up to the value of the lot",
    (VALUE_PARAMETER,),
    _build,
    "Vickrey 1961, Journal of Finance 16",
)
