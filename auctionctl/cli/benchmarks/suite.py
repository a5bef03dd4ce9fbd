"""The benchmarks by name: how much each of them does, in full and in short, and the rows that come of it.

Rule: one after another, each in a directory of its own that is gone when it is done; and no figure without what was
verified for it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from auctionctl.cli.benchmarks.aftermath import NOTHING, Checked
from auctionctl.cli.benchmarks.names import IN_CLUSTERS, Benchmark
from auctionctl.cli.benchmarks.yardstick import BARE_S, BareVerification, fdatasync_ms
from auctionctl.cli.local_cluster import find_server
from auctionctl.cli.output import Form
from auctionctl.cli.progress import Progress, shown_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auctionctl.cli.benchmarks.rows import Row


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much is done of each."""

    auctions: int = 400
    window: int = 1
    gateways: int = 1
    bids: int = 20_000
    runs: int = 5
    entries: int = 1_000_000
    many_auctions: int = 10_000
    many_bids: int = 10_000
    hot_bidders: int = 64
    watchers: int = 1_000
    bids_watched: int = 20
    rates: tuple[int, ...] = (500, 1_000, 2_000)
    seconds_a_rate: float = 5.0
    verified: int = 100_000
    starts: int = 15
    bare_s: float = BARE_S

    def but(self, given: Mapping[str, int]) -> Amounts:
        """As much as this, but for what is ``given`` by name."""
        return replace(self, **given)  # type: ignore[arg-type]  # those given by name are integers


SHORT: Final = Amounts(
    auctions=128,
    bids=3_000,
    runs=3,
    entries=20_000,
    many_auctions=1_000,
    many_bids=1_000,
    hot_bidders=16,
    watchers=50,
    bids_watched=5,
    rates=(500,),
    seconds_a_rate=1.0,
    verified=10_000,
    starts=5,
    bare_s=0.2,
)
"""Enough to compare by ratios, in seconds."""


@dataclass(slots=True)
class Result:
    """What came of the benchmarks that were asked for, beside ``bare`` verification."""

    bare: BareVerification
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[tuple[str, Row]] = field(default_factory=list)
    checked: Checked = NOTHING
    sync_ms: float = 0.0

    @property
    def is_met(self) -> bool:
        """Whether every target is met that there is one of."""
        return all(row.is_met is not False for _, row in self.rows)

    def record(self) -> dict[str, object]:
        """For programs."""
        return {
            "cores": os.cpu_count(),
            "bare_verify_per_s": self.bare.per_s if self.bare.rounds else None,
            "bare_cpu_us": self.bare.cpu_us if self.bare.rounds else None,
            "fdatasync_ms": self.sync_ms,
            "rows": [row.record(benchmark) for benchmark, row in self.rows],
            "is_met": self.is_met,
            "receipts_verified": self.checked.receipts,
            "entries_replayed": self.checked.entries,
            "measured": self.figures,
        }


class Scene:
    """Where a benchmark takes place: its ``home``, how much it does, what it is compared with, and who waits for it."""

    def __init__(self, home: Path, amounts: Amounts, bare: BareVerification, form: Form) -> None:
        self.home = home
        self.amounts = amounts
        self.bare = bare
        self.form = form
        self.progress: Progress


Outcome = tuple[dict[str, Any], Checked, list["Row"]]


def run_benchmarks(names: Sequence[Benchmark], amounts: Amounts, form: Form) -> Result:
    """Measure each of ``names``. Raises AuctionctlError for what cannot be measured, or does not hold."""
    if IN_CLUSTERS.intersection(names):
        find_server()  # Nobody has to wait for the others to learn that there is none.
    result = Result(BareVerification(amounts.bare_s))
    with TemporaryDirectory(prefix="auctionctl-bench-") as directory:
        home = Path(directory)
        result.sync_ms = fdatasync_ms(home)
        for name in names:
            scene = Scene(home / name, amounts, result.bare, form)
            scene.home.mkdir()
            with shown_progress(form, f"measuring {name}") as scene.progress:
                figures, checked, rows = MEASURES[name](scene)
            shutil.rmtree(scene.home)
            result.figures[name] = figures
            result.checked = result.checked.plus(checked)
            result.rows += [(name.value, row) for row in rows]
    return result


@contextmanager
def sampling(directory: Path | None) -> Iterator[None]:
    """What is started in the block writes there where its time goes, and this process where its runs do."""
    from auctionctl.net.sampling import VARIABLE  # noqa: PLC0415

    if directory is None:
        yield
        return
    os.environ[VARIABLE] = str(directory)
    try:
        yield
    finally:
        del os.environ[VARIABLE]


def _throughput(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.throughput import Shape, measure_throughput, rows_of_throughput  # noqa: PLC0415

    amounts = scene.amounts
    shape = Shape(amounts.auctions, amounts.window, gateways=amounts.gateways)
    measured = measure_throughput(scene.home, shape, amounts.bids, amounts.runs, scene.bare, progress=scene.progress)
    return *measured, rows_of_throughput(measured[0])


def _hot(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.throughput import Shape, measure_throughput, rows_of_hot  # noqa: PLC0415

    amounts = scene.amounts
    shape = Shape(1, window=amounts.hot_bidders, bidders=amounts.hot_bidders)
    measured = measure_throughput(scene.home, shape, amounts.bids, amounts.runs, scene.bare, progress=scene.progress)
    return *measured, rows_of_hot(measured[0])


def _latency(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.latency import measure_latency, rows_of_latency  # noqa: PLC0415

    amounts = scene.amounts
    measured = measure_latency(
        scene.home, amounts.auctions, amounts.rates, amounts.seconds_a_rate, amounts.runs, progress=scene.progress
    )
    return *measured, rows_of_latency(measured[0])


def _many(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.many import measure_many, rows_of_many  # noqa: PLC0415

    amounts = scene.amounts
    measured = measure_many(scene.home, amounts.many_auctions, amounts.many_bids, amounts.runs, progress=scene.progress)
    return *measured, rows_of_many(measured[0])


def _fanout(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.fanout import measure_fanout, rows_of_fanout  # noqa: PLC0415

    amounts = scene.amounts
    measured = measure_fanout(scene.home, amounts.watchers, amounts.bids_watched, progress=scene.progress)
    return *measured, rows_of_fanout(measured[0])


def _restart(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.restart import measure_restart, rows_of_restart  # noqa: PLC0415

    figures = measure_restart(scene.home, scene.form, scene.amounts.entries)
    return figures, Checked(1, 0), rows_of_restart(figures)


def _verify(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.verifying import measure_verify, rows_of_verify  # noqa: PLC0415

    amounts = scene.amounts
    measured = measure_verify(scene.home, amounts.verified, amounts.runs, scene.bare, progress=scene.progress)
    return *measured, rows_of_verify(measured[0])


def _startup(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.startup import measure_startup, rows_of_startup  # noqa: PLC0415

    figures = measure_startup(scene.amounts.starts, progress=scene.progress)
    return figures, NOTHING, rows_of_startup(figures)


def _gateways(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.clustered import measure_gateways, rows_of_gateways  # noqa: PLC0415

    measured = _in_turns(scene, measure_gateways)
    return *measured, rows_of_gateways(measured[0])


def _cluster(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.clustered import measure_cluster, rows_of_cluster  # noqa: PLC0415

    measured = _in_turns(scene, measure_cluster)
    return *measured, rows_of_cluster(measured[0])


def _instances(scene: Scene) -> Outcome:
    from auctionctl.cli.benchmarks.clustered import measure_instances, rows_of_instances  # noqa: PLC0415

    measured = _in_turns(scene, measure_instances)
    return *measured, rows_of_instances(measured[0])


def _in_turns(scene: Scene, measure: Callable[..., tuple[dict[str, Any], Checked]]) -> tuple[dict[str, Any], Checked]:
    from auctionctl.cli.benchmarks.throughput import Shape  # noqa: PLC0415

    amounts = scene.amounts
    shape = Shape(amounts.auctions, amounts.window)
    return measure(scene.home, shape, amounts.bids, amounts.runs, scene.bare, progress=scene.progress)


MEASURES: Final[Mapping[Benchmark, Callable[[Scene], Outcome]]] = {
    Benchmark.THROUGHPUT: _throughput,
    Benchmark.LATENCY: _latency,
    Benchmark.HOT: _hot,
    Benchmark.MANY: _many,
    Benchmark.FANOUT: _fanout,
    Benchmark.RESTART: _restart,
    Benchmark.VERIFY: _verify,
    Benchmark.STARTUP: _startup,
    Benchmark.GATEWAYS: _gateways,
    Benchmark.CLUSTER: _cluster,
    Benchmark.INSTANCES: _instances,
}
