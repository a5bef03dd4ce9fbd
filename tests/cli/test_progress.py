from __future__ import annotations

import os
import sys
import time
from typing import Any

import pexpect
import pytest

from auctionctl.cli.output import Form
from auctionctl.cli.progress import FRAME_S, PassingProgress, shown_progress

WORK = """
import time
from auctionctl.cli.output import Form
from auctionctl.cli.progress import shown_progress
with shown_progress(Form.TABLE, "counting") as progress:
    begun_s = time.monotonic()
    while time.monotonic() < begun_s + {seconds}:
        progress({done}, {total})
    import threading
    threads = threading.active_count()
print(threads, "done")
"""


def output_of(seconds: float, done: int = 5, total: int = 10) -> str:
    work = WORK.format(seconds=seconds, done=done, total=total)
    child = pexpect.spawn(sys.executable, ["-c", work], env=os.environ | {"TERM": "xterm"}, encoding="utf-8")
    child.expect(pexpect.EOF, timeout=30)
    child.close()
    assert child.exitstatus == 0
    return str(child.before)


def test_long_work_is_shown_and_leaves_nothing_behind() -> None:
    text = output_of(0.8)
    assert "counting" in text
    assert "5/10" in text
    assert text.rstrip().endswith("1 done"), "no thread takes time from what is measured"


def test_what_does_not_know_yet_how_much_there_is_draws_no_more_often_than_other_work() -> None:
    begun_s = time.monotonic()
    text = output_of(0.8, 0, 0)
    assert 1 <= text.count("0/0") <= (time.monotonic() - begun_s) / FRAME_S + 1


def test_short_work_is_not_shown() -> None:
    assert output_of(0.01).strip() == "1 done"


def test_nothing_is_shown_without_a_terminal(capfd: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr("auctionctl.cli.progress.MOMENT_S", 0.0)
    for form in (Form.TABLE, Form.JSON):
        with shown_progress(form, "counting") as progress:
            progress(1, 2)
    assert capfd.readouterr() == ("", "")


def test_what_passes_is_shown_while_it_lasts_and_may_begin_again() -> None:
    work = """
import time
from auctionctl.cli.output import Form
from auctionctl.cli.progress import PassingProgress
progress = PassingProgress(Form.PLAIN, "replaying")
for name in ("one", "two"):
    begun_s = time.monotonic()
    while time.monotonic() < begun_s + 0.7:
        progress.show(5, 10)
    progress.close()
    print(name, flush=True)
progress.close()
"""
    child = pexpect.spawn(sys.executable, ["-c", work], env=os.environ | {"TERM": "xterm"}, encoding="utf-8")
    for name in ("one", "two"):
        child.expect("replaying", timeout=30)
        child.expect(name, timeout=30)
    child.expect(pexpect.EOF, timeout=30)
    child.close()
    assert child.exitstatus == 0


def test_what_passes_is_not_shown_without_a_terminal(capfd: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr("auctionctl.cli.progress.MOMENT_S", 0.0)
    progress = PassingProgress(Form.PLAIN, "replaying")
    progress.show(1, 2)
    progress.close()
    assert capfd.readouterr() == ("", "")
