"""What a gateway says to its supervisor: whom it lets in, whom it cuts, and what it has seen.

Rule: it is heard, and never believed further than that: bidders may have got the better of it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from auctionctl.net.hops import Noticed


class Cut(msgspec.Struct, array_like=True, frozen=True, tag="cut"):
    """A connection was cut for ``fault``.

    ``key`` is its transport key, empty where nobody knows; for ``muted_ns`` it is kept out, 0: it is not.
    """

    key: bytes
    host: str
    fault: str
    muted_ns: int


class Muting(msgspec.Struct, array_like=True, frozen=True, tag="muting"):
    """A mute of a key, or of an address, has begun (:mod:`auctionctl.net.mutes`): later gateways keep it up."""

    key: bytes
    for_ns: int


class NotWatched(msgspec.Struct, array_like=True, frozen=True, tag="not_watched"):
    """This system does not show what connections receive: nobody is cut for what only that would tell."""


class Knocked(msgspec.Struct, array_like=True, frozen=True, tag="knocked"):
    """A connection of this transport key is about to be let in."""

    key: bytes


class Trying(msgspec.Struct, array_like=True, frozen=True, tag="trying"):
    """A connection of this key has said something; whether its routing id is its own choice is about to show."""

    key: bytes


class Heard(msgspec.Struct, array_like=True, frozen=True, tag="heard"):
    """A connection of this key has said something, and is no harm to this process."""

    key: bytes


class ChoseRoute(msgspec.Struct, array_like=True, frozen=True, tag="chose_route"):
    """A connection of this key took a routing id that others are to be given, and was cut."""

    key: bytes


FromGateway = Noticed | Cut | Muting | NotWatched | Knocked | Trying | Heard | ChoseRoute
decode_word: Callable[[bytes], FromGateway] = msgspec.msgpack.Decoder(FromGateway).decode
