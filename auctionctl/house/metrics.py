"""How a house works, in numbers: durations by stage, commands by what came of them, and which auctions are busy.

Rule: to count costs next to nothing, a few additions for each batch or chunk, and nothing for each bid where one number
will do for all of a batch. Durations are kept in buckets whose width is at most an eighth of their lower bound, so that
a percentile is too high by at most an eighth, never too low (the scheme of HdrHistogram, Tene 2012). What was lately is
kept in slots of SLOT_NS, the last SLOTS of them and the one under way.
"""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import Final

from auctionctl.auction.terms import SECOND_NS

SLOT_NS: Final = 10 * SECOND_NS
SLOTS: Final = 5
_STEP_BITS: Final = 3
_STEPS: Final = 1 << _STEP_BITS
_MOST_NS: Final = (1 << 40) - 1
"""18 minutes; what takes longer counts as that."""
BUCKETS: Final = (_MOST_NS.bit_length() - _STEP_BITS + 1) * _STEPS


class Stage(enum.StrEnum):
    """What a request goes through, in order, and the whole of it."""

    CHECK = "check"
    """From the gateway's turn that received it until a verifier has checked its signature."""
    WAIT = "wait"
    """From there until the house takes it up."""
    DECIDE = "decide"
    """The batch that it is in is judged."""
    COMMIT = "commit"
    """That batch is made durable."""
    ANSWER = "answer"
    """From there until the gateway has sent what came of it: receipts and rejections are signed meanwhile."""
    TOTAL = "total"
    """From the gateway's turn that received it until that which sends the answer."""


def bucket_of(duration_ns: int) -> int:
    """The bucket of a duration; what is negative counts as none."""
    if duration_ns < 2 * _STEPS:
        return max(0, duration_ns)
    duration_ns = min(duration_ns, _MOST_NS)
    shift = duration_ns.bit_length() - _STEP_BITS - 1
    return (shift << _STEP_BITS) + (duration_ns >> shift)


def bucket_end_ns(bucket: int) -> int:
    """The longest duration of a bucket."""
    if bucket < 2 * _STEPS:
        return bucket
    shift = (bucket >> _STEP_BITS) - 1
    return (((bucket & (_STEPS - 1)) + _STEPS + 1) << shift) - 1


class Histogram:
    """How often which durations were met."""

    __slots__ = ("count", "counts", "sum_ns")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.count = 0
        self.sum_ns = 0

    def note(self, duration_ns: int, count: int = 1) -> None:
        """``count`` requests took so long, each."""
        bucket = bucket_of(duration_ns)
        self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.count += count
        self.sum_ns += max(0, duration_ns) * count

    def add(self, counts: Iterable[tuple[int, int]], sum_ns: int) -> None:
        """Everything that was counted elsewhere: (bucket, count), and the sum of it all."""
        for bucket, count in counts:
            self.counts[bucket] = self.counts.get(bucket, 0) + count
            self.count += count
        self.sum_ns += sum_ns

    def percentile_ns(self, per_mille: int) -> int:
        """So many of a thousand took no longer; 0 where there were none."""
        left = -(-self.count * per_mille // 1000)
        for bucket in sorted(self.counts):
            left -= self.counts[bucket]
            if left <= 0:
                return bucket_end_ns(bucket)
        return 0

    @property
    def longest_ns(self) -> int:
        """No request took longer; 0 where there were none."""
        return bucket_end_ns(max(self.counts)) if self.counts else 0


class Recent:
    """What was counted in the last SLOTS slots and the one under way, and what there was of it in all."""

    def __init__(self) -> None:
        self._slots: deque[dict[Stage, Histogram]] = deque(maxlen=SLOTS)
        self._busy_slots: deque[Counter[bytes]] = deque(maxlen=SLOTS)
        self._begun_ns = 0
        self._slot_ns = 0
        self._before = {stage: Histogram() for stage in Stage}
        """What was counted until the slot under way began."""
        self._open()

    def _open(self) -> None:
        self._now = {stage: Histogram() for stage in Stage}
        self.busy: Counter[bytes] = Counter()
        """Auction → commands that became durable in this slot; whoever counts adds to it."""

    def turn(self, now_ns: int) -> None:
        """Begin a new slot if it is time to; to be called now and then."""
        if not self._slot_ns:
            self._begun_ns = self._slot_ns = now_ns
        while now_ns - self._slot_ns >= SLOT_NS:
            self._slot_ns += SLOT_NS
            self._slots.append(self._now)
            for stage, histogram in self._now.items():
                self._before[stage].add(histogram.counts.items(), histogram.sum_ns)
            self._busy_slots.append(self.busy)
            self._open()

    def note(self, stage: Stage, duration_ns: int, count: int = 1) -> None:
        """``count`` requests were in ``stage`` for so long, each."""
        self._now[stage].note(duration_ns, count)

    def add(self, stage: Stage, counts: Iterable[tuple[int, int]], sum_ns: int) -> None:
        """What another process has counted of ``stage``."""
        self._now[stage].add(counts, sum_ns)

    def span_ns(self, now_ns: int) -> int:
        """How long "lately" is, at ``now_ns``."""
        return min(now_ns - self._begun_ns, now_ns - self._slot_ns + len(self._slots) * SLOT_NS)

    def lately(self, stage: Stage) -> Histogram:
        """What was counted of ``stage`` in that time."""
        return _together(slot[stage] for slot in (*self._slots, self._now))

    def ever(self, stage: Stage) -> Histogram:
        """What was counted of ``stage`` since the house's process began."""
        return _together((self._before[stage], self._now[stage]))

    def busiest(self, most: int) -> list[tuple[bytes, int]]:
        """The auctions to which most was added in that time, and how much; ties by their ids."""
        found: Counter[bytes] = Counter()
        for slot in (*self._busy_slots, self.busy):
            found.update(slot)
        return sorted(found.items(), key=lambda each: (-each[1], each[0]))[:most]


def _together(histograms: Iterable[Histogram]) -> Histogram:
    found = Histogram()
    for each in histograms:
        found.add(each.counts.items(), each.sum_ns)
    return found


class Tally:
    """What came of commands since the house's process began, by code; and what there was of each in all."""

    def __init__(self) -> None:
        self.recent = Recent()
        self.acknowledged = 0
        """Receipts that were given out, repeated ones as well."""
        self.rejected: Counter[str] = Counter()
        """By the rules: code → how many."""
        self.refused: Counter[str] = Counter()
        """Before the rules: code → how many."""
        self.ended: Counter[str] = Counter()
        """Auctions that have ended: reason → how many."""
        self.batches = 0
        self.requests = 0
        self.commits = 0

    def acknowledge(self, auctions: Sequence[bytes]) -> None:
        """The receipts of a batch are given out: one for each time that an auction is named."""
        self.acknowledged += len(auctions)
        self.recent.busy.update(auctions)
