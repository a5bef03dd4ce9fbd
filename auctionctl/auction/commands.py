"""What participants sign besides terms, joinings and bids: commands of operators, and the steps of a settlement.

Rule: a command is entered in the log as its signer's verbatim bytes, once; it names house, auction and signer, and what
it is about (the payment, the offer), so that it means nothing anywhere else. ``not_after_ns`` bounds acceptance, and
nothing else; ``placed_at_ns`` is the signer's claim. Source: DESIGN.md sections 6 and 7.

Whether somebody who signs as an operator is one stands in the house's registry, not in the log of the auction: there it
is the house's word, which ``verify`` holds against a copy of the registry.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Annotated, Final

import msgspec

from auctionctl.auction.bid import MAX_SEQ, TimeNs
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.rules import Key
from auctionctl.auction.terms import SECOND_NS, Nonce
from auctionctl.errors import RemoteProtocolError

MAX_COMMAND_TIME_NS: Final = 300 * SECOND_NS
"""How far ahead of the house's time ``not_after_ns`` may be."""
MAX_WORDS_CHARACTERS: Final = 200

CommandId = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
"""SHA-256 of another command's bytes."""
Words = Annotated[str, msgspec.Meta(max_length=MAX_WORDS_CHARACTERS)]


class Capacity(enum.StrEnum):
    """As what somebody signs who may be the seller of the auction or an operator of the house."""

    SELLER = "seller"
    OPERATOR = "operator"


class Command(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What every command says. ``actor`` is its signer's key; ``nonce`` makes it another than all before."""

    house: Key
    auction: Key
    actor: Key
    nonce: Nonce
    placed_at_ns: TimeNs
    not_after_ns: TimeNs


class Pause(Command, tag="pause", array_like=True, frozen=True, gc=False):
    """An operator has the auction stand still."""

    reason: Words


class Resume(Command, tag="resume", array_like=True, frozen=True, gc=False):
    """An operator has the auction go on that an operator paused."""

    reason: Words


class Cancel(Command, tag="cancel", array_like=True, frozen=True, gc=False):
    """An operator calls the auction off."""

    reason: Words


class Pay(Command, tag="pay", array_like=True, frozen=True, gc=False):
    """The winner says that the price is paid; ``reference`` lets the seller find the payment."""

    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)]
    currency: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    reference: Words


class Settle(Command, tag="settle", array_like=True, frozen=True, gc=False):
    """The payment has come: the sale is settled. ``payment`` is the id of the pay command."""

    capacity: Capacity
    payment: CommandId


class RejectPayment(Command, tag="reject_payment", array_like=True, frozen=True, gc=False):
    """The payment has not come: the winner still owes it. ``payment`` is the id of the pay command."""

    capacity: Capacity
    payment: CommandId
    reason: Words


class Offer(Command, tag="offer", array_like=True, frozen=True, gc=False):
    """After a default the seller offers the lot to the next bidder at its own bid, which is entry ``bid_index``."""

    bidder: Key
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)]
    currency: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    bid_index: Annotated[int, msgspec.Meta(ge=1, le=MAX_SEQ)]


class Accept(Command, tag="accept", array_like=True, frozen=True, gc=False):
    """The bidder to whom the lot was offered buys it. ``offer`` is the id of the offer."""

    offer: CommandId


class Decline(Command, tag="decline", array_like=True, frozen=True, gc=False):
    """The bidder to whom the lot was offered does not buy it. ``offer`` is the id of the offer."""

    offer: CommandId


AnyCommand = Pause | Resume | Cancel | Pay | Settle | RejectPayment | Offer | Accept | Decline

KINDS: Final = MappingProxyType(
    {
        "pause": "paused",
        "resume": "resumed",
        "cancel": "cancelled",
        "pay": "payment",
        "settle": "settled",
        "reject_payment": "payment_rejected",
        "offer": "offered",
        "accept": "accepted",
        "decline": "declined",
    }
)
"""Type of a command → kind of the entry that it becomes."""

COMMAND_KINDS: Final = frozenset(KINDS.values())
"""Kinds of entries that hold a command where they are signed; where they are not, the word of the house."""

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)

encode_command = _encoder.encode
"""The bytes that its actor signs."""


def decode_command(data: bytes) -> AnyCommand:
    """A command from its canonical bytes; RemoteProtocolError for anything else."""
    try:
        command = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"not a command: {error}") from error
    if _encoder.encode(command) != data:
        raise RemoteProtocolError("not a command: not in canonical form")
    return command


def type_of(command: AnyCommand | type[AnyCommand]) -> str:
    """The type of a command, such as ``pause``: the tag of its struct."""
    tag = command.__struct_config__.tag
    assert isinstance(tag, str)
    return tag
