"""The logs that this instance is to go on with, until an entry in each says so, durably (DESIGN.md section 7).

Rule: a takeover that was not written, because its batch was dropped, is owed to the next one; until then the log is
another's. The time in which nobody wrote it becomes a gap, if it was longer than a house may stand still.
"""

from __future__ import annotations

from typing import NamedTuple

from auctionctl.auction.events import GapCause, Takeover
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.gaps import RECONNECT_GRACE_NS, Outage, enter_gap
from auctionctl.house.room import STALL_NS


class Taken(NamedTuple):
    """A claim that the store has acknowledged; nobody wrote the log from ``since_ns`` on, if that is known."""

    takeover: Takeover
    since_ns: int | None


class Takeovers:
    """What is owed, by the ids of logs, and what the batch in flight says of it."""

    def __init__(self) -> None:
        self._owed: dict[bytes, Taken] = {}
        self._said: dict[bytes, Taken] = {}

    def owe(self, log_id: bytes, taken: Taken) -> None:
        """The next batch goes on with this log."""
        self._owed[log_id] = taken

    def owes(self, log_id: bytes) -> bool:
        """Whether the next batch is to go on with this log."""
        return log_id in self._owed

    def drop(self, log_id: bytes) -> None:
        """Somebody else does, by now."""
        self._owed.pop(log_id, None)

    def take_owed(self) -> dict[bytes, Taken]:
        """What the batch has to say."""
        owed, self._owed = self._owed, {}
        return owed

    def said(self, log_id: bytes, taken: Taken) -> None:
        """The batch says it."""
        self._said[log_id] = taken

    def committed(self) -> None:
        """What was said is durable."""
        self._said.clear()

    def take_back(self) -> list[bytes]:
        """What was said was not written, of these logs: it is owed again."""
        self._owed |= self._said
        lost, self._said = list(self._said), {}
        return lost


def enter_takeover(log: AuctionLog, taken: Taken, now_ns: int) -> None:
    """``log`` goes on here, and its deadlines move by the time in which nobody wrote it."""
    log.add_event(taken.takeover, now_ns)
    if taken.since_ns is not None and now_ns - taken.since_ns > STALL_NS:
        enter_gap(Outage(taken.since_ns, now_ns + RECONNECT_GRACE_NS, GapCause.TAKEOVER), log, now_ns)
