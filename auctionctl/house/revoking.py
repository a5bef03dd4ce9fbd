"""Revocations: a key that its holder, or an operator, takes out of use at this house, for ever.

Rule: it is in force once it is durable, whatever the allow list says: its sessions end, and nobody is let in with it
again. Bids that stand already stay, for a revocation is no retraction (DESIGN.md section 10).
"""

from __future__ import annotations

from typing import Final

import msgspec

from auctionctl.auction.bid import command_id
from auctionctl.errors import MalformedEntryError, RemoteProtocolError
from auctionctl.house.condition import REVOKED_LISTED, Warnings
from auctionctl.house.effects import Effect, Send
from auctionctl.house.intake import Request, refused
from auctionctl.house.registry import RegistryLog
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import AllowList
from auctionctl.replica.registry import Registry, Revoke, decode_registry_event
from auctionctl.tlog.entry import Kind

REVOKE: Final = "revoke"
"""The type of the message."""


def revoke(request: Request, identity: bytes, registry: RegistryLog, now_ns: int) -> list[Effect]:
    """Enter what ``identity``, whose session it is, asks for; or refuse it. RemoteProtocolError for another body."""
    try:
        event = decode_registry_event(Kind.KEY_REVOKED, request.body)
    except (MalformedEntryError, msgspec.DecodeError) as error:
        raise RemoteProtocolError(str(error)) from error
    assert isinstance(event, Revoke)
    command = command_id(request.body)
    if not event.actor == request.signer == identity:
        return [Send(request.session, refused("not_authorised", "a key is revoked by its session's identity", command))]
    if registry.is_halted:
        return [Send(request.session, refused("halted", "the registry of this house is halted", command))]
    if (reason := registry.state.check(event, now_ns)) is not None:
        return [Send(request.session, refused("not_revoked", reason, command))]
    registry.add(event, now_ns, request.signature)
    return []


def without_revoked(allowed: AllowList, registry: Registry, warnings: Warnings) -> AllowList:
    """``allowed`` without whom ``registry`` has as revoked, which is warned of; itself, if it lets none of them in.

    As a stranger nobody comes in under a key that was replaced either.
    """
    revoked = [entry for key in registry.revoked if (entry := allowed.by_signing(key)) is not None]
    shut_out = allowed.shut_out
    if allowed.access is Access.OPEN:
        shut_out = tuple(registry.members[key].identity for key in {**registry.revoked, **registry.rotated})
    if not revoked and len(shut_out) == len(allowed.shut_out):
        return allowed
    if revoked:
        names = ", ".join(entry.name for entry in revoked)
        warnings.say(REVOKED_LISTED, f"the allow list names keys that were revoked, and are not let in: {names}")
    return AllowList(enumerate((entry for entry in allowed if entry not in revoked), 1), allowed.access, shut_out)
