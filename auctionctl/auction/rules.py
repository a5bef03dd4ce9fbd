"""The rules that a seller chooses for one auction, as part of its terms (DESIGN.md section 6)."""

from __future__ import annotations

import enum
from typing import Annotated, Final

import msgspec

from auctionctl.auction.increments import Increment
from auctionctl.auction.price import MAX_MINOR

Key = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Minor = Annotated[int, msgspec.Meta(ge=0, le=MAX_MINOR)]
Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
WHOLE_PPM: Final = 1_000_000
"""A share of one, in parts per million."""
Ppm = Annotated[int, msgspec.Meta(ge=0, le=WHOLE_PPM)]

MAX_MIN_BIDDERS: Final = 10_000
MAX_PAUSES: Final = 1_000


class Reserve(msgspec.Struct, array_like=True, frozen=True):
    """A price below which the lot is not sold: a hiding commitment, and its opening sealed to the escrow key."""

    commitment: Key
    sealed: Annotated[bytes, msgspec.Meta(min_length=1, max_length=512)]


class Disconnection(enum.StrEnum):
    """What an open auction does when a bidder has left."""

    CONTINUE = "continue"
    PAUSE_BELOW_MIN_BIDDERS = "pause_below_min_bidders"
    PAUSE = "pause"


class OnDefault(enum.StrEnum):
    """What becomes of a sale that was not paid for."""

    REVERT = "revert"
    OFFER = "offer"


class Cancellation(enum.StrEnum):
    """How long an operator may call an auction off."""

    BEFORE_FIRST_BID = "before_first_bid"
    BEFORE_CLOSE = "before_close"


class PauseRules(msgspec.Struct, array_like=True, frozen=True):
    """When an open auction stands still for those who have left, and how often and how long it may at all.

    ``max_pauses`` and ``max_pause_ns`` are in all, those by operators included; the others are what one bidder's
    absence may cause. Times in nanoseconds.
    """

    disconnection: Disconnection = Disconnection.CONTINUE
    max_pauses: Annotated[int, msgspec.Meta(ge=0, le=MAX_PAUSES)] = 10
    max_pause_ns: Nanoseconds = 1_800_000_000_000
    max_pauses_a_bidder: Annotated[int, msgspec.Meta(ge=0, le=MAX_PAUSES)] = 2
    max_pause_a_bidder_ns: Nanoseconds = 120_000_000_000


class PaymentRules(msgspec.Struct, array_like=True, frozen=True):
    """How a sale is settled; times in nanoseconds.

    ``payment_ns`` is how long the winner has to pay, 0 where the log ends with the close. ``absence_ns`` is how long it
    may be gone meanwhile, 0 where that does not matter. ``offer_ns`` is how long the seller has to make an offer after
    a default, and the next bidder to answer it.
    """

    payment_ns: Nanoseconds = 0
    absence_ns: Nanoseconds = 0
    on_default: OnDefault = OnDefault.REVERT
    offer_ns: Nanoseconds = 0


class Rules(msgspec.Struct, array_like=True, frozen=True):
    """The rules of one auction; times in nanoseconds, amounts in minor units of ``currency``.

    ``min_reputation_ppm`` is what a bidder's reputation at this house has to be at least, in parts per million, for it
    to take part; 0 asks for none.
    """

    format: str
    currency: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    starting_price_minor: Minor
    increment: Increment
    duration_ns: Nanoseconds
    start_timeout_ns: Nanoseconds
    min_bidders: Annotated[int, msgspec.Meta(ge=1, le=MAX_MIN_BIDDERS)]
    bid_timeout_ns: Nanoseconds
    soft_close_window_ns: Nanoseconds = 0
    max_extension_ns: Nanoseconds = 0
    reserve: Reserve | None = None
    pauses: PauseRules = PauseRules()
    payment: PaymentRules = PaymentRules()
    cancellation: Cancellation = Cancellation.BEFORE_FIRST_BID
    min_reputation_ppm: Ppm = 0
