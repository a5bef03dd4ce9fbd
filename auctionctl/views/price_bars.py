"""Prices over time as a row of bars, one character each: what matters is how they moved, so the least is the lowest."""

from __future__ import annotations

from collections.abc import Sequence

from auctionctl.views.sparkline import BARS


def price_bars(values: Sequence[int | None]) -> str:
    """The least of ``values`` as the lowest bar, the greatest as the highest; None is a blank, one value a low bar."""
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    low, span = min(known), max(known) - min(known)
    steps = len(BARS) - 1
    return "".join(" " if value is None else BARS[(value - low) * steps // span if span else 0] for value in values)
