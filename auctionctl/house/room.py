"""Whether the store takes anything: what a house does while its disk is full.

Nobody can bid then, and deadlines stand still: when there is room again, the time without any is an outage like those
of a house that stood still (:mod:`auctionctl.house.gaps`). Rule: each attempt that fails costs a reading of every log
that it would have changed; so after the second one in a row the next waits, longer each time, and until then nothing
is attempted, and every command refused at once.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.events import GapCause
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.gaps import Outage

FIRST_PAUSE_NS: Final = SECOND_NS
STALL_NS: Final = SECOND_NS
"""A house that stands still for no longer moves no deadline."""
LONGEST_PAUSE_NS: Final = 4 * SECOND_NS


class Room:
    """The last attempts to write something. Times are the house's."""

    def __init__(self) -> None:
        self._full_since_ns: int | None = None
        self._pause_ns = 0
        self._retry_ns = 0
        self._is_said = False
        """Whether the batch under way enters the time without room."""

    def lacked(self, now_ns: int) -> None:
        """A batch was rolled back."""
        if self._full_since_ns is None:
            self._full_since_ns, self._pause_ns = now_ns, 0
        else:
            self._pause_ns = min(LONGEST_PAUSE_NS, self._pause_ns * 2 or FIRST_PAUSE_NS)
        self._retry_ns = now_ns + self._pause_ns
        self._is_said = False

    def dropped(self) -> None:
        """A batch was not written, and not for want of room."""
        self._is_said = False

    def found(self) -> None:
        """A batch has been written."""
        self._full_since_ns = None
        self._is_said = False

    def is_awaited(self, now_ns: int) -> bool:
        """Whether nothing is to be attempted yet."""
        return self._full_since_ns is not None and now_ns < self._retry_ns

    def not_before(self, timer_ns: int) -> int:
        """``timer_ns``, or when the next attempt is made, if that is later."""
        return timer_ns if self._full_since_ns is None else max(timer_ns, self._retry_ns)

    def before_lack(self, at_ns: int) -> int:
        """``at_ns``, or since when there is no room, if that is earlier and no entry of the batch says it."""
        return at_ns if self._full_since_ns is None or self._is_said else min(at_ns, self._full_since_ns)

    def say(self, now_ns: int, lost_ns: int | None) -> list[Outage]:
        """The time without room, for the attempt that is made at ``now_ns``; none if that is no more than STALL_NS.

        ``lost_ns`` is since when there is no gateway either: no gap that is entered later could reach back so far.
        """
        if self._full_since_ns is None:
            return []
        self._is_said = True
        if now_ns - self._full_since_ns <= STALL_NS:
            return []
        since_ns = self._full_since_ns if lost_ns is None else min(self._full_since_ns, lost_ns)
        return [Outage(since_ns, now_ns, GapCause.STALLED)]
