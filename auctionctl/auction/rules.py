"""The rules that a seller chooses for one auction, as part of its terms (DESIGN.md section 6)."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from auctionctl.auction.increments import Increment
from auctionctl.auction.price import MAX_MINOR

Key = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Minor = Annotated[int, msgspec.Meta(ge=0, le=MAX_MINOR)]
Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**62)]

MAX_MIN_BIDDERS: Final = 10_000


class Reserve(msgspec.Struct, array_like=True, frozen=True):
    """A price below which the lot is not sold: a hiding commitment, and its opening sealed to the escrow key."""

    commitment: Key
    sealed: Annotated[bytes, msgspec.Meta(min_length=1, max_length=512)]


class Rules(msgspec.Struct, array_like=True, frozen=True):
    """The rules of one auction; times in nanoseconds, amounts in minor units of ``currency``."""

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
