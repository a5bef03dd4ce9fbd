"""A wait that a slow house causes is in the figures, and no percentile is better than what it names."""

from __future__ import annotations

import json
from typing import Any

from auctionctl.cli.benchmarks.fields import JSON_SCHEMA
from auctionctl.cli.benchmarks.latency import percentiles_ms, rows_of_latency


def test_percentiles_are_at_least_what_that_share_took() -> None:
    durations_ns = [number * 1_000_000 for number in range(1, 1_001)]
    assert percentiles_ms(durations_ns[::-1]) == {"p50": 501.0, "p99": 991.0, "p99_9": 1_000.0}
    assert percentiles_ms([7_000_000]) == {"p50": 7.0, "p99": 7.0, "p99_9": 7.0}


def test_only_at_the_rate_of_the_design_there_are_targets() -> None:
    rows = rows_of_latency({"latency_ms": {rate: {"p50": 1.6, "p99": 4.0, "p99_9": 9.0} for rate in ("500", "1000")}})
    assert [row.is_met for row in rows] == [None, None, None, False, True, None]


def test_each_rate_is_measured_with_real_processes(program: Any) -> None:
    done = program("bench", "latency", "--short", "--auctions", "4", "--runs", "1", "--json")
    assert done.status == 0, done.err
    result = json.loads(done.out)
    measured = result["measured"]["latency"]
    assert set(measured) == set(JSON_SCHEMA["measured.latency"])
    (rate,) = measured["latency_ms"]
    assert 0 < measured["latency_ms"][rate]["p50"] <= measured["latency_ms"][rate]["p99_9"]
    assert 0 < result["receipts_verified"] <= int(rate) * measured["seconds"]
