"""``--log-format``: what a process that runs for long says of itself on stderr, as records instead of lines for people.

Rule: a terminal and a pipe get lines for people, the journal of systemd gets its priorities, and programs get JSON if
they ask for it; a record that nobody reads holds up nothing, and how many were lost is said. Source: systemd.exec(5),
by which JOURNAL_STREAM names the device and the inode of the stream that leads to the journal.
"""

from __future__ import annotations

import enum
import os
import sys
import time
from collections.abc import Mapping
from typing import Annotated, Final, assert_never

import typer

from auctionctl.cli.output import say_on_stderr_to
from auctionctl.cli.streams import has_room
from auctionctl.net.family_log import FORM_VARIABLE
from auctionctl.views.log_line import Level, LogForm, LogRecord, log_line

PROGRESS_S: Final = 5.0
JOURNAL_VARIABLE: Final = "JOURNAL_STREAM"


class LogFormat(enum.StrEnum):
    """What can be asked for."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"
    JOURNAL = "journal"


LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option(
        "--log-format",
        envvar=FORM_VARIABLE,
        show_envvar=False,
        help="What to write on stderr: lines for people (text), an object a line (json), or lines with their priority"
        " for systemd (journal); auto: journal where stderr leads there, else text.",
    ),
]


def choose_log_form(wanted: LogFormat, environment: Mapping[str, str] = os.environ) -> LogForm:
    """The form that is asked for, or that fits what stderr is."""
    match wanted:
        case LogFormat.AUTO:
            return LogForm.JOURNAL if leads_to_journal(environment.get(JOURNAL_VARIABLE, "")) else LogForm.TEXT
        case LogFormat.TEXT:
            return LogForm.TEXT
        case LogFormat.JSON:
            return LogForm.JSON
        case LogFormat.JOURNAL:
            return LogForm.JOURNAL
        case _:
            assert_never(wanted)


def leads_to_journal(stream: str) -> bool:
    """Whether stderr is the very ``stream`` (device:inode) that is the journal's; it may have been led elsewhere."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return stream == f"{found.st_dev}:{found.st_ino}"


class ProcessLog:
    """The records of the process called ``source``, on stderr, in ``form``, which is not that for people."""

    def __init__(self, form: LogForm, source: str) -> None:
        assert form is not LogForm.TEXT
        self.form = form
        self._source = source
        self._lost = 0
        self._progress_s = time.monotonic()

    def write(self, level: Level, event: str, words: str, fields: Mapping[str, object], traceback: str = "") -> None:
        """One record, if it can be written at once."""
        if not has_room(sys.stderr.fileno()):
            self._lost += 1
            return
        lost, self._lost = self._lost, 0
        if lost:
            words_lost = f"{lost} records are lost: nobody read them"
            self._put(LogRecord(time.time_ns(), Level.WARNING, self._source, "lost", words_lost, {"records": lost}))
        self._put(LogRecord(time.time_ns(), level, self._source, event, words, fields, traceback))

    def note(self, words: str) -> None:
        """A remark."""
        self.write(Level.NOTICE, "note", words, {})

    def progress(self, event: str, words: str, done: int, total: int) -> None:
        """So much is done of what takes long: said from time to time, and not of what is done in a moment."""
        now_s = time.monotonic()
        if now_s - self._progress_s >= PROGRESS_S:
            self._progress_s = now_s
            self.write(Level.INFO, event, f"{words}: {done} of {total}", {"done": done, "total": total})

    def failed(self, code: str, message: str, hint: str, defect: Exception | None) -> None:
        """Why the process ends; with the traceback of what is a ``defect`` of our own."""
        import traceback  # noqa: PLC0415 - seldom needed

        text = "" if defect is None else "".join(traceback.format_exception(defect))
        words = f"{message} ({hint})" if hint else message
        self.write(Level.ERROR, "failed", words, {"code": code, "hint": hint}, text)

    def _put(self, record: LogRecord) -> None:
        try:
            sys.stderr.write(log_line(record, self.form) + "\n")
            sys.stderr.flush()
        except OSError:
            return  # Whoever read it is gone, and the work goes on.


def open_log(form: LogForm, source: str) -> ProcessLog | None:
    """Have everything that goes to stderr written in ``form``; None if that is the one for people."""
    log = None if form is LogForm.TEXT else ProcessLog(form, source)
    say_on_stderr_to(log)
    return log
