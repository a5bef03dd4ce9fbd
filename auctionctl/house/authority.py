"""Whether a command is its sender's to give: by its session, by its signature, and by what the registry says of keys.

Rule: a command is signed by its session's identity; but what was begun under a key that was replaced is signed by that
one, which the log names, and brought by the key that took its place (:mod:`auctionctl.house.finishing`). What is turned
away here never reaches the rules, and is answered unsigned.
"""

from __future__ import annotations

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import KINDS, AnyCommand, RejectPayment, Settle, type_of
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.intake import Request, refuse, refused
from auctionctl.keys.allowlist import Role
from auctionctl.replica.registry import FINISHING, Registry
from auctionctl.replica.replay import is_operation
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import encode
from auctionctl.wire.session import Peer


def refuse_actor(
    peer: Peer, command: Bid | Join | AnyCommand, signer: bytes, registry: Registry, auction: Auction | None
) -> str | None:
    """Why ``peer``, whose message was found signed by ``signer``, may not give this command; None if it may.

    ``auction`` is the one that it is about, where the house holds that.
    """
    actor = command.bidder if isinstance(command, (Bid, Join)) else command.actor
    if actor != signer or (
        signer != peer.identity.signing and not may_finish(command, peer.identity.signing, registry)
    ):
        return "a command is signed by its session's identity"
    if isinstance(command, Join) and auction is not None and is_here_already(command, auction, registry):
        return "you have part in this auction under another of your keys"
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
    peer: Peer,
    command: Bid | Join | AnyCommand,
    request: Request,
    registry: Registry,
    now_ns: int,
    *,
    log: AuctionLog | None,
) -> Message | None:
    """The answer to a command that is not its sender's to give, or that nobody could check; None for any other.

    ``log`` is that of the auction that it is about, where the house holds that.
    """
    if isinstance(command, Bid) and command.bidder == request.signer == peer.identity.signing:
        return None  # As nearly all are, and then nothing else that is asked here concerns it.
    if not isinstance(command, (Bid, Join)) and (refusal := refuse(peer, type_of(command), request.body)) is not None:
        return Message(encode(refusal))  # of what came within another message
    auction = None if log is None else log.auction
    if (reason := refuse_actor(peer, command, request.signer, registry, auction)) is not None:
        return refused("not_authorised", reason, command_id(request.body))
    if not is_vouched_for(command, registry, now_ns):
        return refused("halted", "the registry does not name you as an operator", command_id(request.body))
    return None


def may_finish(command: Bid | Join | AnyCommand, holder: bytes, registry: Registry) -> bool:
    """Whether ``holder`` (signing key) has taken the place of the actor of ``command``, and may bring it."""
    if isinstance(command, (Bid, Join)) or KINDS[type_of(command)] not in FINISHING or is_operation(command):
        return False
    return command.actor in registry.successions.former(holder) and command.actor not in registry.revoked


def is_here_already(join: Join, auction: Auction, registry: Registry) -> bool:
    """Whether whoever joins has part in the auction under another of its keys, as its seller or by an earlier join."""
    others = set(registry.successions.keys_of(join.bidder)) - {join.bidder}
    return bool(others) and not others.isdisjoint({auction.terms.seller, *auction.joined})
