"""How soon a house is back is measured with a real one, on a store that it believes, by a receipt that holds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.benchmarks.fields import JSON_SCHEMA

ENTRIES = 3_000


def test_a_house_on_a_full_store_takes_a_bid_and_says_how_long_that_took(program: Any, tmp_path: Path) -> None:
    corner = tmp_path / "tmp"
    corner.mkdir()
    done = program("bench", "--restart", "--entries", ENTRIES, "--json", TMPDIR=str(corner))
    assert (done.status, done.err) == (0, "")
    (line,) = done.out.splitlines()
    result = json.loads(line)
    assert result["schema"] == "auctionctl.bench-restart/1"
    assert set(result) == {"schema", *JSON_SCHEMA[result["schema"]]}
    assert result["entries"] == ENTRIES
    # Half of them; then the gap that the restart is, and the bid.
    assert ENTRIES * 0.45 < result["entries_of_largest"] < ENTRIES * 0.55
    assert 0 < result["listening_s"] < result["first_receipt_s"]
    assert result["ratio"] * result["bare_s"] == pytest.approx(result["first_receipt_s"], rel=1e-9)
    if Path("/proc/self/status").exists():
        assert result["peak_bytes"] > 10_000_000
    assert os.listdir(corner) == []


def test_it_says_what_it_measured_in_words_too(program: Any) -> None:
    done = program("bench", "--restart", "--entries", 1_000)
    assert done.status == 0, done.err
    first, *lines = done.out.splitlines()
    assert first.startswith("1000 entries in 16 logs")
    assert lines[1].endswith(" s until the receipt of the first bid")
    assert lines[3].endswith(" ratio")
