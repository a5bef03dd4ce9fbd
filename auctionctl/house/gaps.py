"""Times in which nobody could bid, as entries in every log whose deadlines they move (DESIGN.md section 6, "Gaps").

Rule: a gap that was not written, because its batch was rolled back, is owed to the next one. No gap reaches back over a
sign of life in a log, or over another gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from auctionctl.auction.claims import MAX_GAP_GRACE_NS
from auctionctl.auction.events import Gap, GapCause
from auctionctl.auction.phase import Phase
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.auction_log import AuctionLog

RECONNECT_GRACE_NS: Final = SECOND_NS
"""Added to a gap for bidders to come back; their longest pause between two attempts is half of it."""

assert RECONNECT_GRACE_NS <= MAX_GAP_GRACE_NS


class Outage(NamedTuple):
    """Nobody could bid from ``since_ns`` until ``until_ns``."""

    since_ns: int
    until_ns: int
    cause: GapCause
    logs: tuple[bytes, ...] = ()
    """The only logs that it holds of, by their ids in order; none: all."""


class Gaps:
    """The outages of the batch in flight, and of batches that were rolled back, in order."""

    def __init__(self) -> None:
        self._said: dict[Outage, None] = {}
        self._owed: dict[Outage, None] = {}

    def say(self, outage: Outage, logs: Iterable[AuctionLog], now_ns: int) -> Iterator[AuctionLog]:
        """Enter ``outage`` in each of ``logs`` that has a deadline which ran then; yields those that it moved."""
        for log in logs:
            if (not outage.logs or log.id in outage.logs) and enter_gap(outage, log, now_ns):
                self._said[outage] = None
                yield log

    def take_owed(self, more: Iterable[Outage] = ()) -> list[Outage]:
        """What has to be said again, and ``more``; what is of the same logs, has one cause and no time in
        between is one outage."""
        owed: list[Outage] = []
        for outage in sorted((*self._owed, *more)):
            last = owed[-1] if owed else None
            is_one = last is not None and (last.cause, last.logs) == (outage.cause, outage.logs)
            if last is not None and is_one and outage.since_ns <= last.until_ns:
                owed[-1] = last._replace(until_ns=max(last.until_ns, outage.until_ns))
            else:
                owed.append(outage)
        self._owed.clear()
        return owed

    @property
    def is_owed(self) -> bool:
        """Whether something has to be said again."""
        return bool(self._owed)

    def before_owed(self, at_ns: int) -> int:
        """``at_ns``, or the beginning of the first outage that is owed, if that is earlier."""
        return min((at_ns, *(outage.since_ns for outage in self._owed)))

    def before_said(self, at_ns: int) -> int:
        """``at_ns``, or the beginning of the first outage that the batch in flight says, if that is earlier."""
        return min((at_ns, *(outage.since_ns for outage in self._said)))

    def committed(self) -> None:
        """What was said is durable."""
        self._said.clear()

    def rolled_back(self) -> None:
        """What was said was not written."""
        self._owed |= self._said
        self._said.clear()


def enter_gap(outage: Outage, log: AuctionLog, now_ns: int) -> bool:
    """Whether ``log`` has a deadline which ran during ``outage``, that is then entered in it.

    One that stands still beyond its cap, as nobody could have it go on, would otherwise lose that time.
    """
    since_ns, until_ns, cause, _ = outage
    is_running = log.auction.phase is Phase.PAUSED or (log.auction.get_timer() or 0) > since_ns
    if not is_running or not log.auction.allows("gap"):
        return False
    start_ns = log.auction.next_gap_since_ns(since_ns)
    if start_ns >= until_ns:
        return False
    log.add_event(Gap(start_ns, until_ns, cause), now_ns)
    return True
