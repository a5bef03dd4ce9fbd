"""Which keys are one holder's, one after another: a key that was rotated has one successor, and no key has two.

Rule: a chain begins with a key that a house admitted and grows at its end alone, so that it neither forks nor closes;
whoever adds a link has checked that the new key was never known before.
"""

from __future__ import annotations

from collections.abc import Sequence


class Successions:
    """Chains of signing keys, the oldest first."""

    def __init__(self) -> None:
        self._chains: dict[bytes, list[bytes]] = {}
        """Key → all keys of its holder; a key that neither replaced another nor was replaced has none here."""

    def add(self, old: bytes, new: bytes) -> None:
        """``new``, which was never seen before, takes the place of ``old``, which has no successor."""
        chain = self._chains.setdefault(old, [old])
        assert chain[-1] == old, "a key has one successor"
        assert new not in self._chains, "a key succeeds one other"
        chain.append(new)
        self._chains[new] = chain

    def keys_of(self, key: bytes) -> Sequence[bytes]:
        """All keys of the holder of ``key``, that one included."""
        return self._chains.get(key, (key,))

    def former(self, key: bytes) -> Sequence[bytes]:
        """The keys that ``key`` has taken the place of, directly or not."""
        keys = self.keys_of(key)
        return keys[: keys.index(key)]

    def later(self, key: bytes) -> Sequence[bytes]:
        """The keys that have taken the place of ``key``, directly or not."""
        keys = self.keys_of(key)
        return keys[keys.index(key) + 1 :]

    def newest(self, key: bytes) -> bytes:
        """The key that its holder has now."""
        return self.keys_of(key)[-1]
