"""The two frames of a message: bounds, the type before the parser, domain-separated signatures (DESIGN.md section 8).

A signature is over ``"auctionctl/<type>/v1" ‖ NUL ‖ body``: the bytes received, before anything parses them. The NUL
keeps these signatures apart from signed notes, which cannot hold one. The type is read at its fixed place: every body
is a msgpack array of at most 15 elements whose first is a string of at most 31 bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from auctionctl.errors import LocalProtocolError, RemoteProtocolError
from auctionctl.keys.signing import SIGNATURE_BYTES, SecretKey, verify

PROTOCOL_VERSION: Final = 1
MAX_REQUEST_BYTES: Final = 16_384
"""The longest frame that a house accepts."""
MAX_REPLY_BYTES: Final = 262_144
"""The longest frame that a house sends."""
CURVE_BYTES: Final = 33
"""What CURVE adds to a frame (RFC 26): libzmq measures the sealed one, and what is within our limits has to get in."""

_FIXARRAY, _FIXSTR = 0x90, 0xA0


class Message(NamedTuple):
    """Body and signature as they cross the wire; the signature is 64 bytes or empty."""

    body: bytes
    signature: bytes = b""


def message_type(body: bytes) -> str:
    """The type that ``body`` claims, read without a parser; empty where there is none."""
    return "" if len(body) < 2 else _type_in(body[: 2 + (body[1] & 0x1F)])


@lru_cache(maxsize=64)
def _type_in(head: bytes) -> str:
    """Of a body that begins with ``head``, which ends where its first element does, if that is as short as a type."""
    if head[0] & 0xF0 != _FIXARRAY or head[1] & 0xE0 != _FIXSTR:
        return ""
    name = head[2:]
    return name.decode("ascii") if len(name) == head[1] & 0x1F and name.isascii() else ""


@lru_cache(maxsize=64)
def domain(type_name: str) -> bytes:
    """What is put before a body of this type when it is signed."""
    return f"auctionctl/{type_name}/v1\0".encode()


def sign_body(key: SecretKey, body: bytes) -> Message:
    """``body`` with its signature by ``key``, under the domain of its own type; LocalProtocolError if it has none."""
    name = message_type(body)
    if not name:
        raise LocalProtocolError("a body without a type is not signed")
    return Message(body, key.sign(domain(name) + body))


def is_signed_by(public: bytes, body: bytes, signature: bytes) -> bool:
    """Whether the Ed25519 key ``public`` (32 bytes) signed ``body`` under the domain of its own type.

    Nobody has signed a body without a type: its first bytes could be chosen to read as another's domain.
    """
    name = message_type(body)
    return bool(name) and verify(public, domain(name) + body, signature)


def check_frames(frames: list[bytes], limit_bytes: int) -> Message:
    """Two frames within bounds; RemoteProtocolError for anything else."""
    if fault := fault_of(frames, limit_bytes):
        raise RemoteProtocolError(fault)
    return Message(*frames)


def fault_of(frames: list[bytes], limit_bytes: int) -> str:
    """What keeps these from being two frames within bounds; empty if nothing does."""
    if len(frames) != 2:
        return f"a message has 2 frames, not {len(frames)}"
    body, signature = frames
    if not 0 < len(body) <= limit_bytes:
        return f"a body of {len(body)} bytes, where 1 to {limit_bytes} are allowed"
    if len(signature) not in (0, SIGNATURE_BYTES):
        return f"a signature of {len(signature)} bytes"
    return ""
