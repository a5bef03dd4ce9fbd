"""``bench``: measures a house on this machine, each figure beside what the bare work of it costs here.

Real processes on loopback, in a directory that is gone afterwards; what is measured stands in
:mod:`auctionctl.cli.benchmarks`.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_document
from auctionctl.cli.progress import shown_progress

app = typer.Typer(rich_markup_mode=None)

SCHEMA: Final = "auctionctl.bench/1"
RESTART_SCHEMA: Final = "auctionctl.bench-restart/1"
SIMULATION_SCHEMA: Final = "auctionctl.bench-simulate/1"


@app.command(epilog="Example: auctionctl bench --json")
@with_form
def bench(
    form: Form,
    *,
    auctions: Annotated[
        int, typer.Option(min=1, max=5_000, help="How many auctions, of two bidders each; simulated, of five.")
    ] = 400,
    window: Annotated[int, typer.Option(min=1, max=64, help="Bids under way in each auction.")] = 1,
    bids: Annotated[int, typer.Option(min=1_000, max=10_000_000, help="How many bids a run.")] = 20_000,
    runs: Annotated[int, typer.Option(min=1, max=100, help="How many runs; the medians are shown.")] = 5,
    restart: Annotated[
        bool, typer.Option("--restart", help="Measure how soon a house that was ended takes bids again, instead.")
    ] = False,
    entries: Annotated[
        int, typer.Option(min=1_000, max=20_000_000, help="With --restart: entries in the store.")
    ] = 1_000_000,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Measure simulated markets, as a ratio to the bare rules, instead.")
    ] = False,
) -> int:
    """Measure the house on this machine, as a ratio to bare signature verification."""
    if simulate:
        _measure_simulation(form, auctions, runs)
        return 0
    from auctionctl.cli.benchmarks.restart import measure_restart, write_restart  # noqa: PLC0415
    from auctionctl.cli.benchmarks.throughput import measure_throughput, write_throughput  # noqa: PLC0415

    with TemporaryDirectory(prefix="auctionctl-bench-") as directory:
        home = Path(directory)
        if restart:
            schema, result, write = RESTART_SCHEMA, measure_restart(home, form, entries), write_restart
        else:
            with shown_progress(form, "measuring, in runs") as progress:
                result = measure_throughput(home, auctions, window, bids, runs, progress=progress)
            schema, write = SCHEMA, write_throughput
    if form.is_json:
        write_document(schema, result)
    else:
        write(result)
    return 0


def _measure_simulation(form: Form, auctions: int, runs: int) -> None:
    from auctionctl.cli.benchmarks.simulated import measure_simulation, write_simulation  # noqa: PLC0415

    with shown_progress(form, "measuring, in runs") as progress:
        result = measure_simulation(auctions, runs, progress)
    if form.is_json:
        write_document(SIMULATION_SCHEMA, result)
    else:
        write_simulation(result)
