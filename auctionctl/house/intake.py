"""What may come in: a request and who may make it (DESIGN.md section 8, "intake order").

Length, session and signature have been checked when a request gets here; ``signer`` is the key under which a verifier
found the signature good, or empty for a message that carries none. What is refused here never reaches the rules and is
answered unsigned, saying what is missing.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

from auctionctl.auction.bid import Bid, Join, command_id
from auctionctl.auction.commands import KINDS, AnyCommand, RejectPayment, Settle
from auctionctl.keys.allowlist import Role
from auctionctl.replica.registry import Registry
from auctionctl.replica.replay import is_operation
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
        "revoke": frozenset({"bidder", "seller", "operator", "observer"}),
        "bye": frozenset({"bidder", "seller", "operator", "observer"}),
    }
)
"""Type of message → the roles that may send it."""


COMMANDS: Final = frozenset({"bid", "join", "terms", "revoke", *KINDS})
"""What has a name of its own, by which its sender knows what was refused."""


def name_of(type_name: str, body: bytes) -> bytes:
    """The id of a command; nothing else has a name of its own."""
    return command_id(body) if type_name in COMMANDS else b""


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


def refuse_actor(peer: Peer, command: Bid | Join | AnyCommand, signer: bytes) -> str | None:
    """Why ``peer``, whose message a verifier found signed by ``signer``, may not give this command; None if it may."""
    actor = command.bidder if isinstance(command, (Bid, Join)) else command.actor
    if not actor == signer == peer.identity.signing:
        return "a command is signed by its session's identity"
    if isinstance(command, (Settle, RejectPayment)) and command.capacity != peer.role:
        return f"a command of the {command.capacity} needs a session in that role; this one is {peer.role}"
    return None


def is_vouched_for(command: Bid | Join | AnyCommand, registry: Registry, now_ns: int) -> bool:
    """Whether ``registry`` names whoever acts as an operator as one; nobody could check the command otherwise.

    It does, unless the registry cannot be written to while the allow list has changed.
    """
    if isinstance(command, (Bid, Join)) or not is_operation(command):
        return True
    return Role.OPERATOR in registry.roles_at(command.actor, now_ns)


def turn_away(
    peer: Peer, command: Bid | Join | AnyCommand, request: Request, registry: Registry, now_ns: int
) -> Message | None:
    """The answer to a command that is not its sender's to give, or that nobody could check; None for any other."""
    if (reason := refuse_actor(peer, command, request.signer)) is not None:
        return refused("not_authorised", reason, command_id(request.body))
    if not is_vouched_for(command, registry, now_ns):
        return refused("halted", "the registry does not name you as an operator", command_id(request.body))
    return None


def refused(code: str, message: str, command: bytes = b"", retry_after_ns: int = 0) -> Message:
    """An unsigned refusal as a message, cut to what one holds: it may repeat what a peer wrote."""
    return Message(encode(Refused(code, message[:MAX_TEXT_CHARACTERS], command, retry_after_ns)))
