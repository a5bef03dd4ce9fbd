"""How the supervisor's part of a house keeps its journal of security events: its own reports, and what it is told.

Rule: whoever is to hear a report hears it whatever becomes of the journal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from auctionctl.house.security import SecurityEvent, SecurityKind, security_event
from auctionctl.net.admission_news import AllowListKept
from auctionctl.net.house_words import Halted
from auctionctl.net.reports import Banned, Muted, Quarantined, Report, Restarted
from auctionctl.net.security_journal import SecurityJournal


class Journalling:
    """The journal in the directory ``state``; reports are passed on to ``on_report``."""

    def __init__(self, state: Path, on_report: Callable[[Report], None]) -> None:
        self._journal = SecurityJournal(state)
        self._on_report = on_report

    @property
    def next_s(self) -> float | None:
        """When :meth:`settle` has something to do, by the monotonic clock, or None."""
        return self._journal.next_s

    def report(self, report: Report) -> None:
        """Note ``report``, if it belongs into the journal, and pass it on."""
        if (event := event_of(report, time.time_ns())) is not None:
            self.note([event])
        self._on_report(report)

    def saw(self, kind: SecurityKind, who: str, words: str) -> None:
        """Note one event of now."""
        self.note([security_event(kind, who, words, time.time_ns())])

    def note(self, events: Iterable[SecurityEvent]) -> None:
        """Note what another process has seen."""
        self._journal.note(events, time.monotonic())

    def settle(self) -> None:
        """Write what has been counted for long enough."""
        self._journal.settle(time.monotonic())

    def close(self) -> None:
        """Write all that has been counted."""
        self._journal.close()


def event_of(report: Report, now_ns: int) -> SecurityEvent | None:
    """What of ``report`` belongs into the journal, or None."""
    match report:
        case Restarted(process, pid, cause):
            words = f"now process {pid}; the one before ended by {cause}"
            return security_event(SecurityKind.RESTART, process, words, now_ns)
        case AllowListKept(reason):
            return security_event(SecurityKind.ALLOW_LIST_REFUSED, "", reason, now_ns)
        case Halted(log, reason):
            return security_event(SecurityKind.HALTED, log, reason, now_ns)
        case Quarantined(log, reason):
            return security_event(SecurityKind.QUARANTINED, log, reason, now_ns)
        case Muted(name, host, fault, seconds):
            return security_event(SecurityKind.MUTE, name, f"for {seconds} s: {fault}, from {host}", now_ns)
        case Banned(name, reason, seconds):
            return security_event(SecurityKind.BAN, name, f"for {seconds} s: {reason}", now_ns)
        case _:
            return None
