"""What a gateway has verifiers check, and what they tell the house of it: requests, in chunks (DESIGN.md section 3).

Rule: a verifier knows no more of a request than what has to be signed by whom; so little is needed here.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

import msgspec

from auctionctl.net.process_state import ProcessState

SESSIONS_A_GATEWAY: Final = 1 << 32
"""Session numbers of one gateway never meet those of another, or of its successor."""
RequestTuple = tuple[int, bytes, bytes, bytes, bytes]
"""session, signer (empty where nothing is signed), body, signature, transport key (for a hello).

An empty body says that the session is over: it takes the way of the session's hello, and so never overtakes it.
"""


class Chunk(msgspec.Struct, array_like=True, gc=False):
    """Requests whose signatures are to be checked. ``number`` comes back when they have been answered.

    One without requests is a beat: it says that its gateway, which numbers from there on, serves by this way.
    """

    number: int
    requests: list[RequestTuple]
    received_ns: int = 0
    """When the gateway began the turn in which they came, by the machine's monotonic clock, as every time here."""


AsRequest = TypeVar("AsRequest", bound=RequestTuple)


class Checked(msgspec.Struct, Generic[AsRequest], array_like=True, gc=False):
    """The requests of a chunk that are well signed, and (session, command) of those that are not."""

    number: int
    requests: list[AsRequest]
    forged: list[tuple[int, bytes]]
    received_ns: int = 0
    checked_ns: int = 0
    state: ProcessState | None = None
    """How the verifier is; with an answer to a beat."""


decode_chunk = msgspec.msgpack.Decoder(Chunk).decode
