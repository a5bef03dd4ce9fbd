"""Figures for people: durations, sizes and rates in the unit that leaves few digits."""

from __future__ import annotations

from typing import Final

_DURATIONS: Final = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))
_SIZES: Final = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def duration_text(duration_ns: int) -> str:
    """``850 ns``, ``12.3 µs``, ``4.56 ms``, ``1.50 s``: three digits; ``-`` for none."""
    for unit_ns, name in _DURATIONS:
        if duration_ns >= unit_ns:
            return f"{_three(duration_ns / unit_ns)} {name}"
    return f"{duration_ns} ns" if duration_ns else "-"


def size_text(size_bytes: int) -> str:
    """``512 B``, ``1.50 KiB``, ``83.2 MiB``; ``-`` for none."""
    for unit_bytes, name in _SIZES:
        if size_bytes >= unit_bytes:
            return f"{_three(size_bytes / unit_bytes)} {name}"
    return f"{size_bytes} B" if size_bytes else "-"


def rate_text(count: int, span_ns: int) -> str:
    """How many a second: whole from 10 on, with a digit after the point below."""
    per_s = count * 1_000_000_000 / span_ns if span_ns > 0 else 0.0
    return f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.1f}"


def _three(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
