"""What a process of a house says by itself is one record in the form of its family, a defect of ours as well."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from auctionctl.net.family_log import FORM_VARIABLE, family_writes, form_of_family
from auctionctl.views.log_line import LogForm

BROKEN = """
import sys, threading
from auctionctl.net.family_log import say_defects
say_defects("gateway")
def fail():
    raise KeyError("AUC-SECRET-KEY-1" + "Q" * 58 + chr(27))
if sys.argv[1:] == ["thread"]:
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
else:
    fail()
"""


def broken(form: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {FORM_VARIABLE: form}
    command = [sys.executable, "-c", BROKEN, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(("arguments", "status"), [((), 1), (("thread",), 0)])
def test_a_defect_is_one_record_with_its_traceback_and_without_a_secret(
    arguments: tuple[str, ...], status: int
) -> None:
    done = broken("json", *arguments)
    assert done.returncode == status
    (line,) = done.stderr.splitlines()
    record = json.loads(line)
    assert (record["level"], record["source"], record["event"]) == ("error", "gateway", "defect")
    assert record["message"].startswith("internal error: KeyError: ")
    assert "in fail" in record["traceback"]
    assert "QQQ" not in line


def test_for_the_journal_it_is_one_line_with_its_priority() -> None:
    (line,) = broken("journal").stderr.splitlines()
    assert line.startswith("<3>internal error: KeyError: ")
    assert "in fail" in line


def test_for_people_it_is_the_traceback_that_python_writes() -> None:
    assert broken("text").stderr.startswith("Traceback (most recent call last):\n")


def test_a_form_that_nobody_knows_is_that_for_people() -> None:
    assert form_of_family({FORM_VARIABLE: "auto"}) is LogForm.TEXT
    assert form_of_family({}) is LogForm.TEXT


@pytest.mark.parametrize("before", [None, "text"])
def test_a_family_has_its_form_only_for_as_long_as_it_lives(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FORM_VARIABLE, raising=False)
    if before:
        monkeypatch.setenv(FORM_VARIABLE, before)
    with family_writes(LogForm.JSON):
        assert form_of_family() is LogForm.JSON
    assert os.environ.get(FORM_VARIABLE) == before
