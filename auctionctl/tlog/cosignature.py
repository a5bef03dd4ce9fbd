"""Clock heads: a checkpoint that says when it was the head of its log, as a C2SP cosignature of the log's own house.

Its rule: the note is a plain checkpoint (:mod:`auctionctl.tlog.checkpoint`) with one line more, and re-encodes to
itself. The line is ``— name base64(key ID ‖ time ‖ signature)\\n``. The name is the house's public identity: one
cosigner for all of its logs. The key ID is the first 4 bytes of SHA-256(name ‖ "\\n" ‖ 0x04 ‖ 32-byte public key); the
time is whole seconds since 1970, 8 bytes big-endian, below 2**63; the signature is Ed25519 by the house's key over
``"cosignature/v1\\ntime " ‖ seconds in decimal ‖ "\\n" ‖ text of the checkpoint``. The specification lets other lines
stand beside, in any order; here there are these two.

That signature is good for nothing else that this key signs, nor the other way round. It is over five lines, the first
``cosignature/v1``: a checkpoint's text is three, the first its origin, which begins with the house's identity and so
with ``auc1``; and where a checkpoint has its size, in digits, this has ``time``. Every other domain holds a NUL, which
no line of either does. The name is not signed; but the key is that of one cosigner, as the specification demands.

What it says is exact though its time is in seconds. A house that stamps T has a clock between T and T + 1 s, has all
entries below the size behind it and all others before it. So in an honest log

- an entry at or above the size is dated T or later: one dated earlier was **back-dated**;
- an entry below the size is dated before T + 1 s: one dated later was dated **ahead** of the clock.

Back-dating by less than what passes between two heads, a second at best, is not seen, nor is anything that happened
before the first head that somebody kept.

Source: https://c2sp.org/tlog-cosignature (Ed25519), https://c2sp.org/signed-note; DESIGN.md section 7.
"""

from __future__ import annotations

from binascii import b2a_base64
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from auctionctl.errors import NoteError
from auctionctl.keys.signing import SIGNATURE_BYTES, SecretKey, verify
from auctionctl.tlog.checkpoint import RECENT, Checkpoint, open_checkpoint
from auctionctl.tlog.note import KEY_ID_BYTES, MAX_NOTE_BYTES, check_name, decode_base64, is_signed_alone

SECOND_NS: Final = 1_000_000_000
TIME_BYTES: Final = 8
TIME_LIMIT_S: Final = 2**63

_COSIGNATURE = b"\x04"
_BLOB_BYTES = KEY_ID_BYTES + TIME_BYTES + SIGNATURE_BYTES


class TimedCheckpoint(msgspec.Struct, frozen=True):
    """``checkpoint`` was the head of its log in the second that began at ``time_s``, in seconds since 1970."""

    checkpoint: Checkpoint
    time_s: int

    @property
    def time_ns(self) -> int:
        """When that second began, in nanoseconds since 1970."""
        return self.time_s * SECOND_NS

    def proves_back_dated(self, index: int, time_ns: int) -> bool:
        """Whether an entry ``index`` dated ``time_ns`` came after it says: no honest log has it and this head."""
        return index >= self.checkpoint.size and time_ns < self.time_ns

    def proves_ahead(self, index: int, time_ns: int) -> bool:
        """Whether an entry ``index`` dated ``time_ns`` came before it says: no honest log has it and this head."""
        return index < self.checkpoint.size and time_ns >= self.time_ns + SECOND_NS


def cosignature_key_id(name: str, public: bytes) -> bytes:
    """Return the 4 bytes by which a signature line names the 32-byte Ed25519 key ``public`` of a cosigner ``name``."""
    return sha256(check_name(name).encode() + b"\n" + _COSIGNATURE + public).digest()[:KEY_ID_BYTES]


def cosigned_message(text: bytes, time_s: int) -> bytes:
    """Return what a cosigner signs for the checkpoint of this ``text`` (final newline included) at ``time_s``."""
    return b"cosignature/v1\ntime %d\n%b" % (time_s, text)


class Cosigner:
    """Stamps checkpoints under one name with one key; the key ID is worked out once."""

    __slots__ = ("_key", "_key_id", "_lead")

    def __init__(self, name: str, key: SecretKey) -> None:
        """Raises NoteError for a name that cannot stand in a signature line."""
        self._key_id = cosignature_key_id(name, key.identity.signing)
        self._lead = _lead(name)
        self._key = key

    def stamp(self, note: bytes, time_s: int) -> bytes:
        """Return ``note``, the plain note of a checkpoint (the caller sees to that), with a cosignature at ``time_s``.

        Raises NoteError for a time that has no 63 bits.
        """
        if not 0 <= time_s < TIME_LIMIT_S:
            raise NoteError(f"no cosignature at {time_s} s")
        signature = self._key.sign(cosigned_message(_text_of(note), time_s))
        return note + self._lead + b2a_base64(self._key_id + time_s.to_bytes(TIME_BYTES, "big") + signature)


@lru_cache(maxsize=RECENT)
def open_timed(data: bytes, origin: str, cosigner: str, public: bytes) -> TimedCheckpoint:
    """Return what a note of :meth:`Cosigner.stamp` says of the log ``origin``.

    The 32-byte Ed25519 key ``public`` has to have signed both, the checkpoint as its origin and the cosignature as
    ``cosigner``. Raises NoteError for everything else, including notes that the specification would take. The last
    that hold are remembered, as of :func:`~auctionctl.tlog.checkpoint.open_checkpoint`.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"a note of {len(data)} bytes, more than {MAX_NOTE_BYTES}")
    start = data.rfind(b"\n", 0, -1) + 1
    note, line = data[:start], data[start:]
    checkpoint = open_checkpoint(note, origin, public)
    if not is_signed_alone(note):
        raise NoteError("a clock head is a checkpoint that was signed alone, and a cosignature")
    return TimedCheckpoint(checkpoint, open_cosignature(line, _text_of(note), cosigner, public))


def open_cosignature(line: bytes, text: bytes, cosigner: str, public: bytes) -> int:
    """Return the time, in seconds since 1970, at which ``public`` cosigned the checkpoint of this ``text``.

    ``line`` is the whole signature line, newline included, and ``text`` ends with one too. Raises NoteError for
    a line that is not that of ``cosigner``, or whose signature does not hold.
    """
    lead = _lead(check_name(cosigner))
    if not line.startswith(lead) or not line.endswith(b"\n"):
        raise NoteError("no cosignature of the name expected")
    blob = decode_base64(line[len(lead) : -1])
    if len(blob) != _BLOB_BYTES or blob[:KEY_ID_BYTES] != cosignature_key_id(cosigner, public):
        raise NoteError("cosigned by another key than expected")
    time_s = int.from_bytes(blob[KEY_ID_BYTES : KEY_ID_BYTES + TIME_BYTES], "big")
    if time_s >= TIME_LIMIT_S:
        raise NoteError(f"no cosignature at {time_s} s")
    if not verify(public, cosigned_message(text, time_s), blob[-SIGNATURE_BYTES:]):
        raise NoteError("the cosignature does not hold")
    return time_s


def _text_of(note: bytes) -> bytes:
    return note[: note.rindex(b"\n\n") + 1]


def _lead(name: str) -> bytes:
    return f"— {name} ".encode()
