"""The name of a signed command: what a receipt, a rejection and an answer say it is about (DESIGN.md section 6)."""

from __future__ import annotations

import hashlib

_begin_id = hashlib.sha256().copy  # a copy is begun twice as fast as a new one


def command_id(body: bytes) -> bytes:
    """The name of a signed command, such as a bid's ``bid_id``: SHA-256 of its bytes, 32 bytes."""
    hashing = _begin_id()
    hashing.update(body)
    return hashing.digest()
