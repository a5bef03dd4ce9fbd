"""Whom a house's registry knows, as JSON objects, as rows, and as names for their keys: one place for all of it.

Rule: as in :mod:`auctionctl.cli.records`; names are the house's word, and shown as any peer's text is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auctionctl.cli.records import clock_time
from auctionctl.replica.registry import Member, Registry
from auctionctl.views.peer_text import safe_text

MEMBER_COLUMNS = ("name", "role", "identity", "since", "joined", "standing")
NAME_CHARACTERS = 32


class RegistryNames(Mapping[bytes, str]):
    """Signing key → its holder's name: in ``nearer``, or else by ``registry`` as it grows, removed ones included.

    A name of somebody in ``nearer`` is nobody else's here: a house could otherwise call a stranger ``you``.
    """

    def __init__(self, registry: Registry, nearer: Mapping[bytes, str]) -> None:
        self._registry = registry
        self._nearer = nearer
        self._taken = frozenset(nearer.values())

    def __getitem__(self, key: bytes) -> str:
        if key in self._nearer:
            return self._nearer[key]
        name = self._registry.members[key].name
        if name in self._taken:
            raise KeyError(key)
        return safe_text(name, NAME_CHARACTERS)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._nearer
        for key, member in self._registry.members.items():
            if key not in self._nearer and member.name not in self._taken:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)


def standing_of(member: Member) -> str:
    """Whether the house lets ``member`` in now."""
    return "member" if member.role else "removed"


def member_record(member: Member) -> dict[str, object]:
    """One identity that was let in."""
    return {
        "name": member.name,
        "role": member.role or None,
        "public_key": member.identity.text,
        "bidder": member.identity.signing.hex(),
        "since_ns": member.since_ns,
        "standing": standing_of(member),
    }


def member_row(member: Member, joined: int) -> tuple[str, ...]:
    """The same under :data:`MEMBER_COLUMNS`; ``joined`` is the number of auctions that it has taken part in."""
    return (
        safe_text(member.name, NAME_CHARACTERS),
        member.role,
        member.identity.short,
        clock_time(member.since_ns),
        str(joined),
        standing_of(member),
    )
