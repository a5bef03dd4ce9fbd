"""What a process of a house says on stderr when it cannot tell its supervisor: a defect of ours, or a last word.

Rule: the whole family of a house writes in one form, which stands in the environment of its processes; one record is
one write. In the form for people a defect is the traceback that Python writes. Records of what the house does are the
supervisor's to write, and what a library in C says before it aborts is in nobody's hands.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Final

from auctionctl.views.log_line import Level, LogForm, LogRecord, log_line

FORM_VARIABLE: Final = "AUCTIONCTL_LOG_FORMAT"
STDERR: Final = 2


def form_of_family(environment: Mapping[str, str] = os.environ) -> LogForm:
    """The form in which this process is to write."""
    try:
        return LogForm(environment.get(FORM_VARIABLE, LogForm.TEXT))
    except ValueError:
        return LogForm.TEXT


@contextmanager
def family_writes(form: LogForm) -> Iterator[None]:
    """Have the processes that this one starts meanwhile write in ``form``."""
    before = os.environ.get(FORM_VARIABLE)
    os.environ[FORM_VARIABLE] = form.value
    try:
        yield
    finally:
        if before is None:
            del os.environ[FORM_VARIABLE]
        else:
            os.environ[FORM_VARIABLE] = before


def say(source: str, level: Level, event: str, words: str, traceback_text: str = "") -> None:
    """One record by the process called ``source``; nobody may be there to read it."""
    form = form_of_family()
    if form is LogForm.TEXT:
        line = f"auctionctl: {words}"
    else:
        line = log_line(LogRecord(time.time_ns(), level, source, event, words, traceback=traceback_text), form)
    try:
        os.write(STDERR, line.encode(errors="backslashreplace") + b"\n")
    except OSError:
        return


def say_defects(source: str) -> None:
    """From now on, what nothing in this process catches is one record, in whichever thread it comes up."""
    if form_of_family() is LogForm.TEXT:
        return

    def say_defect(kind: type[BaseException], error: BaseException | None, frames: TracebackType | None) -> None:
        text = "".join(traceback.format_exception(kind, error, frames))
        say(source, Level.ERROR, "defect", f"internal error: {kind.__name__}: {error}", text)

    sys.excepthook = say_defect
    threading.excepthook = lambda hook: say_defect(hook.exc_type, hook.exc_value, hook.exc_traceback)
