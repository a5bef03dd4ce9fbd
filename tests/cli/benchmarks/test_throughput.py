"""The benchmark's figures come from real processes, and every receipt behind them is checked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def test_every_bid_of_the_runs_has_a_receipt_that_was_verified(program: Any, tmp_path: Path) -> None:
    corner = tmp_path / "tmp"
    corner.mkdir()
    options = ("--auctions", "6", "--bids", "1200", "--runs", "2", "--json")
    done = program("bench", *options, TMPDIR=str(corner))
    assert done.status == 0, done.err
    (line,) = done.out.splitlines()
    result = json.loads(line)
    assert result["schema"] == "auctionctl.bench/1"
    # Two runs of 1,200 bids, one at a time in each auction; then five seconds at 1,000 a second, come what may.
    assert result["rejections"] == 0
    assert 2 * 1_200 < result["receipts_verified"] <= 2 * 1_200 + 5_000
    assert result["bids_per_s"] > 0
    assert 0 < result["ratio"] < 10
    assert abs(result["ratio"] - result["bids_per_s"] / result["bare_verify_per_s"]) < result["ratio"]
    assert 0 < result["latency_ms"]["p50"] <= result["latency_ms"]["p99"]
    assert result["fdatasync_ms"] > 0
    if Path("/proc/self/stat").exists():
        assert set(result["cpu_us_per_bid"]) == {"gateway", "verifiers", "house"}
        assert all(used_us > 0 for used_us in result["cpu_us_per_bid"].values())
    assert os.listdir(corner) == []


def test_it_says_what_it_measured_in_words_too(program: Any) -> None:
    done = program("bench", "--auctions", "2", "--bids", "1000", "--runs", "1")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].endswith("bids/s, signed, durable and receipted")
    assert lines[2].endswith(" ratio")
    assert "receipts verified" in lines[-1]
