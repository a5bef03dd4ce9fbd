"""What a market costs is measured beside the rules alone, on the same bids."""

from __future__ import annotations

import json
from typing import Any

from auctionctl.cli.benchmarks.fields import JSON_SCHEMA, SIMULATION_SCHEMA
from auctionctl.cli.benchmarks.simulated import measure_simulation

from ..conftest import Run


def test_every_bid_is_judged_by_both_and_the_market_is_the_slower_one(run: Run) -> None:
    result = json.loads(run("bench", "--simulate", "--auctions", "8", "--runs", "1", "--json").out)
    assert result.pop("schema") == SIMULATION_SCHEMA
    assert set(result) == set(JSON_SCHEMA[SIMULATION_SCHEMA])
    assert result["bids"] > 8 * 40
    assert 0 < result["ratio"] < 1
    assert "ratio" in run("bench", "--simulate", "--auctions", "2", "--runs", "1").out


def test_the_same_bids_are_measured_each_time() -> None:
    first: dict[str, Any] = measure_simulation(3, 1)
    assert measure_simulation(3, 2)["bids"] == first["bids"]


def test_whoever_waits_is_told_between_the_runs_how_far_they_have_come() -> None:
    told: list[tuple[int, int]] = []
    measure_simulation(2, 3, lambda *far: told.append(far))
    assert told == [(0, 3), (1, 3), (2, 3)]
