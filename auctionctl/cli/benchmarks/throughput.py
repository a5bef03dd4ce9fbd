"""How many signed, durable, receipted bids a second, beside what one core verifies bare.

A house as ``serve`` runs it, and one process of bidders (:mod:`auctionctl.net.load`). Bare verification is timed
between the runs, on the same machine in the same minute: the ratio is what compares. Nothing of the promises is
switched off: every bid is made durable before its receipt leaves, and every receipt is verified after the runs
(DESIGN.md section 11).
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from auctionctl.cli.benchmarks.bench_house import Served, prepare_house, running_house
from auctionctl.cli.output import write_line
from auctionctl.cli.progress import Progress, tell_nobody

if TYPE_CHECKING:
    from auctionctl.net.load import Load, Run

OPEN_LOOP_RATE_PER_S: Final = 1_000
OPEN_LOOP_S: Final = 5
BARE_S: Final = 0.5
MICROSECONDS: Final = 1_000_000
PAIRS: Final = 8
START_PATIENCE_S: Final = 60.0


def measure_throughput(
    home: Path, auctions: int, window: int, bids: int, runs: int, *, progress: Progress = tell_nobody
) -> dict[str, Any]:
    """Run a house in ``home`` under load, ``runs`` times ``bids`` bids; returns the figures by name.

    ``progress`` is told between the runs.
    """
    from auctionctl.net.load import Load  # noqa: PLC0415 - imports zmq
    from auctionctl.wire.address import parse_address  # noqa: PLC0415

    keys = prepare_house(home, _lots(auctions), 2 * min(PAIRS, auctions), auctions)
    with running_house(home, START_PATIENCE_S) as served:
        load = Load(parse_address(served.address), served.auctions, keys)
        try:
            result = _measure(load, served, window, max(1, bids // auctions), runs, progress=progress)
            result["receipts_verified"] = load.verify()
        finally:
            load.close()
    return {"auctions": auctions, "window": window, "runs": runs, **result}


def _lots(auctions: int) -> str:
    lot = 'starting_price = "1credits"\nincrement = "1credits"\nduration = "1h"\nmin_bidders = 2\nbid_timeout = "1h"\n'
    return "".join(f'[[auction]]\nitem = "Lot {number}"\n{lot}' for number in range(auctions))


def write_throughput(result: dict[str, Any]) -> None:
    """The figures in words."""
    cpu, latency = result["cpu_us_per_bid"], result["latency_ms"]
    write_line(f"{result['bids_per_s']:.0f} bids/s, signed, durable and receipted")
    write_line(f"{result['bare_verify_per_s']:.0f} bare verifications/s on one core")
    write_line(f"{result['ratio']:.2f} ratio")
    if cpu is not None:
        write_line("CPU a bid: " + ", ".join(f"{name} {used:.0f} µs" for name, used in cpu.items()))
    write_line(
        f"at {OPEN_LOOP_RATE_PER_S} bids/s: p50 {latency['p50']:.2f} ms, p99 {latency['p99']:.2f} ms to the receipt"
    )
    write_line(f"fdatasync of what a commit writes: {result['fdatasync_ms']:.2f} ms")
    write_line(f"{result['receipts_verified']} receipts verified, {result['rejections']} bids rejected by the rules")


def _measure(
    load: Load, served: Served, window: int, bids_an_auction: int, runs: int, *, progress: Progress
) -> dict[str, Any]:
    load.greet_and_join()
    rates: list[float] = []
    bare: list[float] = []
    cpu: list[dict[str, float]] = []
    rejections = 0
    verify_bare = _bare_verification()
    for number in range(runs):
        progress(number, runs + 1)
        load.prepare(bids_an_auction)
        bare.append(verify_bare())
        before = _cpu_us(served)
        run = load.run_closed(window)
        after = _cpu_us(served)
        rates.append(run.receipts / run.seconds)
        rejections += run.rejections
        if before is not None and after is not None:
            cpu.append({name: (after[name] - before[name]) / run.receipts for name in after})
    progress(runs, runs + 1)
    load.prepare(-(-OPEN_LOOP_RATE_PER_S * OPEN_LOOP_S // len(served.auctions)))
    open_run = load.run_open(OPEN_LOOP_RATE_PER_S, OPEN_LOOP_RATE_PER_S * OPEN_LOOP_S)
    return {
        "bids_per_s": statistics.median(rates),
        "bare_verify_per_s": statistics.median(bare),
        "ratio": statistics.median(rate / base for rate, base in zip(rates, bare, strict=True)),
        "cpu_us_per_bid": _medians(cpu),
        "latency_ms": _latencies_ms(open_run),
        "fdatasync_ms": _fdatasync_ms(),
        "rejections": rejections,
    }


def _bare_verification() -> Callable[[], float]:
    """A function that says how many signatures over a bid's bytes this process verifies a second."""
    from auctionctl.keys.signing import SecretKey, verify  # noqa: PLC0415 - imports libsodium

    key, message = SecretKey(bytes(32)), bytes(220)
    signature, public = key.sign(message), key.identity.signing

    def measure() -> float:
        done, started_s = 0, time.perf_counter()
        while (elapsed_s := time.perf_counter() - started_s) < BARE_S:
            for _ in range(50):
                verify(public, message, signature)
            done += 50
        return done / elapsed_s

    return measure


def _latencies_ms(run: Run) -> dict[str, float]:
    ordered = sorted(run.latencies_ns)
    return {
        name: ordered[min(len(ordered) - 1, len(ordered) * share // 1_000)] / MICROSECONDS
        for name, share in (("p50", 500), ("p99", 990))
    }


def _cpu_us(served: Served) -> dict[str, float] | None:
    """CPU time so far, in microseconds, by part of the house; None where the system does not tell (outside Linux)."""
    if not Path("/proc/self/stat").exists():
        return None
    tick_us = MICROSECONDS / os.sysconf("SC_CLK_TCK")
    return {
        name: sum(_cpu_ticks(process) for process in processes) * tick_us
        for name, processes in served.processes.items()
    }


def _cpu_ticks(process: int) -> int:
    # proc(5): the name in parentheses may hold anything; user and system time are fields 14 and 15.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _medians(samples: list[dict[str, float]]) -> dict[str, float] | None:
    if not samples:
        return None
    return {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}


def _fdatasync_ms() -> float:
    """The median of making 16 KiB at the end of a growing file durable: what a small commit costs at the least."""
    with TemporaryDirectory(prefix="auctionctl-bench-") as directory:
        path = Path(directory) / "probe"
        times_s: list[float] = []
        with path.open("wb", buffering=0) as probe:
            sync = getattr(os, "fdatasync", os.fsync)
            for _ in range(100):
                probe.write(bytes(16_384))
                started_s = time.perf_counter()
                sync(probe.fileno())
                times_s.append(time.perf_counter() - started_s)
    return statistics.median(times_s) * 1_000
