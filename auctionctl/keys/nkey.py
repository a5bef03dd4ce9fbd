"""The key of a NATS user: an Ed25519 seed as text, ``SU…``, which signs what a server asks of whoever logs in.

Rule: exact length, kind and checksum, or it is no seed; and it shows itself to nobody. Read here and not by the package
``nkeys``, for PyNaCl is there already, and a mistake in a file is found before any server is asked.
Source: NATS ADR-14 (JWT and nkeys), https://docs.nats.io/reference/reference-protocols/nkeys.
"""

from __future__ import annotations

import binascii
from base64 import b32decode, b32encode, b64encode
from typing import Final

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from auctionctl.errors import KeyTextError
from auctionctl.keys.signing import SEED_BYTES, SIGNATURE_BYTES

SEED_CHARACTERS: Final = 58
USER: Final = 20 << 3
"""The kind of key that logs in; text begins with U."""
_SEED: Final = 18 << 3
"""What marks a seed; text begins with S."""
_CHECKSUM_BYTES: Final = 2


class UserKey:
    """The key with this ``seed`` of 32 bytes. No form of print or format reveals it."""

    __slots__ = ("_public", "_secret")

    def __init__(self, seed: bytes) -> None:
        self._public, self._secret = crypto_sign_seed_keypair(seed)

    @classmethod
    def from_text(cls, text: str) -> UserKey:
        """The key written as ``SU…`` (58 characters); raises KeyTextError, which repeats nothing of it."""
        if len(text) != SEED_CHARACTERS or not text.isascii():
            raise KeyTextError(f"the seed of a NATS user has {SEED_CHARACTERS} characters, not {len(text)}")
        try:
            data = b32decode(text + "=" * (-len(text) % 8))
        except binascii.Error:
            raise KeyTextError("the seed of a NATS user is written in A-Z and 2-7") from None
        content, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
        if _checksum(content) != checksum or len(content) != 2 + SEED_BYTES:
            raise KeyTextError("the seed of a NATS user has a slip in it: its checksum is wrong")
        if content[0] != _SEED | USER >> 5 or content[1] != USER << 3 & 0xFF:
            raise KeyTextError("this is no seed of a NATS user, which begins with SU")
        return cls(content[2:])

    @property
    def public(self) -> str:
        """``U…``, 56 characters: what a server's settings name."""
        content = bytes([USER]) + self._public
        return b32encode(content + _checksum(content)).decode().rstrip("=")

    def answer(self, nonce: bytes) -> bytes:
        """The signature of what a server asks to have signed, 64 bytes, in base64 as it takes it.

        It is under no domain of ours, so that a key that signs anything else is none to log in by.
        """
        return b64encode(crypto_sign(nonce, self._secret)[:SIGNATURE_BYTES])

    def __repr__(self) -> str:
        return f"UserKey({self.public})"

    def __reduce__(self) -> str:
        raise TypeError("a secret key is not copied")


def _checksum(content: bytes) -> bytes:
    return binascii.crc_hqx(content, 0).to_bytes(_CHECKSUM_BYTES, "little")
