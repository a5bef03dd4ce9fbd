"""Whom a house's registry knows, as JSON objects, as rows, and as names for their keys: one place for all of it.

Rule: as in :mod:`auctionctl.cli.records`; names are the house's word, and shown as any peer's text is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from auctionctl.cli.records import clock_time
from auctionctl.cli.settings.shares import format_share
from auctionctl.replica.registry import Member, Registry
from auctionctl.replica.reputation import Record
from auctionctl.views.peer_text import safe_text

MEMBER_COLUMNS = ("name", "role", "identity", "since", "joined", "standing", "reputation", "evidence")
DEED_COLUMNS = ("auction", "said", "stood", "won", "paid", "defaulted", "left leading", "invalid bids")
NAME_CHARACTERS = 32
DEED_WORDS = MappingProxyType(
    {
        "stood": "stood by its bids",
        "won": "won",
        "paid": "paid",
        "defaulted": "defaulted",
        "left": "left while leading",
        "invalid": "invalid bids",
    }
)
"""What a bidder may do in an auction → in words, after how often."""


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


def standing_of(member: Member, registry: Registry) -> str:
    """Whether the house lets ``member`` in now, and why not."""
    if member.role:
        return "member"
    if member.identity.signing in registry.revoked:
        return "revoked"
    return "replaced" if member.identity.signing in registry.rotated else "removed"


def member_record(member: Member, registry: Registry) -> dict[str, object]:
    """One identity that was let in."""
    later = registry.successions.later(member.identity.signing)
    return {
        "name": member.name,
        "role": member.role or None,
        "public_key": member.identity.text,
        "bidder": member.identity.signing.hex(),
        "since_ns": member.since_ns,
        "standing": standing_of(member, registry),
        "successor": registry.members[later[0]].identity.text if later else None,
    }


def member_row(member: Member, registry: Registry, joined: int, known: Known) -> tuple[str, ...]:
    """The same under :data:`MEMBER_COLUMNS`; ``joined`` is the number of auctions that it has taken part in."""
    return (
        safe_text(member.name, NAME_CHARACTERS),
        member.role,
        member.identity.short,
        clock_time(member.since_ns),
        str(joined),
        standing_of(member, registry),
        format_share(known.ppm),
        known.words,
    )


class Known(NamedTuple):
    """The reputation of one identity, and the evidence behind it."""

    ppm: int
    records: Sequence[Record]

    @classmethod
    def of(cls, registry: Registry, signing: bytes, now_ns: int) -> Known:
        """By ``registry``, as of ``now_ns``."""
        return cls(registry.reputations.ppm(signing, now_ns), registry.reputations.records_of(signing))

    def total(self, deed: str) -> int:
        """How often that was done, in all auctions."""
        return sum(getattr(record.deeds, deed) for record in self.records)

    @property
    def last_ns(self) -> int | None:
        """When the registry last said something of it."""
        return self.records[-1].time_ns if self.records else None

    @property
    def words(self) -> str:
        """What was done, and how often; what never was is not said."""
        if not self.records or self.last_ns is None:
            return "none yet"
        did = [f"{self.total(deed)} {words}" for deed, words in DEED_WORDS.items() if self.total(deed)]
        auctions = "1 auction" if len(self.records) == 1 else f"{len(self.records)} auctions"
        return f"{', '.join(did)} in {auctions}, last {clock_time(self.last_ns)}"

    @property
    def record(self) -> dict[str, object]:
        """For programs; without the single auctions."""
        counts = {deed: self.total(deed) for deed in DEED_WORDS}
        return {"reputation_ppm": self.ppm, "auctions": len(self.records), **counts, "last_ns": self.last_ns}


def deed_record(record: Record, listing: str) -> dict[str, object]:
    """What one auction says of one bidder; ``listing`` is the auction's name."""
    counts = {deed: getattr(record.deeds, deed) for deed in DEED_WORDS}
    return {"auction": record.auction.hex(), "listing": listing, "said_ns": record.time_ns, **counts}


def deed_row(record: Record, listing: str) -> tuple[str, ...]:
    """The same under :data:`DEED_COLUMNS`."""
    counts = (str(getattr(record.deeds, deed)) for deed in DEED_WORDS)
    return (safe_text(listing, NAME_CHARACTERS), clock_time(record.time_ns), *counts)
