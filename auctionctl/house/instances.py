"""Which instances of a house live, and which of them is to hold a log: leases, and rendezvous hashing.

Rule: an instance lives as long as its signs of life come, judged by the observer's own monotonic clock and by nothing
that the other one's clock says; and whoever does not hear its own signs either is deaf, and takes nobody for dead. What
is decided here is a matter of liveness alone: that a log has one writer is the store's to see to. What each of them
knows of the others is the same, so that they agree on who is chosen; where that one does nothing, the next one does. A
log whose holder lives stays where it is, however loads change; to one that comes each of the others gives its share.

Pure. Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998); weights as in
Schindelhauer and Schomaker, "Weighted distributed hash tables" (2005). DESIGN.md section 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from math import log as logarithm
from typing import Final

import msgspec

LEASE_NS: Final = 3_000_000_000
"""Whose sign of life is older than this, by the clock of whoever looks, is dead."""
DEAF_NS: Final = 1_500_000_000
"""Whoever has heard nothing for so long, not even itself, knows nothing of the others."""
NOBODY: Final = "(nobody)"
"""The holder of a log that its last one cannot read: no instance has such a name, and so none by it lives."""
TURN_NS: Final = 3_000_000_000
"""So long the instance that is chosen has to claim a log, before the next one does."""


class Heard(msgspec.Struct, frozen=True):
    """What an instance's last sign of life says; ``number`` is another one with each sign."""

    name: str
    number: int
    endpoint: str
    holds: int
    is_deposed: bool = False


class Instance(msgspec.Struct, frozen=True):
    """One instance, as another one sees it."""

    name: str
    endpoint: str
    holds: int
    is_alive: bool


class Instances:
    """The instances of a house as the one called ``name`` sees them. Times in ns, by its clock, which only goes on."""

    def __init__(self, name: str, now_ns: int) -> None:
        self.name = name
        self._heard: dict[str, Heard] = {}
        self._heard_ns: dict[str, int] = {}
        self._number = 0
        self._listened_ns = now_ns
        self._due_ns: dict[str, int] = {}
        self._lived: frozenset[str] | None = None

    def hear(self, signs: Iterable[Heard], number: int, now_ns: int) -> None:
        """The last sign of each; ``number`` is that of the last one that came from the store, be it this one's own."""
        was_deaf = now_ns - self._listened_ns > DEAF_NS
        if number != self._number:
            self._number, self._listened_ns = number, now_ns
            if was_deaf:
                # What the others have said meanwhile is on its way: each has its whole lease to be heard again.
                self.excuse(now_ns)
        for sign in signs:
            known = self._heard.get(sign.name)
            if known is None or known.number != sign.number:
                self._heard[sign.name] = sign
                self._heard_ns[sign.name] = now_ns

    def excuse(self, now_ns: int) -> None:
        """Nobody could have signed lately, for a reason that was the same for all: each has its lease from now on."""
        self._heard_ns = dict.fromkeys(self._heard_ns, now_ns)

    def is_deaf(self, now_ns: int) -> bool:
        """Whether nothing has been heard for so long that nothing is known of the others."""
        return now_ns - self._listened_ns > DEAF_NS

    def is_alive(self, name: str, now_ns: int) -> bool:
        """Whether the instance of this name lives; this one does."""
        if name == self.name:
            return True
        sign = self._heard.get(name)
        return sign is not None and not sign.is_deposed and now_ns - self._heard_ns[name] <= LEASE_NS

    def all(self, now_ns: int) -> list[Instance]:
        """Every instance that ever gave a sign of life, by name."""
        return [
            Instance(name, sign.endpoint, sign.holds, self.is_alive(name, now_ns))
            for name, sign in sorted(self._heard.items())
        ]

    def endpoint_of(self, name: str, now_ns: int) -> str:
        """Where the instance of this name serves; empty where it is dead or does not say."""
        return self._heard[name].endpoint if name in self._heard and self.is_alive(name, now_ns) else ""

    def choose(self, log: str, now_ns: int) -> str:
        """The living instance that a log without a holder is for."""
        return self._ranked(log, now_ns)[0]

    def choose_other(self, log: str, now_ns: int) -> str | None:
        """The living instance that a log of this one is for when it ends; None if there is no other."""
        return next((name for name in self._ranked(log, now_ns) if name != self.name), None)

    def arrived(self, now_ns: int) -> frozenset[str]:
        """The other instances that live now, and did not at the last call; none at the first one."""
        living = frozenset(name for name in self._heard if name != self.name and self.is_alive(name, now_ns))
        arrived = frozenset() if self._lived is None else living - self._lived
        self._lived = living
        return arrived

    def choose_evenly(self, log: str, now_ns: int) -> str:
        """The living instance that a log would be for if each of them held as much as any other."""
        return max(self._living(now_ns), key=lambda name: _score(log, name, 1.0))

    def due(self, holders: Mapping[str, str], now_ns: int) -> list[str]:
        """Of the logs with these holders (log → name, empty where there is none), those that this one is to claim now.

        A log that it is said to hold is among them: whoever asks leaves out what it really holds.
        """
        if self.is_deaf(now_ns):
            return []
        lost = [log for log, holder in holders.items() if holder == self.name or not self.is_alive(holder, now_ns)]
        self._due_ns = {log: self._due_ns.get(log, now_ns) for log in lost}
        return [log for log in lost if holders[log] == self.name or self._is_turn(log, now_ns)]

    def _is_turn(self, log: str, now_ns: int) -> bool:
        turn = (now_ns - self._due_ns[log]) // TURN_NS
        return self.name in self._ranked(log, now_ns)[: turn + 1]

    def _living(self, now_ns: int) -> set[str]:
        return {self.name, *(name for name in self._heard if self.is_alive(name, now_ns))}

    def _ranked(self, log: str, now_ns: int) -> list[str]:
        """The living instances, the best one for ``log`` first; the more one holds, the less it is that."""
        living = self._living(now_ns)
        holds = {name: self._heard[name].holds if name in self._heard else 0 for name in living}
        mean = 1 + sum(holds.values()) / len(living)
        return sorted(living, key=lambda name: _score(log, name, 1 / (1 + holds[name] / mean)), reverse=True)


def _score(log: str, name: str, weight: float) -> tuple[float, str]:
    """How good ``name`` is for ``log``: the highest of several is each one's in the proportion of the weights."""
    drawn = int.from_bytes(sha256(f"{log}\n{name}".encode()).digest()[:8])
    return -weight / logarithm((drawn + 0.5) / 2**64), name
