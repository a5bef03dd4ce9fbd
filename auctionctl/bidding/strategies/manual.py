"""``manual``: a person decides; the strategy carries out one order at a time.

Its rule: an order is for the auction as that person saw it. It is carried out once; a fixed amount that has become too
low is dropped, not raised. Whoever asks the person, and shows the board, is :mod:`auctionctl.cli.manual_desk`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from auctionctl.bidding.strategy import (
    Asking,
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
class Order:
    """Bid ``amount_minor``, or the minimum if that is None."""

    amount_minor: int | None = None


@dataclass(slots=True)
class Manual:
    """``limit_minor`` is what the person never bids more than; ``confirm_steps`` what counts as a jump."""

    limit_minor: int | None = None
    confirm_steps: int = 5
    order: Order | None = None
    view: AuctionView | None = None
    """What was seen last."""
    purse: Purse | None = None
    now_ns: int = 0

    def refuse(self, order: Order) -> str | None:
        """Why this order cannot be carried out as things stand, or None."""
        view, purse = self.view, self.purse
        if view is None or purse is None:
            return "bidding has not begun"
        amount_minor = view.minimum_minor if order.amount_minor is None else order.amount_minor
        if view.is_leading:
            return "you lead already"
        if amount_minor < view.minimum_minor:
            return "that is less than the least bid now"
        if amount_minor > purse.available_minor:
            return "that is more than is left of the budget"
        if self.limit_minor is not None and amount_minor > self.limit_minor:
            return "that is more than the parameter limit"
        return None

    def is_jump(self, order: Order) -> bool:
        """Whether it is more than ``confirm_steps`` increments above the least bid."""
        view = self.view
        if view is None or order.amount_minor is None:
            return False
        return order.amount_minor > view.minimum_minor + self.confirm_steps * view.increment_minor

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """What was ordered, once; else nothing."""
        self.view, self.purse, self.now_ns = view, purse, now_ns
        order, self.order = self.order, None
        if order is None or self.refuse(order) is not None:
            return Asking()
        limit_minor = purse.available_minor if self.limit_minor is None else self.limit_minor
        return offer_within(view, purse, limit_minor, order.amount_minor or view.minimum_minor)


def _build(settings: Settings) -> Manual:
    return Manual(settings.amounts["limit"], settings.count("confirm"))


SPEC = StrategySpec(
    "manual",
    "you decide: an amount, or + for the least bid, at the terminal or line by line from standard input",
    (
        Parameter("limit", ParameterKind.AMOUNT, "", "never bid more than this for a lot, as 120.00EUR"),
        Parameter("confirm", ParameterKind.COUNT, "5", "ask again where a bid is so many increments above the least"),
    ),
    _build,
    "a person",
)
