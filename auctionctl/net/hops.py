"""What a house and its gateways say to one another, over pipes (DESIGN.md section 3).

House → gateway :class:`Release`, gateway → house :class:`Serving`, :class:`Ending` and :class:`Counted`. On their way
to the house requests go through verifiers: :mod:`auctionctl.net.chunks`. All of it is between processes that this house
started; none of it comes from a peer.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from auctionctl.house.metrics import BUCKETS
from auctionctl.house.security import SecurityEvent
from auctionctl.net.process_state import ProcessState

MAX_EVENTS_TOLD: Final = 16


class ToSession(msgspec.Struct, array_like=True, tag=0, gc=False):
    """Send this message to one session."""

    session: int
    body: bytes
    signature: bytes


class ToFollowers(msgspec.Struct, array_like=True, tag=1, gc=False):
    """Send this message to all who follow an auction."""

    auction: bytes
    body: bytes


class Following(msgspec.Struct, array_like=True, tag=2, gc=False):
    """A session follows these auctions from now on."""

    session: int
    auctions: list[bytes]


class Known(msgspec.Struct, array_like=True, tag=3, gc=False):
    """A session has proved to be the identity with this signing key, in this role."""

    session: int
    identity: bytes
    role: str


class Admit(msgspec.Struct, array_like=True, tag=4, gc=False):
    """The transport keys on the list from now on; others are strangers, and cut off where those are not let in.

    ``shut_out`` are not let in as strangers either.
    """

    transports: list[bytes]
    shut_out: list[bytes] = []
    own_limits: dict[bytes, dict[str, int]] = {}
    """Signing key → limits that the allow list says for it, by their names."""


class LastWord(msgspec.Struct, array_like=True, tag=5, gc=False):
    """Everything that this gateway brought has been answered: once that is sent, it may end."""


class Mute(msgspec.Struct, array_like=True, tag=6, gc=False):
    """The house takes nothing of this identity (a signing key) for so long, for its signatures were bad."""

    identity: bytes
    for_ns: int


class Misgreeted(msgspec.Struct, array_like=True, tag=7, gc=False):
    """A session that is nobody's yet has said hello, and not signed it."""

    session: int


Operation = ToSession | ToFollowers | Following | Known | Admit | LastWord | Mute | Misgreeted


class Release(msgspec.Struct, array_like=True, gc=False):
    """Everything of one batch: chunks that have been answered, and what the gateway has to do, in order.

    ``durable_ns`` is when it was made durable, by the machine's monotonic clock, or 0 where nothing had to be.
    """

    answered: list[int]
    operations: list[Operation]
    durable_ns: int = 0


class Serving(msgspec.Struct, array_like=True, tag=0):
    """The gateway listens."""


class Ending(msgspec.Struct, array_like=True, tag=1):
    """The gateway takes nothing any more, and all that it took has been taken by the house."""


_Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
_Bucket = Annotated[int, msgspec.Meta(ge=0, lt=BUCKETS)]
_Buckets = Annotated[list[tuple[_Bucket, _Count]], msgspec.Meta(max_length=BUCKETS)]
_Code = Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,32}$")]
MAX_SESSIONS_TOLD: Final = 128
MAX_CODES_TOLD: Final = 32


class SessionCounted(msgspec.Struct, array_like=True, gc=False):
    """One session of a gateway; times by the clock of the gateway, but ``round_trip_ns``, which is a duration."""

    session: _Count
    host: Annotated[str, msgspec.Meta(max_length=128)]
    since_ns: _Count
    heard_ns: _Count
    round_trip_ns: _Count
    messages: _Count
    lost: _Count
    waiting: _Count


class Counted(msgspec.Struct, array_like=True, tag=2):
    """Once a second: how a gateway is, and what its requests took from receipt to answer since it last said so.

    ``totals`` are (bucket, count) of :mod:`auctionctl.house.metrics`, ``total_ns`` is the sum; ``answers`` and
    ``answers_ns`` the same from when a batch was durable. ``refused`` is (code, count) of what it did not pass on,
    since it began. Bidders may have got the better of a gateway: everything is bounded; what is not so is no message.
    """

    state: ProcessState
    connections: _Count
    under_way: _Count
    totals: _Buckets
    total_ns: _Count
    sessions: Annotated[list[SessionCounted], msgspec.Meta(max_length=MAX_SESSIONS_TOLD)]
    answers: _Buckets = []
    answers_ns: _Count = 0
    refused: Annotated[list[tuple[_Code, _Count]], msgspec.Meta(max_length=MAX_CODES_TOLD)] = []


class Noticed(msgspec.Struct, array_like=True, tag="noticed"):
    """Security events that a process of the house has seen, counted; few at a time, so that a message stays short."""

    events: Annotated[list[SecurityEvent], msgspec.Meta(max_length=MAX_EVENTS_TOLD)]


decode_release = msgspec.msgpack.Decoder(Release).decode
FromGatewayPipe = Serving | Ending | Counted
_from_gateway: msgspec.msgpack.Decoder[FromGatewayPipe] = msgspec.msgpack.Decoder(FromGatewayPipe)
decode_from_gateway = _from_gateway.decode
