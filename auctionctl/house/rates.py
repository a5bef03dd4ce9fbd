"""How much of something anybody gets in a while: a rate with a burst, kept for each of many keys.

The generic cell rate algorithm in its virtual-scheduling form (ITU-T I.371, annex A; the same as a leaky bucket that is
looked at only when something comes). Rule: integers alone, in nanoseconds; in no window of length t does a key get more
than rate * t + burst, and a key of which nothing is known any more is as good as one that has never come.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from auctionctl.auction.terms import SECOND_NS

MAX_KEYS: Final = 16_384


class Rate(msgspec.Struct, frozen=True):
    """``per_s`` a second, at least 1 and at most 10^9, of which ``burst``, at least 1, may come at once."""

    per_s: int
    burst: int

    @property
    def interval_ns(self) -> int:
        """From one to the next, at this rate; never less than what the rate says."""
        return -(-SECOND_NS // self.per_s)

    @property
    def tolerance_ns(self) -> int:
        """How far ahead of the rate a key may be: all of its burst but one."""
        return (self.burst - 1) * self.interval_ns


NO_RATES: Final[Mapping[object, Rate]] = MappingProxyType({})


class RateLimit:
    """``rate`` for each of at most ``max_keys`` keys (addresses, identities, or one for all), but for those that have
    a rate of their ``own``."""

    __slots__ = ("_due_ns", "_max_keys", "_own", "_own_spans", "_span", "rate")

    def __init__(self, rate: Rate, max_keys: int = MAX_KEYS, own: Mapping[object, Rate] = NO_RATES) -> None:
        self.rate = rate
        self._max_keys = max_keys
        self._own = dict(own)
        self._work_out_spans()
        self._due_ns: dict[object, int] = {}
        """The theoretical arrival time of each key's next: where it has passed, the key has its whole burst."""

    def _work_out_spans(self) -> None:
        """Interval and tolerance of each rate, once."""
        self._span = (self.rate.interval_ns, self.rate.tolerance_ns)
        self._own_spans = {key: (rate.interval_ns, rate.tolerance_ns) for key, rate in self._own.items()}

    def __len__(self) -> int:
        return len(self._due_ns)

    def adjust(self, rate: Rate, own: Mapping[object, Rate]) -> None:
        """These hold from now on. What was used is forgotten of keys whose rate has changed, and of no others."""
        before, self._own = self._own, dict(own)
        if rate != self.rate:
            self.rate = rate
            self._due_ns = {key: due_ns for key, due_ns in self._due_ns.items() if key in before}
        for key in before.keys() | self._own.keys():
            if before.get(key) != self._own.get(key):
                self._due_ns.pop(key, None)
        self._work_out_spans()

    def rate_of(self, key: object) -> Rate:
        """The one that holds for this key."""
        return self._own.get(key, self.rate)

    def take(self, key: object, now_ns: int) -> int:
        """0 if ``key`` may have one now, which then counts; else in how many nanoseconds it may, and nothing counts."""
        interval_ns, tolerance_ns = self._own_spans.get(key, self._span)
        dues_ns = self._due_ns
        due_ns = dues_ns.get(key, 0)
        if due_ns > now_ns:
            if due_ns - now_ns > tolerance_ns:
                return due_ns - now_ns - tolerance_ns
            dues_ns[key] = due_ns + interval_ns
            return 0
        if not due_ns and len(dues_ns) >= self._max_keys:
            self._make_room(now_ns)
        self._due_ns[key] = now_ns + interval_ns
        return 0

    def wait_ns(self, key: object, now_ns: int) -> int:
        """As :meth:`take`, but nothing counts in any case."""
        return max(0, self._due_ns.get(key, now_ns) - now_ns - self.rate_of(key).tolerance_ns)

    def use(self, key: object, amount: int, now_ns: int) -> None:
        """``key`` has had so many, whether it might or not: what is too many it waits for, later."""
        if len(self._due_ns) >= self._max_keys and key not in self._due_ns:
            self._make_room(now_ns)
        used_ns = amount * self.rate_of(key).interval_ns
        self._due_ns[key] = max(self._due_ns.get(key, now_ns), now_ns) + used_ns

    def give_back(self, key: object) -> None:
        """The last one that ``key`` took was of no use to it."""
        self._due_ns[key] -= self.rate_of(key).interval_ns

    def _make_room(self, now_ns: int) -> None:
        """Forget whoever has its whole burst anyway; where too many are left, the half that has used the least.

        So a table that is full costs a sorting of it for every half of it that is new.
        """
        kept = {key: due_ns for key, due_ns in self._due_ns.items() if due_ns > now_ns}
        most = self._max_keys // 2
        if len(kept) > most:
            kept = dict(sorted(kept.items(), key=lambda each: each[1], reverse=True)[:most])
        self._due_ns = kept
