"""The phases of an auction and the events that lead from one to another, as data (DESIGN.md section 6).

What is not in the tables is not allowed. Everything that moves an auction from one phase to another stands here, and
so does everything that moves the settlement of its sale, which has stages of its own: bidding is over by then.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Final


class Phase(enum.StrEnum):
    """Where an auction stands."""

    ANNOUNCED = "announced"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class EndReason(enum.StrEnum):
    """Why an auction ended."""

    COMPLETED = "completed"
    RESERVE_NOT_MET = "reserve_not_met"
    NO_BIDS = "no_bids"
    CANCELLED = "cancelled"
    REVERTED = "reverted"


TRANSITIONS: Final = MappingProxyType(
    {
        (None, "terms"): Phase.ANNOUNCED,
        (Phase.ANNOUNCED, "joined"): Phase.ANNOUNCED,
        (Phase.ANNOUNCED, "left"): Phase.ANNOUNCED,
        (Phase.ANNOUNCED, "gap"): Phase.ANNOUNCED,
        (Phase.ANNOUNCED, "takeover"): Phase.ANNOUNCED,
        (Phase.ANNOUNCED, "opened"): Phase.OPEN,
        (Phase.ANNOUNCED, "cancelled"): Phase.CLOSED,
        (Phase.OPEN, "joined"): Phase.OPEN,
        (Phase.OPEN, "left"): Phase.OPEN,
        (Phase.OPEN, "bid"): Phase.OPEN,
        (Phase.OPEN, "gap"): Phase.OPEN,
        (Phase.OPEN, "takeover"): Phase.OPEN,
        (Phase.OPEN, "paused"): Phase.PAUSED,
        (Phase.OPEN, "closed"): Phase.CLOSED,
        (Phase.OPEN, "cancelled"): Phase.CLOSED,
        (Phase.PAUSED, "joined"): Phase.PAUSED,
        (Phase.PAUSED, "left"): Phase.PAUSED,
        (Phase.PAUSED, "gap"): Phase.PAUSED,
        (Phase.PAUSED, "takeover"): Phase.PAUSED,
        (Phase.PAUSED, "resumed"): Phase.OPEN,
        (Phase.PAUSED, "cancelled"): Phase.CLOSED,
    }
)
"""(phase, kind of entry) → the phase after it."""


class Stage(enum.StrEnum):
    """Where the settlement of a sale stands, once bidding is over."""

    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"
    DEFAULTED = "defaulted"
    OFFERED = "offered"
    SETTLED = "settled"
    REVERTED = "reverted"


SETTLEMENT: Final = MappingProxyType(
    {
        (Stage.PENDING_PAYMENT, "joined"): Stage.PENDING_PAYMENT,
        (Stage.PENDING_PAYMENT, "left"): Stage.PENDING_PAYMENT,
        (Stage.PENDING_PAYMENT, "gap"): Stage.PENDING_PAYMENT,
        (Stage.PENDING_PAYMENT, "takeover"): Stage.PENDING_PAYMENT,
        (Stage.PENDING_PAYMENT, "payment"): Stage.PAID,
        (Stage.PENDING_PAYMENT, "defaulted"): Stage.DEFAULTED,
        (Stage.PAID, "payment_rejected"): Stage.PENDING_PAYMENT,
        (Stage.PAID, "settled"): Stage.SETTLED,
        (Stage.PAID, "takeover"): Stage.PAID,
        (Stage.DEFAULTED, "gap"): Stage.DEFAULTED,
        (Stage.DEFAULTED, "takeover"): Stage.DEFAULTED,
        (Stage.DEFAULTED, "offered"): Stage.OFFERED,
        (Stage.DEFAULTED, "reverted"): Stage.REVERTED,
        (Stage.OFFERED, "gap"): Stage.OFFERED,
        (Stage.OFFERED, "takeover"): Stage.OFFERED,
        (Stage.OFFERED, "accepted"): Stage.PENDING_PAYMENT,
        (Stage.OFFERED, "declined"): Stage.DEFAULTED,
    }
)
"""(stage, kind of entry) → the stage after it: what may follow in a closed auction whose sale is to be settled."""


def next_phase(phase: Phase | None, kind: str) -> Phase | None:
    """The phase after an entry of ``kind``, or None where it is not allowed in ``phase``."""
    return TRANSITIONS.get((phase, kind))


def next_stage(stage: Stage, kind: str) -> Stage | None:
    """The stage after an entry of ``kind``, or None where it is not allowed in ``stage``."""
    return SETTLEMENT.get((stage, kind))
