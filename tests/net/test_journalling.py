"""What a supervisor reports and is told gets into the journal, and reports go on as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auctionctl.house.security import SecurityKind, security_event
from auctionctl.net.admission_news import AllowListKept
from auctionctl.net.house_words import AllClosed, Halted
from auctionctl.net.journalling import Journalling, event_of
from auctionctl.net.reports import Banned, Draining, Muted, Quarantined, Restarted
from auctionctl.net.security_journal import SecurityReader


@pytest.mark.parametrize(
    ("report", "kind", "who", "words"),
    [
        (Restarted("gateway", 7, "SIGKILL"), SecurityKind.RESTART, "gateway", "SIGKILL"),
        (AllowListKept("line 3: no key"), SecurityKind.ALLOW_LIST_REFUSED, "", "line 3"),
        (Halted("ab" * 32, "a rollback"), SecurityKind.HALTED, "ab" * 32, "a rollback"),
        (Quarantined("cd" * 32, "entry 4"), SecurityKind.QUARANTINED, "cd" * 32, "entry 4"),
        (Muted("eve", "192.0.2.1", "slow", 60), SecurityKind.MUTE, "eve", "for 60 s: slow, from 192.0.2.1"),
        (Banned("eve", "took routes", 600), SecurityKind.BAN, "eve", "for 600 s: took routes"),
    ],
)
def test_reports_of_harm_are_events(report: Any, kind: SecurityKind, who: str, words: str) -> None:
    event = event_of(report, 5)
    assert event is not None
    assert (event.kind, event.who, event.count, event.last_ns) == (kind, who, 1, 5)
    assert words in event.words


def test_everyday_reports_are_none() -> None:
    assert event_of(Draining(), 5) is None
    assert event_of(AllClosed(), 5) is None


def test_a_report_is_passed_on_and_noted_and_what_is_counted_is_there_at_the_end(tmp_path: Path) -> None:
    heard: list[Any] = []
    journal = Journalling(tmp_path, heard.append)
    restarted = Restarted("gateway", 7, "SIGKILL")
    journal.report(restarted)
    journal.report(Draining())
    journal.saw(SecurityKind.CUT, "eve", "slow")
    journal.note([security_event(SecurityKind.CUT, "eve", "slow", 9)])
    assert heard == [restarted, Draining()]
    assert journal.next_s is not None
    journal.settle()
    journal.close()
    found = sorted((each.kind, each.who) for each in SecurityReader(tmp_path).read())
    assert found == [("cut", "eve"), ("cut", "eve"), ("restart", "gateway")]
