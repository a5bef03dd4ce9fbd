"""The benchmark's figures come from real processes, and every receipt and entry behind them is checked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.benchmarks import aftermath
from auctionctl.cli.benchmarks.fields import JSON_SCHEMA, LOADED, SCHEMA
from auctionctl.cli.benchmarks.throughput import Shape, measure_throughput, rows_of_throughput
from auctionctl.cli.benchmarks.yardstick import BareVerification

BIDS = 1_200


def test_every_bid_of_the_runs_has_a_receipt_and_an_entry_that_was_verified(program: Any, tmp_path: Path) -> None:
    corner = tmp_path / "tmp"
    corner.mkdir()
    options = ("--short", "--auctions", "6", "--bids", BIDS, "--runs", "2", "--profile", "--json")
    done = program("bench", "throughput", *options, TMPDIR=str(corner))
    assert (done.status, done.err) == (0, "")
    result = json.loads(done.out)
    assert result["schema"] == SCHEMA
    assert set(result) == {"schema", *JSON_SCHEMA[SCHEMA]}
    # Two runs of 1,200 bids, one at a time in each auction; the terms, two joinings and the opening are entries too.
    assert result["receipts_verified"] == 2 * BIDS
    assert result["entries_replayed"] > 2 * BIDS + 6 * 4
    measured = result["measured"]["throughput"]
    assert set(measured) == set(LOADED)
    assert measured["rejections"] == 0
    assert measured["bids_per_s"] == measured["answers_per_s"] > 0
    assert 0 < measured["ratio"] < 10
    assert result["fdatasync_ms"] > 0
    if Path("/proc/self/stat").exists():
        assert set(measured["cpu_us_per_bid"]) == {"gateway", "verifiers", "house", "load"}
        assert all(used_us > 0 for used_us in measured["cpu_us_per_bid"].values())
        assert measured["cpu_ratio"] > 1
    rate, *_ = result["rows"]
    assert (rate["benchmark"], rate["ratio"]) == ("throughput", measured["ratio"])
    assert rate["is_met"] is (measured["ratio"] >= rate["target"]["limit"])
    check_profile(result["profile"])
    assert os.listdir(corner) == []


def test_whoever_waits_is_told_of_the_runs_and_then_of_their_verification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aftermath, "STEP", 1)
    told: list[tuple[int, int]] = []
    bare = BareVerification(0.01)
    _, checked = measure_throughput(tmp_path, Shape(2), 20, 1, bare, progress=lambda *far: told.append(far))
    assert checked.receipts == 20
    (run, receipts, *logs) = told
    assert (run, receipts[0], receipts[1] > 0, logs[-1]) == ((0, 1), 0, True, (checked.entries, checked.entries))


def check_profile(profile: dict[str, list[list[Any]]]) -> None:
    """Every kind of process is there, with its hottest functions first; a verifier verifies."""
    assert {"gateway", "verifier", "house", "load"} <= set(profile)
    for functions in profile.values():
        shares = [share for _, share in functions]
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1.000001
    assert profile["verifier"][0][0] == "crypto_sign:crypto_sign_open"


def test_what_a_system_does_not_tell_of_its_processes_is_left_out() -> None:
    figures = {"bids_per_s": 9.0, "ratio": 0.5, "cpu_us_per_bid": None, "cpu_ratio": None}
    (only,) = rows_of_throughput(figures)
    assert only.is_met is False


def test_so_many_bidders_there_are_as_the_auctions_need() -> None:
    assert Shape(400).keys == 16
    assert Shape(3).keys == 6
    assert Shape(1, bidders=64).keys == 64
