"""``zip``: a profit margin that learns from what the others shout.

Source: D. Cliff, "Minimal-Intelligence Agents for Bargaining Behaviors in Market-Based Environments", HP Laboratories,
HPL-97-91 (1997). There, buyers and sellers shout into a double auction; a trader keeps a margin on its limit price, and
moves its price towards a target slightly beyond the last shout, by a Widrow-Hoff rule with momentum: with the price p,
the last shout q, the target τ = R·q + A (R and A small and random),

    Γ ← γ·Γ + (1 − γ)·β·(τ − p),    p ← min(limit, p + Γ).

Adapted to one seller and rising bids: there are no asks, and no trade before the end, so that within one auction a
margin only shrinks: whenever a bid of somebody else reaches p. A standing bid counts as shouted again each ``period``,
a share of the auction's time, for here the others need not repeat themselves. The first price is the limit less
``margin``, or, where lots of as many words in common were sold for less, what these teach by the same rule. What is bid
is the minimum as soon as p allows it, not p itself, for whoever leads pays what it bid.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from auctionctl.bidding.strategies.comparables import similar_lots
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

MILLI: Final = 1_000
"""Prices are kept in thousandths of minor units: what is learnt in a step is often less than one."""
PPM: Final = 1_000_000
MAX_STRETCH_PPM: Final = 50_000
"""R lies within 5% of 1, as there."""
MAX_SHOUTS: Final = 64
"""How many shouts are learnt from at one look, at most: the price is near the last one by then."""
PERIODS: Final = 50


@dataclass(slots=True)
class Zip:
    """``rate`` is β, ``momentum`` γ. Kept of one auction: the price, its last change, and what it has heard."""

    stated_minor: int | None = None
    margin: Fraction = Fraction(2, 10)
    rate: Fraction = Fraction(3, 10)
    momentum: Fraction = Fraction(5, 100)
    period: Fraction = Fraction(1, PERIODS)
    price_milli: int | None = None
    change_milli: int = 0
    heard_bids: int = 0
    heard_periods: int = 0

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:
        """The minimum, once the learnt price allows it; nothing while it leads."""
        limit_minor = value_minor(view, self.stated_minor)
        if self.price_milli is None or view.bid_count < self.heard_bids:
            self._begin(view, limit_minor, rng)
        self._listen(view, limit_minor, now_ns, rng)
        assert self.price_milli is not None
        price_minor = min(limit_minor, self.price_milli // MILLI)
        answer = offer_within(view, purse, price_minor, view.minimum_minor)
        can_learn = not view.is_leading and price_minor < view.minimum_minor <= limit_minor and view.bid_count
        if isinstance(answer, Wait) and can_learn:
            return Wait(min(view.end_ns, now_ns + self._period_ns(view)))
        return answer

    def _begin(self, view: AuctionView, limit_minor: int, rng: random.Random) -> None:
        self.price_milli = scaled(limit_minor * MILLI, 1 - self.margin)
        self.change_milli = self.heard_bids = self.heard_periods = 0
        for lot in similar_lots(view):
            if lot.price_minor is not None and lot.price_minor * MILLI < self.price_milli:
                self._learn(lot.price_minor, -rng.randint(0, MAX_STRETCH_PPM), limit_minor)

    def _listen(self, view: AuctionView, limit_minor: int, now_ns: int, rng: random.Random) -> None:
        new, self.heard_bids = max(0, view.bid_count - self.heard_bids), view.bid_count
        if new:
            self.heard_periods = 0
        last = view.tape.recent[-1] if view.tape.recent else None
        periods = 0 if last is None else max(0, now_ns - last.time_ns) // self._period_ns(view)
        repeated, self.heard_periods = max(0, periods - self.heard_periods), max(periods, self.heard_periods)
        if view.is_leading or view.price_minor is None:
            return
        for _ in range(min(MAX_SHOUTS, new + repeated)):
            if self.price_milli is not None and self.price_milli < view.minimum_minor * MILLI:
                self._learn(view.minimum_minor, rng.randint(0, MAX_STRETCH_PPM), limit_minor)

    def _learn(self, shout_minor: int, stretch_ppm: int, limit_minor: int) -> None:
        assert self.price_milli is not None
        target_milli = shout_minor * MILLI * (PPM + stretch_ppm) // PPM
        step_milli = scaled(target_milli - self.price_milli, (1 - self.momentum) * self.rate)
        self.change_milli = scaled(self.change_milli, self.momentum) + step_milli
        self.price_milli = max(0, min(limit_minor * MILLI, self.price_milli + self.change_milli))

    def _period_ns(self, view: AuctionView) -> int:
        return max(1, scaled(view.duration_ns, self.period))


def _build(settings: Settings) -> Zip:
    shares = settings.fractions
    return Zip(settings.amounts["value"], shares["margin"], shares["rate"], shares["momentum"], shares["period"])


SPEC = StrategySpec(
    "zip",
    "the minimum, up to a price that learns from the others' bids; a double auction's trader, adapted to one seller",
    (
        VALUE_PARAMETER,
        Parameter("margin", ParameterKind.SHARE, "0.2", "the profit margin to begin with, as a share of the value"),
        Parameter("rate", ParameterKind.SHARE, "0.3", "how fast it learns (beta)"),
        Parameter("momentum", ParameterKind.SHARE, "0.05", "how long a change lasts (gamma)"),
        Parameter(
            "period", ParameterKind.SHARE, "0.02", "how often a standing bid counts again, of the auction's time"
        ),
    ),
    _build,
    "Cliff 1997, HP Laboratories, HPL-97-91",
)
