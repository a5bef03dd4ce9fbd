"""C2SP signed notes, in a strict profile: one text, one Ed25519 signature, one form.

Its rule: a note that opens is, byte for byte, what its signer wrote. So there is exactly one signature line, by the key
expected; its base64 re-encodes to itself; the note is valid UTF-8 without control characters but newline, and no longer
than ``MAX_NOTE_BYTES``. The specification lets other signatures stand beside; here cosignatures have to travel apart.

Source: https://c2sp.org/signed-note (format, key ID, signature type 0x01).
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from hashlib import sha256
from typing import Final

from auctionctl.errors import NoteError
from auctionctl.keys.signing import SecretKey, verify

MAX_NOTE_BYTES: Final = 4096
KEY_ID_BYTES: Final = 4
SIGNATURE_BYTES: Final = 64

_ED25519 = b"\x01"
_SIGNATURE_CHARACTERS = 92  # base64 of key ID and signature, 68 bytes
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f-\x9f]+")


def key_id(name: str, public: bytes) -> bytes:
    """Return the 4 bytes by which a signature line names the 32-byte Ed25519 key ``public`` of ``name``."""
    return sha256(_encode(name) + b"\n" + _ED25519 + public).digest()[:KEY_ID_BYTES]


class NoteSigner:
    """Signs notes under one name with one key; what does not depend on the text is computed once."""

    __slots__ = ("_key", "_key_id", "_lead")

    def __init__(self, name: str, key: SecretKey) -> None:
        """Raises NoteError for a name that cannot stand in a signature line."""
        self._key_id = key_id(check_name(name), key.identity.signing)
        self._lead = b"\n" + _lead(name)
        self._key = key

    def sign(self, text: bytes) -> bytes:
        """Return the note of ``text``, which the caller knows to be fit for one (:func:`sign_note` checks)."""
        return text + self._lead + b2a_base64(self._key_id + self._key.sign(text))


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


def open_note(data: bytes, name: str, public: bytes) -> str:
    """Return the text, with its final newline, of a note signed by the 32-byte Ed25519 key ``public`` under ``name``.

    Raises NoteError for everything else, including notes that the specification would take (see the module's rule).
    """
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"a note of {len(data)} bytes, more than {MAX_NOTE_BYTES}")
    lead = _lead(check_name(name))
    blank = data.rfind(b"\n\n")
    message, line = data[: blank + 1], data[blank + 2 :]
    if blank < 0 or not line.endswith(b"\n") or line.count(b"\n") != 1:
        raise NoteError("a note is a text, an empty line and one signature line")
    if not line.startswith(lead) or len(line) != len(lead) + _SIGNATURE_CHARACTERS + 1:
        raise NoteError("not one signature of the name expected")
    signature = decode_base64(line[len(lead) : -1])
    if signature[:KEY_ID_BYTES] != key_id(name, public):
        raise NoteError("signed by another key than expected")
    if not verify(public, message, signature[KEY_ID_BYTES:]):
        raise NoteError("the signature does not hold")
    try:
        text = message.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error
    if _CONTROL.search(text):
        raise NoteError("control character in a note")
    return text


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
