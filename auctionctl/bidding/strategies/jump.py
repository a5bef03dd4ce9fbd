"""``jump``: open far above the minimum, so that others believe that it is not worth their while; then the minimum.

Source: C. Avery, "Strategic Jump Bidding in English Auctions", Review of Economic Studies 65 (1998); for auctions on a
network, where each bid costs its bidder time, R. F. Easley and R. Tenorio, "Jump Bidding Strategies in Internet
Auctions", Management Science 50 (2004). A jump is a signal only while it is the first word: it is made once.
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
class Jump:
    """Limit: the value. The first bid is ``share`` of it, or the minimum if that is more."""

    stated_minor: int | None = None
    share: Fraction = Fraction(1, 2)

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """The jump, then the minimum, whenever somebody else leads."""
        limit_minor = value_minor(view, self.stated_minor)
        wish_minor = scaled(limit_minor, self.share) if view.own_number is None else view.minimum_minor
        return offer_within(view, purse, limit_minor, wish_minor)


def _build(settings: Settings) -> Jump:
    return Jump(settings.amounts["value"], settings.fractions["share"])


SPEC = StrategySpec(
    "jump",
    "one jump to half the value as the first bid, then the minimum, up to the value",
    (
        VALUE_PARAMETER,
        Parameter("share", ParameterKind.SHARE, "0.5", "the share of the value to which the first bid jumps"),
    ),
    _build,
    "Avery 1998, Review of Economic Studies 65; Easley and Tenorio 2004, Management Science 50",
)
