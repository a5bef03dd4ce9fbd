"""What may come in: a request and who may make it (DESIGN.md section 8, "intake order").

Length, session and signature have been checked when a request gets here; ``signer`` is the key under which a verifier
found the signature good, or empty for a message that carries none. What is refused here never reaches the rules and is
answered unsigned, saying what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from auctionctl.auction.bid import Join, decode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import KINDS, AnyCommand, decode_command
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import MAX_TEXT_CHARACTERS, Refused, encode
from auctionctl.wire.session import Peer


class Request(NamedTuple):
    """One message as it came from ``session``; an empty body, which no message has, says that the session is over.

    ``transport`` is the key that CURVE authenticated, given for a hello.
    """

    session: int
    signer: bytes
    body: bytes
    signature: bytes
    transport: bytes = b""


ROLES: Final = MappingProxyType(
    {
        "bid": frozenset({"bidder"}),
        "terms": frozenset({"seller"}),
        "join": frozenset({"bidder"}),
        "pause": frozenset({"operator"}),
        "resume": frozenset({"operator"}),
        "cancel": frozenset({"operator"}),
        "pay": frozenset({"bidder"}),
        "settle": frozenset({"seller", "operator"}),
        "reject_payment": frozenset({"seller", "operator"}),
        "offer": frozenset({"seller"}),
        "accept": frozenset({"bidder"}),
        "decline": frozenset({"bidder"}),
        "list": frozenset({"bidder", "seller", "operator", "observer"}),
        "subscribe": frozenset({"bidder", "seller", "operator", "observer"}),
        "read": frozenset({"bidder", "seller", "operator", "observer"}),
        "remind": frozenset({"bidder", "seller", "operator", "observer"}),
        "status": frozenset({"bidder", "seller", "operator", "observer"}),
        "measure": frozenset({"operator", "observer"}),
        "revoke": frozenset({"bidder", "seller", "operator", "observer"}),
        "rotate": frozenset({"bidder", "seller", "operator", "observer"}),
        "finish": frozenset({"bidder", "seller"}),
        "bye": frozenset({"bidder", "seller", "operator", "observer"}),
    }
)
"""Type of message → the roles that may send it."""


COMMANDS: Final = frozenset({"bid", "join", "terms", "revoke", "rotate", "finish", *KINDS})
"""What has a name of its own, by which its sender knows what was refused."""


def name_of(type_name: str, body: bytes) -> bytes:
    """The id of a command; nothing else has a name of its own."""
    return command_id(body) if type_name in COMMANDS else b""


DECODERS: Final[Mapping[str, Callable[[bytes], Join | AnyCommand]]] = MappingProxyType(
    {"join": decode_join, **dict.fromkeys(KINDS, decode_command)}
)
"""Type of a command about an auction, but of a bid → what its bytes say; RemoteProtocolError for others."""


def refuse(peer: Peer | None, type_name: str, body: bytes) -> Refused | None:
    """Why a message of this type is not taken from ``peer``, or None."""
    roles = ROLES.get(type_name)
    if roles is None:
        return Refused("unknown_type", f"this house does not know messages of type {type_name!r}")
    if peer is None:
        return Refused("no_session", "say hello first")
    if peer.role not in roles:
        needed = " or ".join(sorted(roles))
        message = f"{type_name} needs the role {needed}, and this session is {peer.role}"
        return Refused("not_authorised", message, name_of(type_name, body))
    return None


def refused(code: str, message: str, command: bytes = b"", retry_after_ns: int = 0) -> Message:
    """An unsigned refusal as a message, cut to what one holds: it may repeat what a peer wrote."""
    return Message(encode(Refused(code, message[:MAX_TEXT_CHARACTERS], command, retry_after_ns)))
