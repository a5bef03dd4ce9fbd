"""``--log-format``: what stderr gets from a process that runs for long, by what stderr is and what is asked for."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli import process_log
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.output import Form, say_on_stderr_to, write_error, write_note
from auctionctl.cli.process_log import (
    JOURNAL_VARIABLE,
    LogFormat,
    ProcessLog,
    choose_log_form,
    leads_to_journal,
    open_log,
)
from auctionctl.client.paths import HOME_VARIABLE
from auctionctl.views.log_line import Level, LogForm

LOT = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "T\u202e x"
starting_price = "1EUR"
min_bidders = 2
start_timeout = "{timeout}"
"""


@pytest.fixture(autouse=True)
def for_people_afterwards() -> Iterator[None]:
    yield
    say_on_stderr_to(None)


@contextlib.contextmanager
def stderr_in(path: Path) -> Iterator[Path]:
    with path.open("w") as stream, pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stderr", stream)
        yield path


def named(path: Path) -> str:
    found = path.stat()
    return f"{found.st_dev}:{found.st_ino}"


def test_auto_takes_the_journal_only_where_stderr_is_its_very_stream(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    with stderr_in(tmp_path / "err") as stderr:
        streams = (named(stderr), named(tmp_path / "other"), "", "x")
        chosen = [choose_log_form(LogFormat.AUTO, {JOURNAL_VARIABLE: stream}) for stream in streams]
        unset = choose_log_form(LogFormat.AUTO, {})
        said = {each: choose_log_form(each, {JOURNAL_VARIABLE: named(stderr)}) for each in LogFormat}
    assert chosen == [LogForm.JOURNAL, LogForm.TEXT, LogForm.TEXT, LogForm.TEXT]
    assert unset is LogForm.TEXT
    assert {each.value: form.value for each, form in said.items()} == {
        "auto": "journal",
        **{form.value: form.value for form in LogForm},
    }


def test_a_stderr_that_is_no_file_leads_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert not leads_to_journal("1:1")


def test_remarks_and_errors_become_records_and_lines_for_people_again(tmp_path: Path) -> None:
    with stderr_in(tmp_path / "err") as stderr:
        assert open_log(LogForm.TEXT, "x") is None
        write_note("for people")
        open_log(LogForm.JSON, "supervisor")
        write_note("for \x1bprograms")
        write_error(Form.PLAIN, ExitStatus.CONFIGURATION, "it is wrong", "mend it")
        write_error(Form.JSON, ExitStatus.INTERNAL, "internal error", "", KeyError("x"))
        say_on_stderr_to(None)
        write_note("for people")
    first, *lines, last = stderr.read_text().splitlines()
    assert (first, last) == ("for people", "for people")
    note, error, defect = map(json.loads, lines)
    assert (note["event"], note["level"], note["message"]) == ("note", "notice", "for programs")
    assert (error["event"], error["level"], error["code"], error["hint"]) == (
        *("failed", "error", "configuration", "mend it"),
    )
    assert "traceback" not in error
    assert defect["traceback"].endswith("KeyError: 'x'\n")
    assert {record["source"] for record in (note, error, defect)} == {"supervisor"}


def test_a_record_that_nobody_reads_holds_up_nothing_and_its_loss_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb") as read:
        monkeypatch.setattr(sys, "stderr", stream)
        log = ProcessLog(LogForm.JSON, "supervisor")
        for number in range(2_000):
            log.write(Level.INFO, "x", "y" * 100, {"number": number})
        kept = len(read.read().splitlines())
        assert 0 < kept < 2_000
        log.note("at last")
        lost, note = map(json.loads, read.read().splitlines())
    assert (lost["event"], lost["records"], note["message"]) == ("lost", 2_000 - kept, "at last")


def test_progress_is_told_now_and_then_and_not_of_what_takes_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stderr_in(tmp_path / "err") as stderr:
        log = ProcessLog(LogForm.JSON, "supervisor")
        log.progress("recovering", "replaying", 1, 9)
        monkeypatch.setattr(process_log, "PROGRESS_S", 0.0)
        log.progress("recovering", "replaying", 2, 9)
    (record,) = map(json.loads, stderr.read_text().splitlines())
    assert (record["event"], record["message"], record["done"], record["total"]) == (
        *("recovering", "replaying: 2 of 9", 2, 9),
    )


def test_nobody_at_the_other_end_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = io.TextIOWrapper(os.fdopen(writer, "wb", 0), write_through=True)
    monkeypatch.setattr(sys, "stderr", stream)
    ProcessLog(LogForm.JOURNAL, "x").note("y")
    with contextlib.suppress(BrokenPipeError):
        stream.close()


def test_a_process_whose_stderr_is_the_journals_socket_writes_priorities_and_others_lines_for_people(
    tmp_path: Path,
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = os.fstat(theirs.fileno())
        for inode, expected in ((found.st_ino, b"<3>"), (found.st_ino + 1, b"auctionctl: ")):
            done = subprocess.run(
                [sys.executable, "-P", "-m", "auctionctl", "serve", str(tmp_path / "none.toml")],
                env={**os.environ, HOME_VARIABLE: str(tmp_path), JOURNAL_VARIABLE: f"{found.st_dev}:{inode}"},
                stderr=theirs,
                stdout=subprocess.PIPE,
                check=False,
                timeout=60,
            )
            assert (done.returncode, done.stdout) == (ExitStatus.NOT_FOUND, b"")
            said = ours.recv(65_536)
            assert said.startswith(expected)
            assert b"none.toml" in said


def records_of(house: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    _, err = house.communicate(timeout=60)
    return [json.loads(line) for line in err.splitlines()]


def test_a_house_says_everything_in_records_and_nothing_on_stdout(start_house: Any) -> None:
    house = start_house(LOT.replace("{timeout}", "500ms"), "--until-closed", "--log-format", "json")
    out, err = house.communicate(timeout=60)
    assert (house.returncode, out) == (0, b"")
    records = [json.loads(line) for line in err.splitlines()]
    assert err.isascii()
    told = [record["event"] for record in records]
    assert [event for event in told if event != "note"] == [
        *("processes", "auction", "serving", "closed", "all_closed", "draining"),
    ]
    closed = records[told.index("closed")]
    assert (closed["end_reason"], closed["source"], closed["schema"]) == ("cancelled", "supervisor", "auctionctl.log/1")


def test_a_process_that_is_killed_and_a_file_that_is_wrong_are_records_as_well(start_house: Any) -> None:
    lots = LOT.replace("{timeout}", "1h").replace("[house]", '[house]\nlog_format = "json"')
    house = start_house(lots)
    assert house.stderr is not None
    pids: dict[str, Any] = {}
    while (record := json.loads(house.stderr.readline()))["event"] != "serving":
        pids = record if record["event"] == "processes" else pids
    os.kill(pids["gateway"], signal.SIGKILL)
    while (record := json.loads(house.stderr.readline()))["event"] != "restarted":
        pass
    assert (record["level"], record["process"], record["cause"]) == ("warning", "gateway", "SIGKILL")
    house.terminate()
    assert [each["event"] for each in records_of(house)] == ["draining"]
    (start_house.home / "AUCTIONS.toml").write_text("[house]\nqueue = 0\n")
    wrong = start_house("", "--log-format", "json", prepared=True)
    (failed,) = records_of(wrong)
    assert (wrong.returncode, failed["event"], failed["code"]) == (78, "failed", "configuration")
    assert "queue" in failed["message"]
