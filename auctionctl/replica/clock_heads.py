"""Clock heads as followers keep them: each held against the log, whichever of the two comes first.

Rule: what a clock head proves of a log, it proves of its entries: one at or above its size is not dated before it, one
below its size not after it (:mod:`auctionctl.tlog.cosignature`). Times in a log never go back, so the two entries on
either side of the head are asked first, and answer for all others. Only entries that stand under a checkpoint of the
house are held against anything: of others, it is not known whose word they are.

Source: DESIGN.md section 7.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable
from typing import Final, NamedTuple

from auctionctl.keys.signing import Identity
from auctionctl.tlog.cosignature import TimedCheckpoint, open_timed
from auctionctl.tlog.merkle import Tree

BACK_DATED: Final = "back_dated"
AHEAD: Final = "ahead_of_clock"
FORK: Final = "root"
MAX_WAITING: Final = 16
"""How many clock heads may be ahead of a copy that is still coming in; then the oldest is forgotten."""


class KeptHead(NamedTuple):
    """A clock head, opened, and its ``note`` as the house sent it."""

    note: bytes
    head: TimedCheckpoint


class Contradiction(NamedTuple):
    """Entry ``entry_index``, dated ``time_ns``, and this clock head are not of one honest log; ``rule`` says how."""

    rule: str
    entry_index: int
    time_ns: int
    kept: KeptHead

    @property
    def words(self) -> str:
        """What is the matter."""
        size, time_s = self.kept.head.checkpoint.size, self.kept.head.time_s
        if self.rule == FORK:
            return f"the clock head of {time_s} s has another root for the first {size} entries"
        by_s = abs(self.time_ns - self.kept.head.time_ns) / 1e9
        if self.rule == BACK_DATED:
            return f"dated {by_s:.3f} s before the house signed at {time_s} s that its log had {size} entries"
        return f"dated {by_s:.3f} s after {time_s} s, when the house signed for it among {size} entries"


def entry_rule(head: TimedCheckpoint, index: int, time_ns: int) -> str | None:
    """The rule that an entry ``index`` dated ``time_ns`` breaks beside this head, or None."""
    if head.proves_back_dated(index, time_ns):
        return BACK_DATED
    return AHEAD if head.proves_ahead(index, time_ns) else None


def contradiction(kept: KeptHead, tree: Tree, size: int, time_of: Callable[[int], int]) -> Contradiction | None:
    """What a clock head has against the first ``size`` entries, which ``tree`` holds; ``time_of`` dates each of them.

    A head over more entries is held against those that there are.
    """
    head = kept.head
    reached = head.checkpoint.size
    if reached <= size and tree.root(reached) != head.checkpoint.root:
        return Contradiction(FORK, reached, head.time_ns, kept)
    if reached < size and head.proves_back_dated(reached, time_of(reached)):
        return Contradiction(BACK_DATED, reached, time_of(reached), kept)
    last = min(reached, size) - 1
    if last >= 0 and head.proves_ahead(last, time_of(last)):
        index = bisect_left(range(last), 1, key=lambda at: head.proves_ahead(at, time_of(at)))
        return Contradiction(AHEAD, index, time_of(index), kept)
    return None


def _lateness(kept: KeptHead) -> tuple[int, int]:
    return kept.head.time_s, kept.head.checkpoint.size


class KeptHeads:
    """The clock heads of the log ``origin`` of ``house``, and the dates of its entries (8 bytes each)."""

    def __init__(self, origin: str, house: Identity) -> None:
        self.latest: KeptHead | None = None
        """The one with the latest time, and over most at that time, of those that were found to hold."""
        self._origin = origin
        self._house = house
        self._floor: KeptHead | None = None  # the latest one that the log has reached: nothing new is dated before it
        self._waiting: list[KeptHead] = []  # those that it has not
        self._times_ns = array("q")
        self._checked = 0

    def open(self, note: bytes) -> KeptHead:
        """``note``, opened; NoteError if it is no clock head of this log."""
        return KeptHead(note, open_timed(note, self._origin, self._house.text, self._house.signing))

    def date(self, time_ns: int) -> None:
        """The next entry of the log is dated ``time_ns``."""
        self._times_ns.append(time_ns)

    def keep(self, kept: KeptHead) -> None:
        """Hold ``kept`` against the log by the next :meth:`check`."""
        self._waiting = [*self._waiting, kept][-MAX_WAITING:]

    def check(self, tree: Tree, size: int) -> Contradiction | None:
        """What speaks against the log, of which ``size`` entries are the house's word by now; None if nothing does."""
        if self._floor is not None and self._checked < size:
            time_ns = self._times_ns[self._checked]
            if self._floor.head.proves_back_dated(self._checked, time_ns):
                return Contradiction(BACK_DATED, self._checked, time_ns, self._floor)
        self._checked = max(self._checked, size)
        waiting = []
        for kept in self._waiting:
            if (found := contradiction(kept, tree, size, self._times_ns.__getitem__)) is not None:
                return found
            if self.latest is None or _lateness(kept) >= _lateness(self.latest):
                self.latest = kept
            if kept.head.checkpoint.size > size:
                waiting.append(kept)
            elif self._floor is None or kept.head.time_s > self._floor.head.time_s:
                self._floor = kept
        self._waiting = waiting
        return None
