"""From a bid to its receipt, at fixed rates: an open loop, in which nobody waits for an answer before the next bid.

Each time counts from when the bid was **due**, not from when it was sent: what a slow house holds up at the sender is
part of it, so that waits do not hide one another (coordinated omission, Tene 2013). Percentiles are of one round each,
and the medians of the rounds are shown.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from auctionctl.cli.benchmarks.aftermath import Checked
from auctionctl.cli.benchmarks.rows import Row, Target, at_most
from auctionctl.cli.benchmarks.throughput import Shape, loaded_house
from auctionctl.cli.progress import Progress, tell_nobody

MICROSECONDS: Final = 1_000_000
PERCENTILES: Final = (("p50", 500), ("p99", 990), ("p99_9", 999))
TARGETS: Final[dict[tuple[int, str], Target]] = {(1_000, "p50"): at_most(1.5), (1_000, "p99"): at_most(5.0)}
"""(bids a second, percentile) → milliseconds."""


def measure_latency(
    home: Path, auctions: int, rates: Sequence[int], seconds: float, runs: int, *, progress: Progress = tell_nobody
) -> tuple[dict[str, Any], Checked]:
    """``runs`` rounds of ``seconds`` at each of ``rates``, in turns; returns the figures by name."""
    found: dict[int, list[dict[str, float]]] = {rate: [] for rate in rates}
    done = 0
    with loaded_house(home, Shape(auctions), progress) as loaded:
        loaded.begin()
        for _ in range(runs):
            for rate in rates:
                progress(done, runs * len(rates))
                bids = int(rate * seconds)
                loaded.load.prepare(-(-bids // auctions))
                found[rate].append(percentiles_ms(loaded.load.run_open(rate, bids).latencies_ns))
                done += 1
    at_rates = {
        str(rate): {name: statistics.median(each[name] for each in rounds) for name, _ in PERCENTILES}
        for rate, rounds in found.items()
    }
    return {"auctions": auctions, "runs": runs, "seconds": seconds, "latency_ms": at_rates}, loaded.checked


def percentiles_ms(latencies_ns: Sequence[int]) -> dict[str, float]:
    """Of so many durations, in milliseconds: each at least that of the share that it names."""
    ordered = sorted(latencies_ns)
    return {
        name: ordered[min(len(ordered) - 1, len(ordered) * share // 1_000)] / MICROSECONDS
        for name, share in PERCENTILES
    }


def rows_of_latency(figures: dict[str, Any]) -> list[Row]:
    """Each percentile at each rate."""
    return [
        Row(f"bid → receipt at {rate}/s, {name}", value, "ms", target=TARGETS.get((int(rate), name)))
        for rate, percentiles in figures["latency_ms"].items()
        for name, value in percentiles.items()
    ]
