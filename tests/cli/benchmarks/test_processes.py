"""What processes take is read from the system, and nothing is said where it says nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from auctionctl.cli.benchmarks.processes import LOAD, cpu_us, house_us, medians, peak_memory, per_bid

on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc")


@on_linux
def test_the_time_of_a_process_is_counted_a_bid() -> None:
    before = cpu_us({"house": [os.getpid()]})
    deadline_s = time.process_time() + 0.05
    while time.process_time() < deadline_s:
        pass
    spent = per_bid(before, cpu_us({"house": [os.getpid()]}), 10)
    assert spent is not None
    # At least five milliseconds a bid, twice: as the house's part, and as the load.
    assert spent["house"] > 3_000
    assert spent[LOAD] > 3_000
    assert house_us(spent) == spent["house"]
    assert (peak_memory(os.getpid()) or 0) > 1_000_000


def test_where_nobody_tells_nothing_is_said() -> None:
    assert per_bid(None, None, 10) is None
    assert per_bid({"house": 1.0}, {"house": 2.0}, 0) is None
    assert medians([None, None]) is None
    assert medians([None, {"house": 1.0}, {"house": 5.0}, {"house": 2.0}]) == {"house": 2.0}
    assert peak_memory(2**22 + 1) is None
