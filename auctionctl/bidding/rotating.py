"""The core of whoever puts a new key in the place of its own at one house, under both of them."""

from __future__ import annotations

from auctionctl.bidding.key_change import KeyChange
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.registry import Registry, rotation


class Rotator(KeyChange):
    """Has ``old`` sign that ``new`` takes its place, to which that has consented."""

    def __init__(self, old: SecretKey, new: SecretKey, house: Identity) -> None:
        super().__init__(old, house, rotation(old.identity.signing, new, house.signing))
        self._old, self._new = old.identity.signing, new.identity.signing

    @property
    def entry_index(self) -> int | None:
        """The entry of the registry that says it, once it has been seen there."""
        return find_rotation(self.registry, self._old, self._new)


def find_rotation(registry: Registry, old: bytes, new: bytes) -> int | None:
    """The entry by which ``new`` (signing keys) took the place of ``old``; None where it did not."""
    keys = registry.successions.keys_of(old)
    follows = new in keys and keys.index(new) == keys.index(old) + 1
    return registry.rotations[old] if follows else None
