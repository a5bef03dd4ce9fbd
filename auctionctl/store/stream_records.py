"""What a message in the stream of a house says: one record of one log, in a header, and entries in its payload.

Rule: everything that opening a store needs lies in the header ``Auction``, so that no payload has to be read for it.
A message is named by the hash of all that it says, where it says it and behind what: the server takes the same message
a second time for the first, and another one under the same name never comes about. Source: DESIGN.md section 9.

The header is text, of words with a blank in between::

    entries TIME_NS FIRST COUNT WRITER     COUNT entries from index FIRST on; the payload is a msgpack array of them
    claim EPOCH INSTANCE [TIME_NS [SINCE_NS]] WRITER
                                           an instance of the house has the log from TIME_NS on, where that is known,
                                           and nobody looked after it from SINCE_NS on, where that was before
    removed SIZE WRITER                    the log is forgotten, with SIZE entries
    alive TIME_NS [ENDPOINT HOLDS [LATEST_NS]] WRITER
                                           an instance was alive then; among several, where and with how many logs, and
                                           what it says is dated by LATEST_NS, where that is later
    deposed TIME_NS [LATEST_NS [ENDPOINT]] WRITER
                                           the instance that was last alive then has ended in order; or, where it says
                                           at which ENDPOINT that was, another one takes over from it
    allowed TIME_NS WRITER                 the payload is the allow list of all instances, compressed (not of a log)
    limited TIME_NS WRITER                 the payload is the limits of the house, compressed (not of a log)
    opened LAYOUT INSTANCE WRITER          an instance has opened the store (not of a log)

WRITER is a number that each opening of a store draws anew: two that write the same in the same place are two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from auctionctl.errors import StoreError
from auctionctl.store.log_store import TIME_NS_MAX

HEADER: Final = "Auction"
MESSAGE_ID: Final = "Nats-Msg-Id"
LAYOUT: Final = 1
NOWHERE: Final = "-"
"""In the place of an endpoint that is not said."""
PIECE_BYTES: Final = 256 * 1024
"""What the entries of one message come to at the most, so that no server has to be set up for more."""

_PLAIN = re.compile(r"[A-Za-z0-9/_-]")
_ESCAPED = re.compile(r"=([0-9A-F]{2})")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[bytes]).decode


class Entries(msgspec.Struct, frozen=True):
    """``count`` entries from index ``first`` on, appended at ``time_ns``."""

    time_ns: int
    first: int
    count: int


class Claim(msgspec.Struct, frozen=True):
    """``instance`` has the log, and ``epoch`` with it; since ``time_ns``, or 0 where that was not said.

    Until ``since_ns`` somebody looked after it; 0 where that was until it got this holder, or is not known.
    """

    epoch: int
    instance: str
    time_ns: int = 0
    since_ns: int = 0


class Removed(msgspec.Struct, frozen=True):
    """The log, of ``size`` entries, is forgotten."""

    size: int


class Alive(msgspec.Struct, frozen=True):
    """Somebody was alive at ``time_ns``; among several instances, served at ``endpoint``, and held so many logs.

    ``latest_ns`` is the time by which what it says is dated; 0 where that is no later.
    """

    time_ns: int
    endpoint: str = ""
    holds: int = 0
    latest_ns: int = 0


class Deposed(msgspec.Struct, frozen=True):
    """The instance that signed last at ``time_ns`` is taken for dead by another, in the place of its next sign.

    ``latest_ns`` as it had said it; ``endpoint`` where it served, or empty where it says so itself, at its end.
    """

    time_ns: int
    latest_ns: int = 0
    endpoint: str = ""


class Allowed(msgspec.Struct, frozen=True):
    """The allow list of all instances is what comes with this, since ``time_ns``."""

    time_ns: int


class Limited(msgspec.Struct, frozen=True):
    """The limits of the house, for all instances, are what comes with this, since ``time_ns``."""

    time_ns: int


class Opened(msgspec.Struct, frozen=True):
    """``instance`` has opened the store."""

    instance: str


Record = Entries | Claim | Removed | Alive | Deposed | Allowed | Limited | Opened


class Message(msgspec.Struct, frozen=True):
    """One message to be stored under ``subject``, behind the one with the sequence number ``behind`` there.

    ``behind`` is 0 for a subject without messages, and None where another message of the same group comes just before.
    """

    subject: str
    behind: int | None
    header: str
    payload: bytes = b""

    @property
    def id(self) -> str:
        """The hash of all of it."""
        place = f"{self.subject}\n{self.behind}\n{self.header}\n".encode()
        return sha256(place + self.payload).hexdigest()


def write_header(record: Record, writer: str) -> str:
    """The header that says ``record``, by ``writer``, who is a word."""
    match record:
        case Entries(time_ns, first, count):
            words: tuple[object, ...] = ("entries", time_ns, first, count)
        case Claim(epoch, instance, 0):
            words = ("claim", epoch, instance)
        case Claim(epoch, instance, time_ns, 0):
            words = ("claim", epoch, instance, time_ns)
        case Claim(epoch, instance, time_ns, since_ns):
            words = ("claim", epoch, instance, time_ns, since_ns)
        case Removed(size):
            words = ("removed", size)
        case Alive(time_ns, "", 0, 0):
            words = ("alive", time_ns)
        case Alive(time_ns, endpoint, holds, latest_ns):
            words = ("alive", time_ns, endpoint or NOWHERE, holds, *([latest_ns] if latest_ns else []))
        case Deposed(time_ns, latest_ns, ""):
            words = ("deposed", time_ns, *([latest_ns] if latest_ns else []))
        case Deposed(time_ns, latest_ns, endpoint):
            words = ("deposed", time_ns, latest_ns, endpoint)
        case Allowed(time_ns):
            words = ("allowed", time_ns)
        case Limited(time_ns):
            words = ("limited", time_ns)
        case Opened(instance):
            words = ("opened", LAYOUT, instance)
    return " ".join(map(str, (*words, writer)))


def read_header(text: str) -> Record:
    """The record that a header says. Raises StoreError if it says none, or one of a later layout."""
    kind, *words = text.split(" ")
    try:
        match kind, words:
            case "entries", [time_ns, first, count, _]:
                return Entries(_number(time_ns), _number(first), _number(count))
            case "claim", [epoch, instance, _]:
                return Claim(_number(epoch), instance)
            case "claim", [epoch, instance, time_ns, _]:
                return Claim(_number(epoch), instance, _number(time_ns))
            case "claim", [epoch, instance, time_ns, since_ns, _]:
                return Claim(_number(epoch), instance, _number(time_ns), _number(since_ns))
            case "removed", [size, _]:
                return Removed(_number(size))
            case "alive", [time_ns, _]:
                return Alive(_number(time_ns))
            case "alive", [time_ns, endpoint, holds, _]:
                return Alive(_number(time_ns), "" if endpoint == NOWHERE else endpoint, _number(holds))
            case "alive", [time_ns, endpoint, holds, latest_ns, _]:
                where = "" if endpoint == NOWHERE else endpoint
                return Alive(_number(time_ns), where, _number(holds), _number(latest_ns))
            case "deposed", [time_ns, _]:
                return Deposed(_number(time_ns))
            case "deposed", [time_ns, latest_ns, _]:
                return Deposed(_number(time_ns), _number(latest_ns))
            case "deposed", [time_ns, latest_ns, endpoint, _]:
                return Deposed(_number(time_ns), _number(latest_ns), endpoint)
            case "allowed", [time_ns, _]:
                return Allowed(_number(time_ns))
            case "limited", [time_ns, _]:
                return Limited(_number(time_ns))
            case "opened", [layout, instance, _] if _number(layout) == LAYOUT:
                return Opened(instance)
    except ValueError:
        pass
    raise StoreError(
        f"a message says {text!r:.120}, which is no record", hint="is it of a later version of auctionctl?"
    )


def split(entries: Sequence[bytes]) -> list[bytes]:
    """Payloads that hold ``entries``, in order, each of at most :data:`PIECE_BYTES` and one entry."""
    payloads: list[bytes] = []
    piece: list[bytes] = []
    piece_bytes = 0
    for entry in entries:
        if piece and piece_bytes + len(entry) > PIECE_BYTES:
            payloads.append(_encode(piece))
            piece, piece_bytes = [], 0
        piece.append(entry)
        piece_bytes += len(entry) + 5
    return [*payloads, _encode(piece)] if piece else payloads


def join(payload: bytes, record: Entries) -> list[bytes]:
    """The entries in ``payload``. Raises StoreError if they are not those that the header says."""
    try:
        entries = _decode(payload)
    except msgspec.DecodeError as error:
        raise StoreError(f"a message of entries cannot be read: {error}") from error
    if len(entries) != record.count:
        raise StoreError(f"a message holds {len(entries)} entries, and says {record.count}")
    return entries


def count_in(payload: bytes) -> int:
    """How many entries a payload of :func:`split` holds."""
    return len(_decode(payload))


def subject_word(log: str) -> str:
    """The name of a log as one word of a subject; what a subject cannot hold is written =XX."""
    return "".join(character if _PLAIN.match(character) else f"={ord(character):02X}" for character in log)


def log_named(word: str) -> str:
    """The log that :func:`subject_word` made ``word`` of."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), word)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    number = int(text)
    if number > TIME_NS_MAX:
        raise ValueError(text)
    return number
