"""Means and their 95% intervals, for people and for programs: fixed digits, for what is beyond them is no news.

Rule: the same estimate gives the same text everywhere. Money has two digits more than its currency, shares have four,
counts two; JSON has six.
"""

from __future__ import annotations

from collections.abc import Callable

from auctionctl.auction.price import minor_digits
from auctionctl.market.statistics import Z_95, Estimate

Show = Callable[[float], str]


def estimate_record(estimate: Estimate) -> dict[str, float | None]:
    """``mean``, ``low`` and ``high``."""
    low, high = estimate.interval() or (None, None)
    return {name: rounded(value) for name, value in (("mean", estimate.mean), ("low", low), ("high", high))}


def rounded(value: float | None) -> float | None:
    """``value`` with six digits after the point."""
    return None if value is None else round(value, 6)


def in_money(currency: str) -> Show:
    """Shows minor units of ``currency``, without its name."""
    digits = minor_digits(currency)
    scale: int = 10**digits
    return lambda minor: f"{minor / scale:.{digits + 2}f}"


def as_share(value: float) -> str:
    """A quotient."""
    return f"{value:.4f}"


def as_count(value: float) -> str:
    """A number of things."""
    return f"{value:.2f}"


def with_interval(estimate: Estimate, show: Show, unit: str = "") -> str:
    """Such as ``66.4812EUR (66.1102 to 66.8522)``; ``-`` where there is no mean."""
    if estimate.mean is None:
        return "-"
    interval = estimate.interval()
    bounds = "" if interval is None else f" ({show(interval[0])} to {show(interval[1])})"
    return f"{show(estimate.mean)}{unit}{bounds}"


def half_width(estimate: Estimate, show: Show) -> str:
    """Half of the interval; ``-`` where there is none."""
    return "-" if estimate.error is None else show(Z_95 * estimate.error)
