"""The speed of a house, as ratios to the bare work of it in the same minute: what loses a factor of two is noticed.

Only ratios: how fast a machine is, and what else it does, is not tested. The bounds are wide, from runs on two cores
that many others used at the same time; :mod:`auctionctl.cli.benchmarks` has the targets, which are much closer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

PATIENCE_S = 240
MAX_CPU_RATIO = 4.0
"""The house's processes, by one bare verification a bid. Measured: 2.0 to 3.4."""
MIN_THROUGHPUT_RATIO = 0.3
"""Bids a second, by bare verifications. Measured: 0.4 to 1.0; it waits for the disk, too."""
MIN_VERIFY_RATIO = 0.3
"""Entries a second, by bare verifications, in a file so small that one process checks it. Measured: 0.37 to 0.71."""
MIN_MANY_RATIO = 0.5
"""Answers a second with 1,000 open auctions, by those with 16. Measured: 0.78 to 1.13."""
MAX_MANY_CPU_RATIO = 2.2
"""CPU time of the house's own process a bid with 1,000 open auctions, by that with 16. Measured: 1.1 to 1.5."""


@pytest.fixture(scope="module")
def measured() -> Any:
    """By benchmark what the short form measures, with every receipt and every log verified."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "auctionctl", "bench", "throughput", "many", "verify", "--short", "--json"],
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["receipts_verified"] > 5_000
    assert result["entries_replayed"] > result["receipts_verified"]
    return result["measured"]


def test_a_bid_costs_a_few_times_what_checking_its_signature_does(
    measured: Any, say_at_the_end: Callable[[str], None]
) -> None:
    ratio = measured["throughput"]["cpu_ratio"]
    if ratio is None:
        pytest.skip("the system does not tell what processes take")
    say_at_the_end(f"CPU a bid: {ratio:.2f} × a bare verification (less than {MAX_CPU_RATIO:g})")
    assert ratio < MAX_CPU_RATIO


def test_bids_are_receipted_nearly_as_fast_as_signatures_are_checked(
    measured: Any, say_at_the_end: Callable[[str], None]
) -> None:
    ratio = measured["throughput"]["ratio"]
    say_at_the_end(f"bids receipted: {ratio:.2f} × bare verification (more than {MIN_THROUGHPUT_RATIO:g})")
    assert ratio > MIN_THROUGHPUT_RATIO


def test_a_file_is_verified_nearly_as_fast_as_its_signatures_are_checked(
    measured: Any, say_at_the_end: Callable[[str], None]
) -> None:
    ratio = measured["verify"]["ratio"]
    say_at_the_end(f"entries verified: {ratio:.2f} × bare verification (more than {MIN_VERIFY_RATIO:g})")
    assert ratio > MIN_VERIFY_RATIO


def test_many_open_auctions_do_not_slow_a_house(measured: Any, say_at_the_end: Callable[[str], None]) -> None:
    many = measured["many"]
    say_at_the_end(f"1,000 open auctions: {many['ratio']:.2f} × the throughput of 16 (more than {MIN_MANY_RATIO:g})")
    assert many["ratio"] > MIN_MANY_RATIO
    if many["cpu_us_per_bid"] is not None:
        cpu_ratio = many["cpu_us_per_bid"]["house"] / many["few_cpu_us_per_bid"]["house"]
        assert cpu_ratio < MAX_MANY_CPU_RATIO
