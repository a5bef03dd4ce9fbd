"""One record is one line, in JSON with the time of RFC 3339, for the journal with the priority of sd-daemon."""

from __future__ import annotations

import datetime
import json
import traceback

import pytest

from auctionctl.keys.signing import SecretKey
from auctionctl.views.log_line import MAX_TEXT, MAX_TRACEBACK, SCHEMA, Level, LogForm, LogRecord, log_line, rfc3339

SECRET = SecretKey(bytes(range(32))).seed_text
HOSTILE = f"a\x1b[2J\u202e\nb {SECRET}"


def test_a_record_in_json_says_when_how_grave_who_what_in_words_and_in_fields() -> None:
    record = LogRecord(1_000_000_007, Level.WARNING, "gateway", "x", "it is so", {"pid": 7, "names": ["a"]})
    assert json.loads(log_line(record, LogForm.JSON)) == {
        "schema": SCHEMA,
        "time": "1970-01-01T00:00:01.000000007Z",
        "level": "warning",
        "source": "gateway",
        "event": "x",
        "message": "it is so",
        "pid": 7,
        "names": ["a"],
    }


@pytest.mark.parametrize(("level", "priority"), [("error", 3), ("warning", 4), ("notice", 5), ("info", 6)])
def test_the_journal_is_told_the_priority_and_no_time(level: str, priority: int) -> None:
    record = LogRecord(1_000_000_007, Level(level), "gateway", "x", "it is so", {"pid": 7})
    assert log_line(record, LogForm.JOURNAL) == f"<{priority}>it is so"


@pytest.mark.parametrize("form", [LogForm.JSON, LogForm.JOURNAL])
def test_what_others_wrote_neither_breaks_the_line_nor_tells_a_secret(form: LogForm) -> None:
    line = log_line(LogRecord(0, Level.INFO, "house", "x", HOSTILE, {"reason": HOSTILE}, traceback=HOSTILE), form)
    assert line.isprintable()
    assert SECRET[20:40] not in line


def test_fields_are_bounded_and_cannot_pass_for_the_head_of_the_record() -> None:
    fields = {"level": "info", "message": "x", "reason": "y" * 10_000, "cut": SECRET[:16] + "z" * MAX_TEXT}
    record = json.loads(log_line(LogRecord(0, Level.ERROR, "house", "x", "it is so", fields), LogForm.JSON))
    assert (record["level"], record["message"]) == ("error", "it is so")
    assert len(record["reason"]) == MAX_TEXT


def test_a_traceback_is_one_record_of_which_the_end_is_kept() -> None:
    try:
        int("x")
    except ValueError as error:
        text = "x" * 10_000 + "".join(traceback.format_exception(error))
    record = LogRecord(0, Level.ERROR, "gateway", "defect", "internal error", traceback=text)
    told = json.loads(log_line(record, LogForm.JSON))["traceback"]
    assert (len(told), told.endswith("base 10: 'x'\n")) == (MAX_TRACEBACK, True)
    line = log_line(record, LogForm.JOURNAL)
    assert line.startswith("<3>internal error | ")
    assert line.endswith("ValueError: invalid literal for int() with base 10: 'x'")


@pytest.mark.parametrize("time_ns", [0, 1, 999_999_999, 1_700_000_000_123_456_789])
def test_a_time_is_one_that_others_can_read(time_ns: int) -> None:
    read = datetime.datetime.fromisoformat(rfc3339(time_ns))
    since = read - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert since // datetime.timedelta(microseconds=1) == time_ns // 1_000
