"""Checkpoints: a log's size and root under the signature of its house.

Its rule: the text is three lines and no more (origin, size, root), each in its only form; the note is signed under the
name of its origin. So one checkpoint has one text, and Ed25519 being deterministic, one plain note; signed together
with others it has one in each company (:mod:`auctionctl.tlog.heads`).

Source: https://c2sp.org/tlog-checkpoint, without extension lines; the origins are those of DESIGN.md section 7.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from functools import lru_cache

import msgspec

from auctionctl.errors import NoteError
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.merkle import HASH_BYTES, SIZE_LIMIT
from auctionctl.tlog.note import NoteSigner, check_name, decode_base64, encode_base64, open_note

REGISTRY = "registry"
MAX_ORIGIN_BYTES = 512
RECENT = 64
"""As many as signatures are remembered (:mod:`auctionctl.tlog.note`)."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_HOUSE = re.compile(r"[!-*,-.0-~]{1,256}")  # printable ASCII without space, plus sign and slash
_LOG = re.compile(r"registry|auction/[0-9a-f]{64}")


class Checkpoint(msgspec.Struct, frozen=True):
    """The head of a log: ``size`` entries under the 32-byte ``root``; ``origin`` names the log for ever."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed: three lines."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


class CheckpointSigner:
    """Signs the checkpoints of one log; origin and key IDs are worked out once."""

    __slots__ = ("_lead", "signer")

    signer: NoteSigner
    """What signs the log's notes, under its origin."""

    def __init__(self, origin: str, key: SecretKey) -> None:
        """Raises NoteError for an origin that cannot name a note."""
        self.signer = NoteSigner(_check_origin(origin), key)
        self._lead = f"{origin}\n".encode()

    def sign(self, size: int, root: bytes) -> bytes:
        """Return the signed note of the checkpoint of ``size`` entries under the 32-byte ``root``, in the plain form.

        Raises NoteError for a size or root that no log has. Many logs at once: :mod:`auctionctl.tlog.heads`.
        """
        return self.signer.sign(self.text(size, root))

    def text(self, size: int, root: bytes) -> bytes:
        """Return the text that is signed, ``Checkpoint.text`` in bytes; NoteError as in :meth:`sign`."""
        if not 0 <= size < SIZE_LIMIT or len(root) != HASH_BYTES:
            raise NoteError(f"no checkpoint of {size} entries under a root of {len(root)} bytes")
        return b"%b%d\n%b" % (self._lead, size, b2a_base64(root))


def sign_checkpoint(checkpoint: Checkpoint, key: SecretKey) -> bytes:
    """Return the note of ``checkpoint`` signed by ``key``. Raises NoteError for one that :func:`parse` would refuse."""
    return CheckpointSigner(checkpoint.origin, key).sign(checkpoint.size, checkpoint.root)


@lru_cache(maxsize=RECENT)
def open_checkpoint(note: bytes, origin: str, public: bytes) -> Checkpoint:
    """Return the checkpoint of the log ``origin`` that the 32-byte Ed25519 key ``public`` signed; else NoteError.

    One note comes in the feed and in receipts, and to whoever holds several copies of a log: what the last
    :data:`RECENT` that hold say is remembered, which follows from the three arguments alone.
    """
    checkpoint = parse(open_note(note, origin, public))
    if checkpoint.origin != origin:
        raise NoteError("a checkpoint of another log")
    return checkpoint


def parse(text: str) -> Checkpoint:
    """Return the checkpoint whose only text is ``text``; else NoteError. Whether it is signed is not looked at here."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise NoteError("a checkpoint is three lines: origin, size, root")
    root = decode_base64(lines[2])
    if len(root) != HASH_BYTES:
        raise NoteError(f"a root of {len(root)} bytes")
    return Checkpoint(_check_origin(lines[0]), parse_decimal(lines[1]), root)


def parse_decimal(text: str) -> int:
    """Return the number, 0 to 2**63 − 1, whose only decimal form is ``text``; else NoteError."""
    if not _DECIMAL.fullmatch(text) or (number := int(text)) >= SIZE_LIMIT:
        raise NoteError("not a decimal number below 2**63 without leading zeros")
    return number


def origin_of(house_text: str, log: str) -> str:
    """Return the origin of a house's log: ``log`` is ``registry``, or ``auction/`` and 64 hexadecimal digits.

    ``house_text`` is the house's public identity in text. Raises NoteError for parts that :func:`split_origin` refuses.
    """
    if not _HOUSE.fullmatch(house_text) or not _LOG.fullmatch(log):
        raise NoteError("not a house and one of its logs")
    return f"{house_text}/{log}"


def split_origin(origin: str) -> tuple[str, str]:
    """Return (house_text, log) of an origin that :func:`origin_of` made; else NoteError."""
    house_text, _, log = origin.partition("/")
    origin_of(house_text, log)
    return house_text, log


def _check_origin(origin: str) -> str:
    # The bound keeps every checkpoint, signed in either form, within the bound of a note. It is one of bytes: a
    # character of UTF-8 may be four, and the origin stands twice in the note.
    length = len(check_name(origin).encode())
    if length > MAX_ORIGIN_BYTES:
        raise NoteError(f"an origin of {length} bytes, more than {MAX_ORIGIN_BYTES}")
    return origin
