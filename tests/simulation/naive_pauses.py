"""How often and how long an auction stood still, worked out anew from its whole history each time it is asked.

Shares no line with the product (:mod:`naive_auction`). Rule: nothing is added up on the way; there are only intervals,
and of each is counted what no gap covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Interval = tuple[int, int | None]
"""From and until; None while it lasts. Nanoseconds on the house's clock."""


def uncovered_ns(interval: Interval, now_ns: int, gaps: Sequence[tuple[int, int]]) -> int:
    """How much of ``interval`` no gap covers, as of ``now_ns`` where it lasts."""
    since_ns, until_ns = interval[0], now_ns if interval[1] is None else interval[1]
    covered_ns = sum(max(0, min(until_ns, end_ns) - max(since_ns, start_ns)) for start_ns, end_ns in gaps)
    return until_ns - since_ns - covered_ns


@dataclass
class NaivePauses:
    """``rules``: policy, how often, how long, how often for one bidder, how long for one bidder."""

    rules: Any
    all: list[Interval] = field(default_factory=list)
    waits: dict[bytes, list[Interval]] = field(default_factory=dict)
    absent: list[bytes] = field(default_factory=list)
    is_by_terms: bool = False
    needed_ns: int = 0
    """When the last one came back for whom the last pause waited: it was right to stand still until then."""

    @property
    def waited_for(self) -> list[bytes]:
        return [bidder for bidder, waits in self.waits.items() if waits and waits[-1][1] is None]

    def spent_ns(self, gaps: Sequence[tuple[int, int]]) -> int:
        # At most what the terms allow: a gap that began just behind a cap has moved that cap by all of its length.
        spent_ns = sum(uncovered_ns(each, 0, gaps) for each in self.all if each[1] is not None)
        return min(self.rules[2], spent_ns)

    def spent_for_ns(self, bidder: bytes, gaps: Sequence[tuple[int, int]]) -> int:
        """Of one bidder, at most what it may cause: whoever is back just after the cap has used it up."""
        over = [each for each in self.waits.get(bidder, ()) if each[1] is not None]
        spent_ns = 0
        for each in over:
            spent_ns = min(self.rules[4], spent_ns + uncovered_ns(each, 0, gaps))
        return spent_ns

    def allows_another(self, gaps: Sequence[tuple[int, int]]) -> bool:
        return len(self.all) < self.rules[1] and self.spent_ns(gaps) < self.rules[2]

    def can_wait_for(self, bidder: bytes, gaps: Sequence[tuple[int, int]]) -> bool:
        often = len(self.waits.get(bidder, ()))
        return often < self.rules[3] and self.spent_for_ns(bidder, gaps) < self.rules[4]

    def must_begin(self, is_below: bool, gaps: Sequence[tuple[int, int]]) -> bool:
        if self.rules[0] == "continue" or (self.rules[0] == "pause_below_min_bidders" and not is_below):
            return False
        return self.allows_another(gaps) and any(self.can_wait_for(bidder, gaps) for bidder in self.absent)

    def must_end(self, is_below: bool) -> bool:
        if not self.is_by_terms:
            return False
        return not self.waited_for or (self.rules[0] == "pause_below_min_bidders" and not is_below)

    def cap_ns(self, gaps: Sequence[tuple[int, int]]) -> int:
        """When the present pause has to end: each deadline is where its time, without gaps, is used up."""
        began_ns = self.all[-1][0]
        in_all_ns = began_ns + self.rules[2] - self.spent_ns(gaps) + _covered_since(began_ns, gaps)
        if not self.is_by_terms:
            return in_all_ns
        each_ns = [self.needed_ns + _covered_since(self.needed_ns, gaps)]
        for bidder in self.waited_for:
            since_ns = self.waits[bidder][-1][0]
            left_ns = self.rules[4] - self.spent_for_ns(bidder, gaps)
            each_ns.append(since_ns + left_ns + _covered_since(since_ns, gaps))
        return min(in_all_ns, max(each_ns))

    # What the log says

    def begin(self, at_ns: int, is_by_terms: bool, gaps: Sequence[tuple[int, int]]) -> None:
        self.all.append((at_ns, None))
        self.is_by_terms = is_by_terms
        self.needed_ns = at_ns
        if is_by_terms:
            for bidder in self.absent:
                self.wait(bidder, at_ns, gaps)

    def wait(self, bidder: bytes, at_ns: int, gaps: Sequence[tuple[int, int]]) -> None:
        if self.can_wait_for(bidder, gaps):
            self.waits.setdefault(bidder, []).append((at_ns, None))

    def back(self, bidder: bytes, at_ns: int, gaps: Sequence[tuple[int, int]]) -> None:
        if bidder in self.waited_for:
            until_ns = min(at_ns, self.cap_ns(gaps))
            self.needed_ns = max(self.needed_ns + _covered_since(self.needed_ns, gaps), until_ns)
        self.stop_waiting(bidder, at_ns)

    def end(self, at_ns: int, gaps: Sequence[tuple[int, int]]) -> int:
        """However late it goes on again, it stood still until its cap at most."""
        if self.waited_for or not self.is_by_terms:
            at_ns = min(at_ns, self.cap_ns(gaps))
        for bidder in self.waited_for:
            self.stop_waiting(bidder, at_ns)
        began_ns = self.all[-1][0]
        self.all[-1] = (began_ns, at_ns)
        return at_ns - began_ns

    def stop_waiting(self, bidder: bytes, at_ns: int) -> None:
        if bidder in self.waited_for:
            self.waits[bidder][-1] = (self.waits[bidder][-1][0], at_ns)


def _covered_since(since_ns: int, gaps: Sequence[tuple[int, int]]) -> int:
    return sum(max(0, end_ns - max(since_ns, start_ns)) for start_ns, end_ns in gaps)
