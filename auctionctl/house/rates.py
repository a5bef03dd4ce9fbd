"""How much of something anybody gets in a while: a rate with a burst, kept for each of many keys.

The generic cell rate algorithm in its virtual-scheduling form (ITU-T I.371, annex A; the same as a leaky bucket that is
looked at only when something comes). Rule: integers alone, in nanoseconds; in no window of length t does a key get more
than rate * t + burst, and a key of which nothing is known any more is as good as one that has never come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auctionctl.auction.terms import SECOND_NS

MAX_KEYS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_s`` a second, at least 1 and at most 10^9, of which ``burst``, at least 1, may come at once."""

    per_s: int
    burst: int

    @property
    def interval_ns(self) -> int:
        """From one to the next, at this rate; never less than what the rate says."""
        return -(-SECOND_NS // self.per_s)


class RateLimit:
    """``rate`` for each of at most ``max_keys`` keys (addresses, identities, or one for all)."""

    __slots__ = ("_due_ns", "_interval_ns", "_max_keys", "_tolerance_ns", "rate")

    def __init__(self, rate: Rate, max_keys: int = MAX_KEYS) -> None:
        self.rate = rate
        self._interval_ns = rate.interval_ns
        self._tolerance_ns = (rate.burst - 1) * self._interval_ns
        self._max_keys = max_keys
        self._due_ns: dict[object, int] = {}
        """The theoretical arrival time of each key's next: where it has passed, the key has its whole burst."""

    def __len__(self) -> int:
        return len(self._due_ns)

    def take(self, key: object, now_ns: int) -> int:
        """0 if ``key`` may have one now, which then counts; else in how many nanoseconds it may, and nothing counts."""
        due_ns = self._due_ns.get(key)
        if due_ns is None:
            if len(self._due_ns) >= self._max_keys:
                self._make_room(now_ns)
            due_ns = now_ns
        elif due_ns < now_ns:
            due_ns = now_ns
        elif due_ns - now_ns > self._tolerance_ns:
            return due_ns - now_ns - self._tolerance_ns
        self._due_ns[key] = due_ns + self._interval_ns
        return 0

    def give_back(self, key: object) -> None:
        """The last one that ``key`` took was of no use to it."""
        self._due_ns[key] -= self._interval_ns

    def _make_room(self, now_ns: int) -> None:
        """Forget whoever has its whole burst anyway; where too many are left, the half that has used the least.

        So a table that is full costs a sorting of it for every half of it that is new.
        """
        kept = {key: due_ns for key, due_ns in self._due_ns.items() if due_ns > now_ns}
        most = self._max_keys // 2
        if len(kept) > most:
            kept = dict(sorted(kept.items(), key=lambda each: each[1], reverse=True)[:most])
        self._due_ns = kept
