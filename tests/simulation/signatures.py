"""A stand-in for Ed25519, for most of the seeds: real signatures are nine tenths of a run's time.

It is put in at the one place where signatures are made and checked, below everything that is under test: the two calls
of libsodium in :mod:`auctionctl.keys.signing`. Whoever knows a public key can forge it, so it shows nothing about
forgers; but nobody forges in here. What it keeps is what the simulation rests on: a signature is deterministic, of 64
bytes, and holds for one key and one message only. Some seeds run with the real thing (``REAL_EVERY``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Final
from unittest import mock

from nacl.exceptions import BadSignatureError

from auctionctl.keys import signing

REAL_EVERY: Final = 40
"""One seed in so many is run with real signatures."""


def _sign(message: bytes, secret: bytes) -> bytes:
    # libsodium's secret is seed ‖ public key, and so is what it returns: signature ‖ message.
    return blake2b(message, digest_size=64, key=secret[32:]).digest() + message


def _open(signed: bytes, public: bytes) -> bytes:
    message = signed[64:]
    if blake2b(message, digest_size=64, key=public).digest() != signed[:64]:
        raise BadSignatureError("not signed by this key")
    return message


@contextmanager
def signatures_for(seed: int) -> Iterator[None]:
    """The signatures under which this seed runs."""
    if seed % REAL_EVERY == 0:
        yield
        return
    with mock.patch.object(signing, "crypto_sign", _sign), mock.patch.object(signing, "crypto_sign_open", _open):
        yield
