"""What the processes of a house, and whoever loads it, take of the machine. Source: proc(5).

Rule: outside of Linux nothing is said, rather than something else.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

LOAD: Final = "load"
"""The process that measures, which is the bidders' as well."""
MICROSECONDS: Final = 1_000_000


def cpu_us(processes: Mapping[str, Sequence[int]]) -> dict[str, float] | None:
    """CPU time so far in microseconds, by part of the house, and of this process; None where nobody tells."""
    if not Path("/proc/self/stat").exists():
        return None
    tick_us = MICROSECONDS / os.sysconf("SC_CLK_TCK")
    spent = {name: sum(map(_cpu_us, ids)) or sum(map(_ticks, ids)) * tick_us for name, ids in processes.items()}
    return spent | {LOAD: time.process_time() * MICROSECONDS}


def per_bid(before: dict[str, float] | None, after: dict[str, float] | None, bids: int) -> dict[str, float] | None:
    """What was spent between the two, a bid."""
    if before is None or after is None or not bids:
        return None
    return {name: (after[name] - before[name]) / bids for name in after}


def medians(samples: Sequence[Mapping[str, float] | None]) -> dict[str, float] | None:
    """Of each part the median over the samples that there are."""
    known = [sample for sample in samples if sample is not None]
    if not known:
        return None
    return {name: statistics.median(sample[name] for sample in known) for name in known[0]}


def house_us(spent: Mapping[str, float]) -> float:
    """Gateway, verifiers and house together."""
    return sum(used for name, used in spent.items() if name != LOAD)


def peak_memory(process: int) -> int | None:
    """The most memory that ``process`` has had resident, in bytes; None where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    # proc(5): "VmHWM:     1234 kB".
    return next((int(line.split()[1]) * 1_024 for line in status.splitlines() if line.startswith("VmHWM")), None)


def _cpu_us(process: int) -> float:
    """By the scheduler's count of nanoseconds, of all threads; 0 where it keeps none."""
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1_000
    except (OSError, ValueError, IndexError):
        return 0.0


def _ticks(process: int) -> int:
    # The name in parentheses may hold anything; user and system time are fields 14 and 15.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
