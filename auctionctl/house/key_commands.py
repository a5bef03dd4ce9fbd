"""Revocations and rotations: a key that is taken out of use at this house for ever, without or with a successor.

Rule: it is in force once it is durable, whatever the allow list says: the sessions of the key end, and nobody is let in
with it again. Bids that stand already stay, for neither is a retraction (DESIGN.md section 10). What the holder of a
replaced key has begun it finishes with it: :mod:`auctionctl.house.finishing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import MalformedEntryError, RemoteProtocolError
from auctionctl.house.effects import Effect, Send
from auctionctl.house.intake import Request, refused
from auctionctl.house.outbox import Outbox, no_room
from auctionctl.house.registry import RegistryLog
from auctionctl.house.room import Room
from auctionctl.keys.allowlist import AllowList
from auctionctl.replica.registry import REGISTRY_ID, Registry, Revoke, Rotate, decode_registry_event
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.session import Peer

KEY_COMMANDS: Final = MappingProxyType({"revoke": Kind.KEY_REVOKED, "rotate": Kind.KEY_ROTATED})
"""Type of the message → kind of the entry that it becomes."""
TAKEN: Final = "the new key, or half of it, is somebody else's: make one for this alone"
LEAST_AGE_NS: Final = 3_600 * SECOND_NS
"""So old a key is before another takes its place, if it took that of another itself: it bounds what one holder adds to
the registry. Whose key is no good before that, revokes it."""


class KeyCommands:
    """What changes keys, at a house whose batch owes its answers in ``outbox`` and which may have no ``room``.

    ``peers`` are those that are there: the transport half of a key is public and signs nothing, so nobody gets one that
    is somebody else's who is there to see it.
    """

    def __init__(self, outbox: Outbox, room: Room, peers: Mapping[int, Peer]) -> None:
        self._peers = peers
        self._outbox = outbox
        self._room = room

    def take(
        self, request: Request, peer: Peer, registry: RegistryLog, allowed: AllowList, now_ns: int
    ) -> list[Effect]:
        """Enter what ``peer``, whose session it is, asks for; or refuse it. RemoteProtocolError for another body."""
        event, command = _decode(request.body), command_id(request.body)
        actor = event.actor if isinstance(event, Revoke) else event.key
        if not actor == request.signer == peer.identity.signing:
            reason = "a key is revoked or replaced by its session's identity"
            return [Send(request.session, refused("not_authorised", reason, command))]
        if registry.is_halted:
            return [Send(request.session, refused("halted", "the registry of this house is halted", command))]
        if _is_in_hand(request.body, registry):
            # It came again in one batch. To refuse it would be the last that its sender hears: its session ends.
            self._outbox.note_command(request.session, command, REGISTRY_ID)
            return []
        if self._room.is_awaited(now_ns):
            # Before it is judged: whom the registry should know by now, it may not have had the room for.
            return [Send(request.session, no_room(command))]
        why = registry.state.check(event, now_ns)
        if why is None and isinstance(event, Rotate):
            taken = any(each.identity.transport == event.transport for each in self._peers.values())
            why = TAKEN if taken else _why_not_now(event, peer, registry.state, allowed, now_ns)
        if why is not None and isinstance(event, Revoke):
            return [Send(request.session, refused("not_revoked", why, command))]
        if why is not None:
            return [Send(request.session, refused("not_rotated", why, command))]
        registry.add(event, now_ns, request.signature)
        self._outbox.note_command(request.session, command, REGISTRY_ID)
        return []


def _is_in_hand(body: bytes, registry: RegistryLog) -> bool:
    """Whether the same bytes are among the entries that are about to become durable."""
    pending = registry.to_append()
    return pending is not None and any(decode(data).body == body for data in pending.entries)


def _decode(body: bytes) -> Revoke | Rotate:
    try:
        event = decode_registry_event(KEY_COMMANDS["revoke" if body[1:8] == b"\xa6revoke" else "rotate"], body)
    except (MalformedEntryError, msgspec.DecodeError) as error:
        raise RemoteProtocolError(str(error)) from error
    assert isinstance(event, (Revoke, Rotate))
    return event


def _why_not_now(event: Rotate, peer: Peer, registry: Registry, allowed: AllowList, now_ns: int) -> str | None:
    """Why the house does not take what the registry could hold, or None."""
    if not peer.is_listed:
        return "a stranger has no place here that another key could take: make one, and come in with that"
    if allowed.by_signing(event.signing) is not None or allowed.by_transport(event.transport) is not None:
        return "the new key is on the allow list already: make one for this alone"
    age_ns = now_ns - registry.members[event.key].since_ns
    if registry.successions.former(event.key) and age_ns < LEAST_AGE_NS:
        minutes = -(-(LEAST_AGE_NS - age_ns) // (60 * SECOND_NS))
        return f"this key took the place of another less than an hour ago: it can be replaced in {minutes} min"
    return None if event.has_consent else "the new key has not signed it"
