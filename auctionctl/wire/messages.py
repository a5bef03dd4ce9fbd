"""The shape of every message but ``bid`` and ``join``, which the log keeps too (:mod:`auctionctl.auction.bid`).

Canonical msgpack arrays, typed; times in nanoseconds since the Unix epoch, identifiers 32 bytes. ``auction`` empty
stands for the registry. Bodies that do not re-encode to the same bytes are malformed (DESIGN.md section 8).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, TypeVar

import msgspec

from auctionctl.auction.bid import TimeNs
from auctionctl.auction.rules import Key
from auctionctl.auction.terms import Nonce
from auctionctl.errors import RemoteProtocolError
from auctionctl.tlog.note import MAX_NOTE_BYTES
from auctionctl.wire.address import ENDPOINT_OR_NOTHING, MAX_ENDPOINT_CHARACTERS
from auctionctl.wire.measures import Measure, Measures

MAX_AUCTIONS_A_MESSAGE: Final = 256
MAX_ENTRIES_BYTES: Final = 65_536
"""How many bytes of entries one answer to ``read`` holds, at most (one entry is always sent)."""

MAX_ANSWERS_A_MESSAGE: Final = 100
"""How many receipts or rejections one message holds: few enough for MAX_REPLY_BYTES, however large the log."""

MAX_FINISH_BYTES: Final = 4_096
"""How long the command within a ``finish`` may be: every command is far shorter."""

Size = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Signature = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Log = Annotated[bytes, msgspec.Meta(max_length=32)]
MAX_TEXT_CHARACTERS: Final = 1_000
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARACTERS)]
Note = Annotated[bytes, msgspec.Meta(max_length=MAX_NOTE_BYTES)]

# From a session to the house


class Hello(msgspec.Struct, array_like=True, tag="hello", frozen=True):
    """I am ``identity``, over this ``transport`` key, in this ``role``. Signed by the identity."""

    version: Annotated[int, msgspec.Meta(ge=0, le=2**31)]
    house: Key
    identity: Key
    transport: Key
    role: Annotated[str, msgspec.Meta(max_length=32)]
    nonce: Nonce
    time_ns: TimeNs


class Bye(msgspec.Struct, array_like=True, tag="bye", frozen=True):
    """This session ends now."""


class Ping(msgspec.Struct, array_like=True, tag="ping", frozen=True):
    """Are you there? ``token`` comes back."""

    token: Size


class List(msgspec.Struct, array_like=True, tag="list", frozen=True):
    """Which auctions are there? From ``start`` on."""

    start: Size


class Subscribe(msgspec.Struct, array_like=True, tag="subscribe", frozen=True):
    """Send me new entries of these auctions."""

    auctions: Annotated[tuple[Log, ...], msgspec.Meta(max_length=MAX_AUCTIONS_A_MESSAGE)]


class Read(msgspec.Struct, array_like=True, tag="read", frozen=True):
    """Send me the entries of this log from index ``start`` on."""

    auction: Log
    start: Size


class Remind(msgspec.Struct, array_like=True, tag="remind", frozen=True):
    """You have signed this checkpoint of this log, whatever your store says now. ``note`` is its own authority."""

    log: Log
    note: Note


class Finish(msgspec.Struct, array_like=True, tag="finish", frozen=True):
    """A command of a key that mine has taken the place of, signed by that one: what it began comes to its end."""

    house: Key
    actor: Key
    command: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MAX_FINISH_BYTES)]
    signature: Signature


class Status(msgspec.Struct, array_like=True, tag="status", frozen=True):
    """How is the house?"""


# From the house to a session


class Welcome(msgspec.Struct, array_like=True, tag="welcome", frozen=True):
    """You are known. Signed by the house, over the nonce and transport keys of both sides."""

    version: Size
    nonce: Nonce
    identity: Key
    transport: Key
    house_transport: Key
    escrow: Key
    role: Text
    time_ns: TimeNs
    queue_limit: Size


class Refused(msgspec.Struct, array_like=True, tag="refused", frozen=True):
    """Unsigned: it never reached the rules. ``command`` names what was refused, or is empty."""

    code: Annotated[str, msgspec.Meta(max_length=32)]
    message: Text
    command: Log = b""
    retry_after_ns: TimeNs = 0


class Moved(msgspec.Struct, array_like=True, tag="moved", frozen=True, gc=False):
    """What is asked of ``log`` is taken at ``endpoint``, ``host:port``; if that is empty, nowhere just now."""

    log: Log
    endpoint: Annotated[str, msgspec.Meta(max_length=MAX_ENDPOINT_CHARACTERS, pattern=ENDPOINT_OR_NOTHING)]
    command: Log = b""
    retry_ns: TimeNs = 0


class Pong(msgspec.Struct, array_like=True, tag="pong", frozen=True):
    """Yes; it is ``time_ns`` here."""

    token: Size
    time_ns: TimeNs


class InstanceWord(msgspec.Struct, array_like=True, frozen=True):
    """One of several instances of the house, as another one sees it: where it is, and how many auctions it holds."""

    name: Text
    endpoint: Annotated[str, msgspec.Meta(max_length=MAX_ENDPOINT_CHARACTERS, pattern=ENDPOINT_OR_NOTHING)]
    is_alive: bool
    holds: Size


class Condition(msgspec.Struct, array_like=True, tag="condition", frozen=True):
    """How the house is, by its own word: unsigned, and nothing is to be proved by it.

    ``warnings`` are (code, words) of what keeps it from its work, the gravest first; times are its own. Of a house of
    several instances, ``instance`` is the one that answers; ``instances`` are all of them.
    """

    time_ns: TimeNs
    started_ns: TimeNs
    open_count: Size
    unfinished_count: Size
    session_count: Size
    registry_size: Size
    warnings: tuple[tuple[Annotated[str, msgspec.Meta(max_length=32)], Text], ...]
    instance: Text = ""
    instances: tuple[InstanceWord, ...] = ()


class Listing(msgspec.Struct, array_like=True, frozen=True):
    """One auction of a catalogue: its terms as the seller signed them, how long its log is, and the proof that the
    registry announces it (:mod:`auctionctl.replica.announcement`)."""

    terms: bytes
    signature: Signature
    size: Size
    announcement: bytes


class Catalogue(msgspec.Struct, array_like=True, tag="catalogue", frozen=True):
    """Auctions ``start`` to ``start + len(listings)`` of ``total``."""

    start: Size
    total: Size
    listings: tuple[Listing, ...]


class Entries(msgspec.Struct, array_like=True, tag="entries", frozen=True, gc=False):
    """Entries of a log from index ``start`` on, as they stand in it, and a checkpoint at or beyond their end.

    Both the feed and the answer to ``read``.
    """

    auction: Log
    start: Size
    entries: tuple[bytes, ...]
    checkpoint: bytes


class ClockHead(msgspec.Struct, array_like=True, tag="clock_head", frozen=True, gc=False):
    """A log that you follow was just this, and it was so late: ``note`` is a checkpoint with a cosignature.

    A later entry that is dated before that time proves that the house back-dated it.
    """

    auction: Log
    note: Note


class Receipted(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Your command is entry ``index``, dated ``time_ns``; ``proof`` is its inclusion proof, 32 bytes a hash."""

    command: Key
    time_ns: TimeNs
    index: Size
    proof: bytes


class Receipts(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What became durable of yours in one batch of one log, under one checkpoint."""

    auction: Log
    checkpoint: bytes
    receipts: tuple[Receipted, ...]


class Acknowledged(msgspec.Struct, array_like=True, tag="acknowledged", frozen=True, gc=False):
    """What became durable of yours in one batch: receipts, log by log."""

    logs: tuple[Receipts, ...]


class Rejection(msgspec.Struct, array_like=True, tag="rejection", frozen=True, gc=False):
    """The rules refused ``command``, judged at ``log_size`` entries and ``time_ns``. A leaf of a batch's tree."""

    house: Key
    auction: Log
    command: Key
    code: Annotated[str, msgspec.Meta(max_length=32)]
    observed: tuple[tuple[str, int], ...]
    log_size: Size
    time_ns: TimeNs


class Rejected(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One rejection (its encoded bytes), its place in the batch, and its proof in the batch's tree."""

    rejection: bytes
    index: Size
    proof: bytes


class Rejections(msgspec.Struct, array_like=True, tag="rejections", frozen=True, gc=False):
    """Rejections of one batch. ``signature`` is the house's over :func:`rejections_head` of ``count`` and ``root``."""

    count: Size
    root: Key
    signature: Signature
    rejections: tuple[Rejected, ...]


class RejectionsHead(msgspec.Struct, array_like=True, tag="rejections_head", frozen=True, gc=False):
    """What the house signs for a batch of rejections: how many leaves, and their RFC 6962 root."""

    count: Size
    root: Key


OwnWord = Condition | Measures
"""What a house says of itself, which proves nothing."""

Request = Hello | Bye | Ping | List | Subscribe | Read | Remind | Status | Measure
Reply = Welcome | Refused | Moved | Pong | OwnWord | Catalogue | Entries | ClockHead | Acknowledged | Rejections

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_finish = msgspec.msgpack.Decoder(Finish)
_rejection = msgspec.msgpack.Decoder(Rejection)

encode = _encoder.encode
"""The canonical bytes of any message of this module."""

T = TypeVar("T")


def _decode(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T:
    try:
        message = decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"malformed message: {error}") from error
    if _encoder.encode(message) != body:
        raise RemoteProtocolError("malformed message: not in canonical form")
    return message


def parts_of(answers: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """``answers`` in order, cut into what one message holds."""
    for start in range(0, len(answers), MAX_ANSWERS_A_MESSAGE):
        yield tuple(answers[start : start + MAX_ANSWERS_A_MESSAGE])


def acknowledge(receipts: Sequence[Receipts]) -> Iterator[Acknowledged]:
    """``receipts`` of one session, cut into what one message holds; each of them is within that already."""
    part: list[Receipts] = []
    count = 0
    for its_receipts in receipts:
        if part and count + len(its_receipts.receipts) > MAX_ANSWERS_A_MESSAGE:
            yield Acknowledged(tuple(part))
            part, count = [], 0
        part.append(its_receipts)
        count += len(its_receipts.receipts)
    if part:
        yield Acknowledged(tuple(part))


def decode_request(body: bytes) -> Request:
    """A message to the house, but ``bid`` and ``join``; RemoteProtocolError for anything else."""
    return _decode(_requests, body)


def decode_finish(body: bytes) -> Finish:
    """A ``finish``; RemoteProtocolError for anything else."""
    return _decode(_finish, body)


def decode_reply(body: bytes) -> Reply:
    """A message from a house; RemoteProtocolError for anything else."""
    return _decode(_replies, body)


def decode_rejection(body: bytes) -> Rejection:
    """One leaf of a batch of rejections; RemoteProtocolError for anything else."""
    return _decode(_rejection, body)
