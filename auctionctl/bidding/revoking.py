"""The core of whoever takes a key out of use at one house, its own or, as an operator, another's."""

from __future__ import annotations

from auctionctl.bidding.key_change import KeyChange
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.registry import Revoke


class Revoker(KeyChange):
    """Has ``key`` sign that ``target`` (a signing key) is let in no more."""

    def __init__(self, key: SecretKey, house: Identity, target: bytes) -> None:
        super().__init__(key, house, Revoke(house.signing, key.identity.signing, target))
        self._target = target

    @property
    def entry_index(self) -> int | None:
        """The entry of the registry that says it, once it has been seen there."""
        return self.registry.revocations.get(self._target)
