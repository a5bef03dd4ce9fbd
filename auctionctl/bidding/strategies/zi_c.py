"""``zi-c``: zero intelligence under a constraint: anything by chance, but never at a loss.

Source: D. K. Gode and S. Sunder, "Allocative Efficiency of Markets with Zero-Intelligence Traders", Journal of
Political Economy 101 (1993). There, buyers and sellers shout into a double auction, a buyer uniformly between 0 and its
value, and a shout that does not better the best one is void. Adapted to one seller and rising bids: there are no
sellers' shouts, and as all shouts below the minimum would be void, a bid is drawn uniformly from the minimum up to the
value. It is what is left of a bidder when all cunning is taken out: a measure for that of others.
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
    value_minor,
)


@dataclass(frozen=True, slots=True)
class ZeroIntelligence:
    """Limit: the value, and the purse."""

    stated_minor: int | None = None

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """Some amount, whenever somebody else leads."""
        ceiling_minor = min(value_minor(view, self.stated_minor), purse.available_minor)
        if view.is_leading or ceiling_minor < view.minimum_minor:
            return Wait()
        return Offer(rng.randint(view.minimum_minor, ceiling_minor))


def _build(settings: Settings) -> ZeroIntelligence:
    return ZeroIntelligence(settings.amounts["value"])


SPEC = StrategySpec(
    "zi-c",
    "any amount by chance from the minimum up to the value; a double auction's trader, adapted to one seller",
    (VALUE_PARAMETER,),
    _build,
    "Gode and Sunder 1993, Journal of Political Economy 101",
)
