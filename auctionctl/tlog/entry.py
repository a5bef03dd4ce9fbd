"""One record of a log in its canonical bytes.

Its rule: an entry has exactly one encoding, and only that one is accepted. What a participant signed stands in ``body``
and ``signature`` verbatim; the authority of an event of the house, whose signature is empty, is the checkpoint over it.

Source: DESIGN.md section 7 (the kinds and the array ``[kind, time_ns, body, signature]``), the msgpack specification.
"""

from __future__ import annotations

import enum

import msgspec

from auctionctl.errors import MalformedEntryError

MAX_ENTRY_BYTES = 16384
SIGNATURE_BYTES = 64
TIME_LIMIT_NS = 2**63


class Kind(enum.StrEnum):
    """What an entry records. The first group stands in the log of an auction, the second in the registry."""

    TERMS = "terms"
    JOINED = "joined"
    LEFT = "left"
    OPENED = "opened"
    BID = "bid"
    PAUSED = "paused"
    RESUMED = "resumed"
    GAP = "gap"
    CLOSED = "closed"
    PAYMENT = "payment"
    PAYMENT_REJECTED = "payment_rejected"
    SETTLED = "settled"
    DEFAULTED = "defaulted"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVERTED = "reverted"
    CANCELLED = "cancelled"
    TAKEOVER = "takeover"

    ANNOUNCED = "announced"
    ADMITTED = "admitted"
    ROLE = "role"
    KEY_ROTATED = "key_rotated"
    KEY_REVOKED = "key_revoked"
    CONDUCT = "conduct"


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One record. ``time_ns`` is the house's, in nanoseconds since 1970; ``signature`` is 64 bytes or none."""

    kind: Kind
    time_ns: int
    body: bytes
    signature: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


def encode(entry: Entry) -> bytes:
    """Return the canonical bytes, at most ``MAX_ENTRY_BYTES`` of them.

    Raises MalformedEntryError for an entry that :func:`decode` would refuse, so that none is ever logged.
    """
    _check(entry)
    data = _encode(entry)
    if len(data) > MAX_ENTRY_BYTES:
        raise MalformedEntryError(f"{len(data)} bytes, more than {MAX_ENTRY_BYTES}")
    return data


def decode(data: bytes) -> Entry:
    """Return the entry whose one encoding is ``data``.

    Raises MalformedEntryError for anything else: another form of the same values, a kind, time or length out of range.
    """
    if len(data) > MAX_ENTRY_BYTES:
        raise MalformedEntryError(f"{len(data)} bytes, more than {MAX_ENTRY_BYTES}")
    try:
        entry = _decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedEntryError("not an array of kind, time, body and signature") from error
    _check(entry)
    # msgpack has several forms for one value (wide integers, long headers), and two forms would be two leaves.
    if _encode(entry) != data:
        raise MalformedEntryError("not in its canonical form")
    return entry


def _check(entry: Entry) -> None:
    if not 0 <= entry.time_ns < TIME_LIMIT_NS:
        raise MalformedEntryError(f"time {entry.time_ns} out of range")
    if len(entry.signature) not in (0, SIGNATURE_BYTES):
        raise MalformedEntryError(f"a signature of {len(entry.signature)} bytes")
