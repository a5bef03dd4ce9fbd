"""Every watcher is told of every bid, by sessions of its own, and what they are told is in the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.cli.benchmarks import aftermath
from auctionctl.cli.benchmarks.fanout import measure_fanout, rows_of_fanout
from auctionctl.cli.benchmarks.fields import JSON_SCHEMA


def test_the_last_watcher_is_waited_for_and_what_they_heard_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aftermath, "STEP", 1)
    told: list[tuple[int, int]] = []
    figures, checked = measure_fanout(tmp_path, watchers=12, runs=3, progress=lambda *far: told.append(far))
    assert set(figures) == set(JSON_SCHEMA["measured.fanout"])
    assert 0 < figures["first_to_last_ms"] < figures["last_ms"] <= figures["slowest_ms"]
    assert checked.receipts >= 3
    assert (told[0], told[-1]) == ((0, 12), (checked.entries, checked.entries))


@pytest.mark.parametrize(("last_ms", "is_met"), [(99.0, True), (101.0, False)])
def test_the_target_is_for_the_last_watcher(last_ms: float, is_met: bool) -> None:
    last, _ = rows_of_fanout({"watchers": 1_000, "last_ms": last_ms, "first_to_last_ms": 1.0})
    assert last.is_met is is_met
