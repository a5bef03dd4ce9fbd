"""C2SP signed notes, in a strict profile: one text, one signature line, in one of two forms.

Its rule: a note that opens is, byte for byte, what its signer wrote. So there is exactly one signature line, by the key
expected; its base64 re-encodes to itself; the note is valid UTF-8 without control characters but newline, and no longer
than ``MAX_NOTE_BYTES``. The specification lets other signatures stand beside; here cosignatures have to travel apart.

The signature line is ``— name base64\\n``, and its base64 holds, after the first 4 bytes of a SHA-256, the key ID:

- **plain**, for a note signed alone, standard C2SP (signature type 0x01): the 64-byte Ed25519 signature of the text,
  final newline included. Key ID over ``name ‖ "\\n" ‖ 0x01 ‖ 32-byte public key``.
- **heads**, for ``count`` notes signed together (:mod:`auctionctl.tlog.heads`): ``index`` and ``count``, 4 bytes each,
  big-endian; the inclusion proof, 32 bytes a hash, the leaf's sibling first; a 64-byte Ed25519 signature. The leaf is
  ``SHA-256(0x00 ‖ text)``, number ``index`` of the ``count`` leaves of an RFC 6962 tree, and the signature is over
  ``"auctionctl/heads/v1" ‖ NUL ‖ count, 4 bytes big-endian ‖ 32-byte root``; 2 ≤ count ≤ 65,536. The specification
  keeps type 0xff for types named by what follows it: key ID over
  ``name ‖ "\\n" ‖ 0xff ‖ "auctionctl/heads/v1" ‖ 32-byte public key``.

The second departs from the decision for plain notes alone. A batch of the house adds about one bid to each of many
logs, and a signature a log was more than half of what a bid cost; one signature for all of them is not. Such a note
still needs nothing but itself and the key, yet a verifier that knows C2SP only does not know its type: a single head,
an export and a receipt file carry a plain note where they can.

Neither signature is good for the other form, or for anything else that this key signs: a note's text holds no NUL, and
no body of a message begins with the NUL that ``count`` begins with. Each signature costs a check, but the last 64
asked about are remembered: notes of one batch read one after another cost one check, and so does one note read twice.

Source: https://c2sp.org/signed-note (format, key ID, signature types 0x01 and 0xff); RFC 6962 section 2.1; RFC 9162
section 2.1.3.2.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from hashlib import sha256
from typing import Final

from auctionctl.errors import NoteError
from auctionctl.keys.signing import SIGNATURE_BYTES, SecretKey, verify
from auctionctl.tlog.merkle import HASH_BYTES, leaf_hash, node_hash

MAX_NOTE_BYTES: Final = 4096
KEY_ID_BYTES: Final = 4
MIN_HEADS: Final = 2
"""The fewest notes signed together: a tree of one would help nobody, and its note would not be standard."""
MAX_HEADS: Final = 65_536
"""The most notes signed together: a proof has 16 hashes at most."""
NUMBER_BYTES: Final = 4

_ED25519 = b"\x01"
_HEADS = b"auctionctl/heads/v1"
_HEADS_TYPE = b"\xff" + _HEADS
_PLACE_BYTES = KEY_ID_BYTES + 2 * NUMBER_BYTES  # what stands before the proof
_PLAIN_BYTES = KEY_ID_BYTES + SIGNATURE_BYTES
_BLOB_BYTES = [
    _PLAIN_BYTES,
    *(_PLACE_BYTES + HASH_BYTES * hashes + SIGNATURE_BYTES for hashes in range(1, (MAX_HEADS - 1).bit_length() + 1)),
]
_BLOB_CHARACTERS = frozenset(4 * -(-length // 3) for length in _BLOB_BYTES)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f-\x9f]+")


def key_id(name: str, public: bytes) -> bytes:
    """Return the 4 bytes by which a signature line names the 32-byte Ed25519 key ``public`` of ``name``."""
    return sha256(_encode(name) + b"\n" + _ED25519 + public).digest()[:KEY_ID_BYTES]


def heads_key_id(name: str, public: bytes) -> bytes:
    """Return the 4 bytes by which a signature line names ``public`` of ``name`` where it signed many notes at once."""
    return sha256(_encode(name) + b"\n" + _HEADS_TYPE + public).digest()[:KEY_ID_BYTES]


def heads_message(count: int, root: bytes) -> bytes:
    """Return the 56 bytes that are signed for ``count`` notes whose texts are the leaves under the 32-byte ``root``."""
    return _HEADS + b"\0" + count.to_bytes(NUMBER_BYTES, "big") + root


class NoteSigner:
    """Signs notes under one name with one key; what does not depend on the text is computed once."""

    __slots__ = ("_heads_key_id", "_key", "_key_id", "_lead")

    def __init__(self, name: str, key: SecretKey) -> None:
        """Raises NoteError for a name that cannot stand in a signature line."""
        self._key_id = key_id(check_name(name), key.identity.signing)
        self._heads_key_id = heads_key_id(name, key.identity.signing)
        self._lead = b"\n" + _lead(name)
        self._key = key

    def sign(self, text: bytes) -> bytes:
        """Return the note of ``text``, which the caller knows to be fit for one (:func:`sign_note` checks)."""
        return text + self._lead + b2a_base64(self._key_id + self._key.sign(text))

    def join(self, text: bytes, place: bytes) -> bytes:
        """Return the note of ``text`` among others that were signed together.

        ``place`` is what follows the key ID in the heads form: index, count, proof and signature.
        """
        return text + self._lead + b2a_base64(self._heads_key_id + place)

    def is_of(self, key: SecretKey) -> bool:
        """Whether this signs with ``key``."""
        return self._key is key or self._key.identity == key.identity


def sign_note(text: str, name: str, key: SecretKey) -> bytes:
    """Return the note of ``text`` signed by ``key`` under ``name``.

    Raises NoteError where :func:`open_note` would: no final newline, control characters, too long, an unfit name.
    """
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends with a newline")
    if _CONTROL.search(text):
        raise NoteError("control character in a note")
    note = NoteSigner(name, key).sign(_encode(text))
    if len(note) > MAX_NOTE_BYTES:
        raise NoteError(f"a note of {len(note)} bytes, more than {MAX_NOTE_BYTES}")
    return note


def is_signed_alone(note: bytes) -> bool:
    """Whether ``note``, which :func:`open_note` has opened, is a plain C2SP note, which any verifier of such reads."""
    return len(note.rpartition(b" ")[2]) == len(b2a_base64(bytes(_PLAIN_BYTES)))


def open_note(data: bytes, name: str, public: bytes) -> str:
    """Return the text, with its final newline, of a note signed by the 32-byte Ed25519 key ``public`` under ``name``.

    Both forms of the module's docstring are taken. Raises NoteError for everything else, including notes that the
    specification would take.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"a note of {len(data)} bytes, more than {MAX_NOTE_BYTES}")
    lead = _lead(check_name(name))
    blank = data.rfind(b"\n\n")
    message, line = data[: blank + 1], data[blank + 2 :]
    if blank < 0 or not line.endswith(b"\n") or line.count(b"\n") != 1:
        raise NoteError("a note is a text, an empty line and one signature line")
    if not line.startswith(lead) or len(line) - len(lead) - 1 not in _BLOB_CHARACTERS:
        raise NoteError("not one signature of the name expected")
    signed, signature = _signed(decode_base64(line[len(lead) : -1]), message, name, public)
    if not _is_signed(public, signed, signature):
        raise NoteError("the signature does not hold")
    try:
        text = message.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error
    if _CONTROL.search(text):
        raise NoteError("control character in a note")
    return text


def _signed(blob: bytes, message: bytes, name: str, public: bytes) -> tuple[bytes, bytes]:
    """Return what the signature in ``blob`` has to be over for ``message`` to be signed, and that signature."""
    is_plain = len(blob) == _PLAIN_BYTES
    if blob[:KEY_ID_BYTES] != (key_id if is_plain else heads_key_id)(name, public):
        raise NoteError("signed by another key than expected")
    if is_plain:
        return message, blob[KEY_ID_BYTES:]
    index = int.from_bytes(blob[KEY_ID_BYTES : KEY_ID_BYTES + NUMBER_BYTES], "big")
    count = int.from_bytes(blob[KEY_ID_BYTES + NUMBER_BYTES : _PLACE_BYTES], "big")
    if not MIN_HEADS <= count <= MAX_HEADS or index >= count:
        raise NoteError(f"no place {index} among {count} notes signed together")
    root = _root_above(leaf_hash(message), index, count, blob[_PLACE_BYTES:-SIGNATURE_BYTES])
    return heads_message(count, root), blob[-SIGNATURE_BYTES:]


def _root_above(leaf: bytes, index: int, count: int, proof: bytes) -> bytes:
    """Return the only root under which ``proof`` leads from leaf ``index`` of ``count``; NoteError if it is no path."""
    node, at, last, start = leaf, index, count - 1, 0
    while last:
        # The last node of a level, if it is a left one, has no sibling and moves up as it is.
        if at & 1 or at < last:
            sibling = proof[start : start + HASH_BYTES]
            start += HASH_BYTES
            node = node_hash(sibling, node) if at & 1 else node_hash(node, sibling)
        at >>= 1
        last >>= 1
    if start != len(proof):
        raise NoteError(f"a proof of {len(proof)} bytes, not {start}, for place {index} among {count} notes")
    return node


@lru_cache(maxsize=64)
def _is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    # One signature stands in every note of a batch, and a note comes in the feed and in receipts. The answer never
    # changes, so neither does anything but the cost of asking again.
    return verify(public, message, signature)


def check_name(name: str) -> str:
    """Return ``name`` if it can name a key: not empty, no space, plus sign or control character; else NoteError."""
    if not _NAME.fullmatch(name):
        raise NoteError("a key name is not empty and holds no space, plus sign or control character")
    _encode(name)
    return name


def decode_base64(text: str | bytes) -> bytes:
    """Return the bytes of standard base64 that is padded and re-encodes to itself; else NoteError."""
    try:
        data = a2b_base64(text, strict_mode=True)
    except ValueError as error:  # binascii.Error, and a string that is not ASCII
        raise NoteError("not base64") from error
    # The last character before the padding has bits to spare, which Python ignores: QQ== and QR== are one byte.
    if encode_base64(data) != (text if isinstance(text, str) else text.decode("ascii")):
        raise NoteError("base64 in another form than its own")
    return data


def encode_base64(data: bytes) -> str:
    """Return standard base64 with padding, in one line."""
    return b2a_base64(data, newline=False).decode("ascii")


def _lead(name: str) -> bytes:
    return f"— {name} ".encode()


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:  # a lone surrogate
        raise NoteError("text that is not UTF-8") from error
