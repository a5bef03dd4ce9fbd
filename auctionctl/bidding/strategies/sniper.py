"""``sniper``: bid at the last moment at which a bid still arrives for certain.

Source: A. E. Roth and A. Ockenfels, "Last-Minute Bidding and the Rules for Ending Second-Price Auctions", American
Economic Review 92 (2002): under a fixed end, a late bid leaves nobody the time to answer; under an end that moves with
every late bid, it gains nothing.

The last moment is a margin and two measured round trips before the end: one for the bid, and one for what we do not
know of the house's clock. Where the end can still move (a soft close, before ``max_end``), the first bid comes that
long before the window in which it would move the end; once inside the window, again at the last moment, for the time
then left goes to the others anyway.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from auctionctl.auction.terms import SECOND_NS
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
    value_minor,
)

MIN_LEAD_NS: Final = SECOND_NS // 20


@dataclass(frozen=True, slots=True)
class Sniper:
    """Limit: the value. A bid is ``steps`` increments above the minimum, within the limit."""

    stated_minor: int | None = None
    margin_ns: int = SECOND_NS // 2
    steps: int = 0

    def lead_ns(self, view: AuctionView) -> int:
        """How long before an end it bids."""
        return max(MIN_LEAD_NS, self.margin_ns + 2 * view.round_trip_ns)

    def begin_ns(self, view: AuctionView, now_ns: int) -> int:
        """When it bids, seen at ``now_ns``."""
        window_ns = view.soft_close_window_ns if view.end_ns < view.max_end_ns else 0
        if now_ns >= view.end_ns - window_ns:
            window_ns = 0
        return view.end_ns - window_ns - self.lead_ns(view)

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """Nothing before the last moment."""
        begin_ns = self.begin_ns(view, now_ns)
        if now_ns < begin_ns:
            return Wait(begin_ns)
        wish_minor = view.minimum_minor + self.steps * view.increment_minor
        return offer_within(view, purse, value_minor(view, self.stated_minor), wish_minor)


def _build(settings: Settings) -> Sniper:
    return Sniper(settings.amounts["value"], settings.nanoseconds("margin"), settings.count("steps"))


SPEC = StrategySpec(
    "sniper",
    "nothing before the last moment at which a bid still arrives, or before a soft close would move the end",
    (
        VALUE_PARAMETER,
        Parameter("margin", ParameterKind.SECONDS, "0.5", "how long before the end, besides two round trips"),
        Parameter("steps", ParameterKind.COUNT, "0", "how many increments above the minimum it bids"),
    ),
    _build,
    "Roth and Ockenfels 2002, American Economic Review 92",
)
