"""``bench``: how many signed, durable, receipted bids a second, beside what one core verifies bare.

Real processes on loopback: a house as ``serve`` runs it, and one process of bidders (:mod:`auctionctl.net.load`). Bare
verification is timed between the runs, on the same machine in the same minute: the ratio is what compares. Nothing of
the promises is switched off: every bid is made durable before its receipt leaves, and every receipt is verified after
the runs (DESIGN.md section 11).
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_document, write_line
from auctionctl.cli.paths import HOME_VARIABLE, find_paths

if TYPE_CHECKING:
    from auctionctl.keys.signing import SecretKey
    from auctionctl.net.load import Load, Run

app = typer.Typer(rich_markup_mode=None)

SCHEMA: Final = "auctionctl.bench/1"
OPEN_LOOP_RATE_PER_S: Final = 1_000
OPEN_LOOP_S: Final = 5
BARE_S: Final = 0.5
MICROSECONDS: Final = 1_000_000
HOUSE: Final = "house"
PAIRS: Final = 8
START_PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """A house under load: where it is, its auctions, and which processes it consists of."""

    address: str
    auctions: list[bytes]
    processes: dict[str, list[int]]


@app.command(epilog="Example: auctionctl bench --json")
@with_form
def bench(
    form: Form,
    *,
    auctions: Annotated[int, typer.Option(min=1, max=5_000, help="How many auctions, of two bidders each.")] = 400,
    window: Annotated[int, typer.Option(min=1, max=64, help="Bids under way in each auction.")] = 1,
    bids: Annotated[int, typer.Option(min=1_000, max=10_000_000, help="How many bids a run.")] = 20_000,
    runs: Annotated[int, typer.Option(min=1, max=100, help="How many runs; the medians are shown.")] = 5,
) -> int:
    """Measure the house on this machine, as a ratio to bare signature verification."""
    from auctionctl.net.load import Load  # noqa: PLC0415 - imports zmq
    from auctionctl.wire.address import parse_address  # noqa: PLC0415

    with TemporaryDirectory(prefix="auctionctl-bench-") as home:
        keys = _prepare(Path(home), auctions)
        with _house(Path(home)) as served:
            load = Load(parse_address(served.address), served.auctions, keys)
            try:
                result = _measure(load, served, window, max(1, bids // auctions), runs)
                result["receipts_verified"] = load.verify()
            finally:
                load.close()
    if form.is_json:
        write_document(SCHEMA, {"auctions": auctions, "window": window, "runs": runs, **result})
    else:
        _write(result)
    return 0


def _write(result: dict[str, Any]) -> None:
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


# The house


def _prepare(home: Path, auctions: int) -> list[SecretKey]:
    """Keys, allow list and lots in ``home``; the keys of the bidders, pair by pair."""
    from auctionctl.cli.demo import free_port  # noqa: PLC0415
    from auctionctl.keys.allowlist import Entry, render  # noqa: PLC0415 - imports libsodium
    from auctionctl.keys.keyfile import generate, key_path, write_key  # noqa: PLC0415

    paths = find_paths({HOME_VARIABLE: str(home)})
    write_key(key_path(paths.keys, HOUSE), generate(), created="2026-01-01T00:00:00Z")
    keys = [generate() for _ in range(2 * min(PAIRS, auctions))]
    lines = [render(Entry(key.identity, f"bidder-{number}", "bidder")) for number, key in enumerate(keys)]
    paths.allow_list.write_text("\n".join(lines) + "\n")
    lot = 'starting_price = "1credits"\nincrement = "1credits"\nduration = "1h"\nmin_bidders = 2\nbid_timeout = "1h"\n'
    lots = "".join(f'[[auction]]\nitem = "Lot {number}"\n{lot}' for number in range(auctions))
    (home / "AUCTIONS.toml").write_text(f"[house]\nport = {free_port()}\nmax_concurrent_auctions = {auctions}\n{lots}")
    return keys


@contextmanager
def _house(home: Path) -> Iterator[Served]:
    """``auctionctl serve`` as a process of its own, until the block is left."""
    from auctionctl.cli.demo_stage import Stage  # noqa: PLC0415

    paths = find_paths({HOME_VARIABLE: str(home)})
    with Stage(home) as stage:
        stage.start(HOUSE, ["serve", str(home / "AUCTIONS.toml"), "--json"], frozenset())
        stage.wait_for_file(paths.address_file(HOUSE), START_PATIENCE_S)
        stage.wait_for_output(HOUSE, b'"serving"', START_PATIENCE_S)
        yield _read_reports(stage.output_of(HOUSE))


def _read_reports(lines: list[bytes]) -> Served:
    reports = {report["event"]: report for report in map(json.loads, lines)}
    processes = reports["processes"]
    return Served(
        reports["serving"]["address"],
        [bytes.fromhex(auction["id"]) for auction in reports["serving"]["auctions"]],
        {
            "gateway": [processes["gateway"]],
            "verifiers": processes["verifiers"],
            "house": [processes["house"]],
        },
    )


# Measuring


def _measure(load: Load, served: Served, window: int, bids_an_auction: int, runs: int) -> dict[str, Any]:
    load.greet_and_join()
    rates: list[float] = []
    bare: list[float] = []
    cpu: list[dict[str, float]] = []
    rejections = 0
    verify_bare = _bare_verification()
    for _ in range(runs):
        load.prepare(bids_an_auction)
        bare.append(verify_bare())
        before = _cpu_us(served)
        run = load.run_closed(window)
        after = _cpu_us(served)
        rates.append(run.receipts / run.seconds)
        rejections += run.rejections
        if before is not None and after is not None:
            cpu.append({name: (after[name] - before[name]) / run.receipts for name in after})
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
