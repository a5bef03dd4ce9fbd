"""What the house itself says happened: the bodies of its own entries (DESIGN.md sections 6 and 7).

A participant's entries (terms, joined, bid, commands) hold the participant's signed bytes instead. These bodies carry
no signature: the checkpoint over the log is the house's word for all of them.
"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from auctionctl.auction.bid import TimeNs
from auctionctl.auction.rules import Key, Minor
from auctionctl.auction.terms import ReserveOpening
from auctionctl.errors import MalformedEntryError


class GapCause(enum.StrEnum):
    """Why nobody could bid for a while."""

    RESTART = "restart"
    GATEWAY_LOST = "gateway_lost"
    STALLED = "stalled"
    TAKEOVER = "takeover"


class PauseCause(enum.StrEnum):
    """Why the house itself has an auction stand still or go on."""

    TERMS = "terms"
    CAP = "cap"


class DefaultCause(enum.StrEnum):
    """What the winner did not do."""

    LATE = "late"
    ABSENT = "absent"


class Opened(msgspec.Struct, array_like=True, tag="opened", frozen=True, gc=False):
    """Enough bidders have joined: bids are taken from now on."""


class Left(msgspec.Struct, array_like=True, tag="left", frozen=True, gc=False):
    """The house has lost sight of a bidder, or was told goodbye."""

    bidder: Key


class Gap(msgspec.Struct, array_like=True, tag="gap", frozen=True, gc=False):
    """Nobody could bid from ``since_ns`` until ``until_ns``: running deadlines move by the difference."""

    since_ns: TimeNs
    until_ns: TimeNs
    cause: GapCause


class Takeover(msgspec.Struct, array_like=True, tag="takeover", frozen=True, gc=False):
    """Another instance of the house writes this log from here on, and the one before it no more.

    ``epoch`` counts who has claimed the log in its store, where a claim outdates all before it.
    """

    instance: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    epoch: Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class Cancelled(msgspec.Struct, array_like=True, tag="cancelled", frozen=True, gc=False):
    """There is no sale, and why."""

    reason: Annotated[str, msgspec.Meta(max_length=64)]


class Paused(msgspec.Struct, array_like=True, tag="paused", frozen=True, gc=False):
    """Bidders have left, and the terms have the auction wait for them."""

    cause: PauseCause


class Resumed(msgspec.Struct, array_like=True, tag="resumed", frozen=True, gc=False):
    """The auction goes on: there is nobody to wait for any more (``terms``), or it has waited long enough (``cap``)."""

    cause: PauseCause


class Defaulted(msgspec.Struct, array_like=True, tag="defaulted", frozen=True, gc=False):
    """The winner has not paid in time, or was gone for too long."""

    bidder: Key
    cause: DefaultCause


class OfferLapsed(msgspec.Struct, array_like=True, tag="declined", frozen=True, gc=False):
    """The bidder to whom the lot was offered has not answered in time. ``offer`` is the id of the offer."""

    offer: Key


class Reverted(msgspec.Struct, array_like=True, tag="reverted", frozen=True, gc=False):
    """The sale is undone: nobody has bought the lot."""


class Closed(msgspec.Struct, array_like=True, tag="closed", frozen=True, gc=False):
    """The end: its reason and, where there is one, winner, price and the index of the winning bid.

    ``reserve`` opens the commitment of the terms, whenever they hold one.
    """

    end_reason: str
    winner: Key | None = None
    price_minor: Minor | None = None
    bid_index: Annotated[int, msgspec.Meta(ge=0)] | None = None
    reserve: ReserveOpening | None = None


HouseEvent = Opened | Left | Gap | Takeover | Paused | Resumed | Cancelled | Closed | Defaulted | OfferLapsed | Reverted

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[HouseEvent] = msgspec.msgpack.Decoder(HouseEvent)


def kind_of(event: HouseEvent) -> str:
    """The kind of the entry that carries ``event``: the tag of its type."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def encode_event(event: HouseEvent) -> bytes:
    """The body of the entry that carries ``event``."""
    return _encoder.encode(event)


def decode_event(kind: str, body: bytes) -> HouseEvent:
    """The event in an entry of ``kind``; MalformedEntryError for a body that is none, or of another kind."""
    try:
        event = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedEntryError(f"not an event of the house: {error}") from error
    if _encoder.encode(event) != body:
        raise MalformedEntryError("not an event of the house: not in canonical form")
    if kind_of(event) != kind:
        raise MalformedEntryError(f"an entry of kind {kind} holds an event of kind {kind_of(event)}")
    return event
