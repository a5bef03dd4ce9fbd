"""Where a process spends its time is noted if that is asked for, and otherwise not."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from auctionctl.net.sampling import VARIABLE, sampled


def burn(seconds: float) -> None:
    deadline_s = time.process_time() + seconds
    while time.process_time() < deadline_s:
        pass


def test_the_function_that_runs_is_the_hottest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    for _ in range(2):
        with sampled("burner"):
            burn(0.1)
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    records = [json.loads(file.read_text()) for file in tmp_path.iterdir()]
    assert [record["process"] for record in records] == ["burner", "burner"]
    (function, count), *_ = records[0]["hottest"]
    assert function == "test_sampling:burn"
    assert count > 5


def test_what_is_not_asked_for_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with sampled("idle"):
        assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    assert list(tmp_path.iterdir()) == []
