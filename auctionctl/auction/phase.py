"""The phases of an auction and the events that lead from one to another, as data (DESIGN.md section 6).

What is not in the table is not allowed. Everything that moves an auction from one phase to another stands here.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Final


class Phase(enum.StrEnum):
    """Where an auction stands."""

    ANNOUNCED = "announced"
    OPEN = "open"
    CLOSED = "closed"


class EndReason(enum.StrEnum):
    """Why an auction ended."""

    COMPLETED = "completed"
    RESERVE_NOT_MET = "reserve_not_met"
    NO_BIDS = "no_bids"
    CANCELLED = "cancelled"


TRANSITIONS: Final = MappingProxyType(
    {
        (None, "terms"): Phase.ANNOUNCED,
        (Phase.ANNOUNCED, "joined"): Phase.ANNOUNCED,
        (Phase.ANNOUNCED, "left"): Phase.ANNOUNCED,
        (Phase.ANNOUNCED, "gap"): Phase.ANNOUNCED,
        (Phase.ANNOUNCED, "opened"): Phase.OPEN,
        (Phase.ANNOUNCED, "cancelled"): Phase.CLOSED,
        (Phase.OPEN, "joined"): Phase.OPEN,
        (Phase.OPEN, "left"): Phase.OPEN,
        (Phase.OPEN, "bid"): Phase.OPEN,
        (Phase.OPEN, "gap"): Phase.OPEN,
        (Phase.OPEN, "closed"): Phase.CLOSED,
    }
)
"""(phase, kind of entry) → the phase after it."""


def next_phase(phase: Phase | None, kind: str) -> Phase | None:
    """The phase after an entry of ``kind``, or None where it is not allowed in ``phase``."""
    return TRANSITIONS.get((phase, kind))
