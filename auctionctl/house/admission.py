"""Whom a house lets in: its allow list, less the keys that were revoked, and with new keys in place of replaced ones.

Rule: what the registry says of a key is stronger than any list, and in force once it is durable. A line that names a
key which was replaced lets in its holder, by the same name and in the same roles, under the newest of its keys; so the
list need not be changed, and to take the line away still takes away the person. Where an operator has revoked a key
that was replaced, its line lets in nobody: a thief would have replaced it at once. Whose new key is its own after all
gets a line for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auctionctl.house.condition import REVOKED_LISTED, ROTATED_LISTED, Warnings
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.replica.registry import Registry

CODES: Final = (REVOKED_LISTED, ROTATED_LISTED)


class Admission:
    """What the registry makes of an allow list; what that list should say otherwise is warned of."""

    def __init__(self, allowed: AllowList, warnings: Warnings) -> None:
        self._allowed = allowed
        self._warnings = warnings
        self._heeded = 0
        self.is_ahead = False
        """Whether somebody is shut out whom the registry says to be let in still, so that it has to say more."""

    def is_behind(self, registry: Registry) -> bool:
        """Whether a key was revoked or replaced since a list was last looked at: a comparison of two numbers."""
        return _ended(registry) != self._heeded

    def take(self, allowed: AllowList) -> None:
        """Another list is to be heeded."""
        self._allowed = allowed
        for code in CODES:
            self._warnings.take_back(code)

    def in_force(self, registry: Registry) -> AllowList:
        """Whom the list lets in by ``registry``, all of which is durable; the list itself, if that is the same.

        As a stranger nobody comes in under a key that was revoked or replaced either.
        """
        allowed, self._heeded = self._allowed, _ended(registry)
        ended = {**registry.revoked, **registry.rotated}
        in_doubt = [newest for key in ended if registry.is_disowned(newest := registry.successions.newest(key))]
        self.is_ahead = any(registry.members[key].role and allowed.by_signing(key) is None for key in in_doubt)
        listed = [entry for key in ended if (entry := allowed.by_signing(key)) is not None]
        shut_out = allowed.shut_out
        if allowed.access is Access.OPEN:
            keys = dict.fromkeys((*ended, *in_doubt))
            shut_out = tuple(dict.fromkeys((*shut_out, *(registry.members[key].identity for key in keys))))
        if not listed and shut_out == allowed.shut_out:
            return allowed
        entries = list(_entries(allowed, registry))
        self._warn(listed, {entry.name for entry in entries})
        return AllowList(enumerate(entries, 1), allowed.access, shut_out)

    def _warn(self, listed: list[Entry], let_in: set[str]) -> None:
        gone = ", ".join(entry.name for entry in listed if entry.name not in let_in)
        if gone:
            words = f"the allow list names keys that were revoked, and are not let in: {gone}"
            self._warnings.say(REVOKED_LISTED, words)
        renewed = ", ".join(entry.name for entry in listed if entry.name in let_in)
        if renewed:
            words = f"the allow list names keys that were replaced; let in are the new ones in their place: {renewed}"
            self._warnings.say(ROTATED_LISTED, words)


def _ended(registry: Registry) -> int:
    return len(registry.revoked) + len(registry.rotated)


def _entries(allowed: AllowList, registry: Registry) -> Iterator[Entry]:
    """Each entry of ``allowed`` under the newest key of its holder; where that has a line of its own, by that alone."""
    taken: set[bytes] = set()
    for entry in allowed:
        newest = registry.successions.newest(entry.identity.signing)
        if newest in registry.revoked:
            continue
        if newest == entry.identity.signing:
            yield entry
            continue
        if registry.is_disowned(newest):
            continue
        identity = registry.members[newest].identity
        is_listed = allowed.by_signing(newest) is not None or allowed.by_transport(identity.transport) is not None
        if not is_listed and newest not in taken:
            taken.add(newest)
            yield Entry(identity, entry.name, entry.role, entry.options)
