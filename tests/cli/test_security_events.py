"""``events --security``: what a journal holds, with nothing in it that could mislead whoever reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.output import Form
from auctionctl.cli.security_events import SCHEMA, show_security
from auctionctl.house.security import SecurityKind, security_event
from auctionctl.net.security_journal import SecurityJournal


@pytest.fixture
def state(tmp_path: Path) -> Path:
    journal = SecurityJournal(tmp_path)
    hostile = "\x1b[2Jall is well\n\u202eevil"
    journal.note([security_event(SecurityKind.CUT, hostile, hostile, 1_000_000_000)], 0.0)
    return tmp_path


def test_programs_get_an_object_an_event_and_people_a_line(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_security(state, Form.JSON, follow=False)
    out = capsys.readouterr().out
    assert out.isascii()
    (record,) = [json.loads(line) for line in out.splitlines()]
    assert (record["schema"], record["kind"], record["count"]) == (SCHEMA, "cut", 1)
    show_security(state, Form.PLAIN, follow=False)
    header, line = capsys.readouterr().out.splitlines()
    assert header.split("\t") == ["time", "kind", "who", "count", "words"]
    assert line.split("\t")[:2] == ["1970-01-01T00:00:01.000Z", "cut"]
    assert "\x1b" not in line
    assert "\u202e" not in line


def test_an_empty_journal_says_so_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_security(tmp_path, Form.JSON, follow=False)
    done = capsys.readouterr()
    assert done.out == ""
    assert "no security events" in done.err


def test_it_is_of_a_house_and_an_auction_is_asked_for_otherwise(run: Any) -> None:
    for wrong in (["--security", "vase"], ["--security", "--raw"], [], ["vase", "--name", "x"]):
        done = run("events", *wrong)
        assert done.status == 2, done
    done = run("events", "--security", "--json")
    assert (done.status, done.out) == (0, ""), done
    assert "no security events" in done.err
