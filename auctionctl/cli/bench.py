"""``bench``: measures a house on this machine, each figure beside what the bare work of it costs here, and its target.

Real processes on loopback, in a directory that is gone afterwards; what is measured stands in
:mod:`auctionctl.cli.benchmarks`.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.benchmarks.fields import JSON_SCHEMA, RESTART_SCHEMA, SCHEMA, SIMULATION_SCHEMA
from auctionctl.cli.benchmarks.names import OF_SCALE, Benchmark
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_document, write_line, write_table
from auctionctl.cli.progress import shown_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auctionctl.cli.benchmarks.suite import Amounts, Result

__all__ = ["JSON_SCHEMA", "app"]

HOTTEST: Final = 12
"""So many functions of each process are named."""
ALONE: Final = ("--restart", "--simulate")
"""What is measured by itself: beside it no benchmark is named, and no profile taken."""

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl bench throughput latency --json")
@with_form
def bench(
    form: Form,
    names: Annotated[
        list[Benchmark] | None, typer.Argument(metavar="[BENCHMARK]...", help="What to measure; else all but of scale.")
    ] = None,
    *,
    short: Annotated[bool, typer.Option("--short", help="Less of everything: seconds, for a comparison of ratios.")] = (
        False
    ),
    profile: Annotated[
        bool, typer.Option("--profile", help="Name the functions in which each process spends its time; it slows them.")
    ] = False,
    auctions: Annotated[
        int | None,
        typer.Option(min=1, max=5_000, help="How many auctions, of two bidders each (400); simulated, of five."),
    ] = None,
    window: Annotated[int | None, typer.Option(min=1, max=64, help="Bids under way in each auction (1).")] = None,
    bids: Annotated[int | None, typer.Option(min=1_000, max=10_000_000, help="How many bids a run (20000).")] = None,
    runs: Annotated[int | None, typer.Option(min=1, max=100, help="How many runs (5); the medians are shown.")] = None,
    watchers: Annotated[int | None, typer.Option(min=1, max=4_000, help="How many watchers of fanout (1000).")] = None,
    gateways: Annotated[
        int | None, typer.Option(min=1, max=16, help="Of throughput: processes that take connections (1).")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Measure how soon a house that was ended takes bids again, and only that.")
    ] = False,
    entries: Annotated[
        int | None, typer.Option(min=1_000, max=20_000_000, help="Of restart: entries in the store (1000000).")
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Measure simulated markets, as a ratio to the bare rules, instead.")
    ] = False,
) -> int:
    """Measure the house on this machine, as a ratio to bare signature verification.

    throughput: many auctions, two bidders each, in a closed loop. latency: from a bid to its receipt at fixed rates.
    hot: many bidders in one auction. many: 10,000 open auctions beside 16. fanout: one bid, and when the last watcher
    knows. restart, verify, startup: what their names say. Of scale, if asked for: gateways: one, two and four.
    cluster: logs on three NATS servers beside SQLite. instances: one, two and three, in such a cluster.
    Every receipt and log is verified before a figure is shown.
    """
    from auctionctl.cli.benchmarks.suite import SHORT, Amounts, run_benchmarks, sampling  # noqa: PLC0415

    options = {"--restart": restart, "--simulate": simulate, "--profile": profile}
    _check_asked([option for option, is_given in options.items() if is_given], names or [])
    amounts = SHORT if short else Amounts()
    given = {"auctions": auctions, "window": window, "bids": bids, "runs": runs, "watchers": watchers}
    given |= {"entries": entries, "gateways": gateways}
    amounts = amounts.but({name: value for name, value in given.items() if value is not None})
    if simulate:
        _measure_simulation(form, amounts)
        return 0
    if restart:
        _measure_restart(form, amounts)
        return 0
    chosen = list(dict.fromkeys(names or (name for name in Benchmark if name not in OF_SCALE)))
    with TemporaryDirectory(prefix="auctionctl-samples-") as directory:
        samples = Path(directory) if profile else None
        with sampling(samples):
            result = run_benchmarks(chosen, amounts, form)
        hottest = None if samples is None else _read_samples(samples)
    if form.is_json:
        write_document(SCHEMA, {"is_short": short, **result.record(), "profile": hottest})
    else:
        _write(form, result, hottest)
    return 0


def _check_asked(options: Sequence[str], names: Sequence[Benchmark]) -> None:
    """Raises ArgumentError where something is asked for besides what is measured alone."""
    if options and options[0] in ALONE and (besides := [*options[1:], *names]):
        raise ArgumentError(
            f"{options[0]} measures one thing, without {besides[0]}", hint="ask for one after the other"
        )


Hottest = dict[str, list[tuple[str, float]]]
"""Process → (function, its share of the process's time), the hottest first."""


def _read_samples(directory: Path) -> Hottest:
    """Of each kind of process, all that were of it together."""
    counts: dict[str, dict[str, int]] = {}
    for file in sorted(directory.iterdir()):
        record = json.loads(file.read_text())
        of_process = counts.setdefault(record["process"], {})
        for function, count in record["hottest"]:
            of_process[function] = of_process.get(function, 0) + count
    hottest: Hottest = {}
    for process, of_process in counts.items():
        total = sum(of_process.values())
        ordered = sorted(of_process.items(), key=lambda each: -each[1])[:HOTTEST]
        hottest[process] = [(function, count / total) for function, count in ordered]
    return hottest


def _write(form: Form, result: Result, hottest: Hottest | None) -> None:
    from auctionctl.cli.benchmarks.rows import COLUMNS  # noqa: PLC0415

    write_table(form, COLUMNS, [row.cells(benchmark) for benchmark, row in result.rows])
    if result.bare.rounds:
        write_line(
            f"bare verification on one core: {result.bare.per_s:.0f} a second, {result.bare.cpu_us:.1f} µs of CPU time"
        )
    write_line(f"fdatasync of what a commit writes: {result.sync_ms:.2f} ms; every commit waits for one")
    checked = result.checked
    write_line(f"verified afterwards: {checked.receipts} receipts, and {checked.entries} entries of logs, replayed")
    for process, functions in (hottest or {}).items():
        write_table(form, (process, "share"), [(name, f"{share:.1%}") for name, share in functions])


def _measure_simulation(form: Form, amounts: Amounts) -> None:
    from auctionctl.cli.benchmarks.simulated import measure_simulation, write_simulation  # noqa: PLC0415

    with shown_progress(form, "measuring, in runs") as progress:
        result = measure_simulation(amounts.auctions, amounts.runs, progress)
    if form.is_json:
        write_document(SIMULATION_SCHEMA, result)
    else:
        write_simulation(result)


def _measure_restart(form: Form, amounts: Amounts) -> None:
    from auctionctl.cli.benchmarks.restart import measure_restart, write_restart  # noqa: PLC0415

    with TemporaryDirectory(prefix="auctionctl-bench-") as directory:
        result = measure_restart(Path(directory), form, amounts.entries)
    if form.is_json:
        write_document(RESTART_SCHEMA, result)
    else:
        write_restart(result)
