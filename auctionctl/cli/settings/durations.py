"""Durations as people write them, exact to the nanosecond: ``500ms``, ``8s``, ``5m``, ``1h30m``, ``1d``.

Rule: units fall in size and each stands once; whole numbers only, so nothing is rounded.
"""

from __future__ import annotations

import re
from typing import Final

from auctionctl.errors import ConfigurationError

UNITS_NS: Final = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}

MAX_NS: Final = 2**62
_PATTERN: Final = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,20}}){unit}(?![a-z]))?" for unit in UNITS_NS))


def parse_duration(text: str) -> int:
    """``text`` in nanoseconds. Raises ConfigurationError for anything but numbers with falling units."""
    match = _PATTERN.fullmatch(text.strip())
    given = {} if match is None else {unit: int(count) for unit, count in match.groupdict().items() if count}
    if not given:
        raise ConfigurationError(f"not a duration: {text[:40]!r}", hint="write it as 500ms, 30s, 5m, 1h30m or 1d")
    total_ns = sum(UNITS_NS[unit] * count for unit, count in given.items())
    if total_ns > MAX_NS:
        raise ConfigurationError(f"a duration of {text[:40]!r} is too long")
    return total_ns


def format_duration(duration_ns: int) -> str:
    """The shortest text that :func:`parse_duration` reads as ``duration_ns`` (≥ 0)."""
    parts = []
    for unit, unit_ns in UNITS_NS.items():
        count, duration_ns = divmod(duration_ns, unit_ns)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
