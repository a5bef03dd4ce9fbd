"""What a benchmark comes to: rows of value, unit and ratio, each beside its target and whether that is met.

Rule: where a row has a ratio, the target is one of the ratio; else of the value. The targets are those of DESIGN.md
section 11, and nobody's opinion of a machine.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import assert_never


class Sense(enum.StrEnum):
    """Which side of its limit a target is met on."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True)
class Target:
    """A limit that is to be reached, or not to be passed."""

    sense: Sense
    limit: float

    def is_met_by(self, measured: float) -> bool:
        """Whether ``measured`` is on the right side of the limit, or on it."""
        match self.sense:
            case Sense.AT_LEAST:
                return measured >= self.limit
            case Sense.AT_MOST:
                return measured <= self.limit
            case _:
                assert_never(self.sense)

    @property
    def words(self) -> str:
        """As in ``≥ 0.9``."""
        return f"{'≥' if self.sense is Sense.AT_LEAST else '≤'} {self.limit:g}"


def at_least(limit: float) -> Target:
    """A target that is reached from ``limit`` on."""
    return Target(Sense.AT_LEAST, limit)


def at_most(limit: float) -> Target:
    """A target that is kept up to ``limit``."""
    return Target(Sense.AT_MOST, limit)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``ratio`` is what it is to be compared by, where there is anything; ``against`` says to what."""

    what: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""
    target: Target | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.target.is_met_by(self.value if self.ratio is None else self.ratio)

    def record(self, benchmark: str) -> dict[str, object]:
        """For programs."""
        return {
            "benchmark": benchmark,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "ratio": self.ratio,
            "against": self.against,
            "target": None if self.target is None else {"sense": self.target.sense.value, "limit": self.target.limit},
            "is_met": self.is_met,
        }

    def cells(self, benchmark: str) -> tuple[str, ...]:
        """For people: as :data:`COLUMNS`."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} {self.against}".strip()
        verdict = {True: "met", False: "not met", None: ""}[self.is_met]
        target = "" if self.target is None else self.target.words
        return benchmark, self.what, f"{_short(self.value)} {self.unit}", ratio, target, verdict


COLUMNS = ("benchmark", "what", "value", "ratio", "target", "verdict")


def _short(value: float) -> str:
    """Three digits that say something, or as many as stand before the point."""
    for limit, digits in ((100.0, 0), (10.0, 1)):
        if abs(value) >= limit:
            return f"{value:.{digits}f}"
    return f"{value:.2f}"
