"""How many signed, durable, receipted bids a second, beside what one core verifies bare.

A house as ``serve`` runs it, and one process of bidders (:mod:`auctionctl.net.load`), in a closed loop: as many bids
are under way as there are places, and each answer lets the next one go. Bare verification is timed between the runs, on
the same machine in the same minute: the ratio is what compares. Nothing of the promises is switched off: every bid is
made durable before its receipt leaves; every receipt is verified afterwards, and the log replayed (DESIGN.md 11).
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auctionctl.cli.benchmarks.aftermath import Checked, check_logs
from auctionctl.cli.benchmarks.bench_house import Served, lots, prepare_house, running_house
from auctionctl.cli.benchmarks.processes import LOAD, cpu_us, house_us, medians, per_bid
from auctionctl.cli.benchmarks.rows import Row, at_least, at_most
from auctionctl.cli.benchmarks.yardstick import Bare, BareVerification
from auctionctl.cli.progress import Progress, tell_nobody

if TYPE_CHECKING:
    from auctionctl.keys.signing import SecretKey
    from auctionctl.net.load import Load

START_PATIENCE_S: Final = 120.0
THROUGHPUT: Final = at_least(0.9)
CPU: Final = at_most(1.7)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a load is like: auctions, bidders in each, bids under way in each, and at most in all.

    There are ``groups`` of so many bidders, who share the auctions among them, and so many ``gateways`` for all.
    """

    auctions: int
    window: int = 1
    bidders: int = 2
    at_once: int | None = None
    groups: int = 8
    gateways: int = 1

    @property
    def keys(self) -> int:
        """How many bidders there are."""
        return self.bidders * min(self.groups, self.auctions)

    @property
    def under_way(self) -> int:
        """How many bids are under way in all."""
        return min(self.auctions * self.window, self.at_once or sys.maxsize)


class Loaded:
    """A house under load, from :meth:`begin` on. ``checked`` says what was verified, once the house has ended."""

    load: Load

    def __init__(self, served: Served, shape: Shape, keys: list[SecretKey]) -> None:
        self.served = served
        self.shape = shape
        self._keys = keys
        self.checked = Checked(0, 0)
        self.rates: list[float] = []
        self.answer_rates: list[float] = []
        """Receipts and signed rejections a second."""
        self.ratios: list[float] = []
        self.cpu: list[dict[str, float] | None] = []
        self.cpu_ratios: list[float] = []
        self.rejections = 0

    def begin(self, *beside: Loaded) -> Loaded:
        """Everybody connects and joins; the sessions ``beside`` are kept meanwhile, and from now on."""
        from auctionctl.net.load import Load  # noqa: PLC0415 - imports zmq
        from auctionctl.wire.address import parse_address  # noqa: PLC0415

        self.load = Load(parse_address(self.served.address), self.served.auctions, self._keys, self.shape.bidders)
        self.load.beside = [each.load for each in beside]
        for each in beside:
            each.load.beside = [*each.load.beside, self.load]
        self.load.greet_and_join()
        return self

    def run(self, bids: int, base: Bare | None = None) -> None:
        """One round of about so many bids, in a closed loop; ``base`` is the bare verification just before it."""
        from auctionctl.net.sampling import sampled  # noqa: PLC0415

        self.load.prepare(max(1, bids // self.shape.auctions))
        before = cpu_us(self.served.processes)
        with sampled(LOAD):
            run = self.load.run_closed(self.shape.window, self.shape.at_once)
        answered = run.receipts + run.rejections
        spent = per_bid(before, cpu_us(self.served.processes), answered)
        self.rates.append(run.receipts / run.seconds)
        self.answer_rates.append(answered / run.seconds)
        self.cpu.append(spent)
        self.rejections += run.rejections
        if base is not None:
            self.ratios.append(self.rates[-1] / base.per_s)
            if spent is not None:
                self.cpu_ratios.append(house_us(spent) / base.cpu_us)

    @property
    def figures(self) -> dict[str, Any]:
        """The medians of the rounds so far."""
        return {
            "auctions": self.shape.auctions,
            "bidders": self.shape.bidders,
            "window": self.shape.window,
            "gateways": self.shape.gateways,
            "runs": len(self.rates),
            "bids_per_s": statistics.median(self.rates),
            "answers_per_s": statistics.median(self.answer_rates),
            "ratio": statistics.median(self.ratios) if self.ratios else None,
            "cpu_us_per_bid": medians(self.cpu),
            "cpu_ratio": statistics.median(self.cpu_ratios) if self.cpu_ratios else None,
            "rejections": self.rejections,
        }


@contextmanager
def loaded_house(home: Path, shape: Shape, progress: Progress) -> Iterator[Loaded]:
    """A house in ``home``, to be loaded; when the block is left, it ends, and everything is verified.

    ``progress`` is told how far that has come.
    """
    home.mkdir(parents=True, exist_ok=True)
    keys = prepare_house(
        home, lots(shape.auctions), shape.keys, shape.auctions, gateways=shape.gateways, under_way=shape.under_way
    )
    with running_house(home, START_PATIENCE_S) as served, under_load(Loaded(served, shape, keys)) as loaded:
        yield loaded
    loaded.load.verify(progress)
    loaded.checked = check_logs(home, loaded.load.proven, progress)


@contextmanager
def under_load(loaded: Loaded) -> Iterator[Loaded]:
    """Its sessions end with the block."""
    try:
        yield loaded
    finally:
        if hasattr(loaded, "load"):
            loaded.load.close()


def run_in_turns(houses: Sequence[Loaded], bids: int, runs: int, bare: BareVerification, progress: Progress) -> None:
    """One round of about so many ``bids`` at each of ``houses`` after the other, ``runs`` times; all begin before."""
    for number, house in enumerate(houses):
        house.begin(*houses[:number])
    for number in range(runs):
        progress(number, runs)
        base = bare.measure()
        for house in houses:
            house.run(bids, base)


def measure_throughput(
    home: Path, shape: Shape, bids: int, runs: int, bare: BareVerification, *, progress: Progress = tell_nobody
) -> tuple[dict[str, Any], Checked]:
    """Run a house in ``home`` under load, ``runs`` times ``bids`` bids; returns the figures by name.

    ``progress`` is told between the runs, and while they are verified.
    """
    with loaded_house(home, shape, progress) as loaded:
        loaded.begin()
        for number in range(runs):
            progress(number, runs)
            loaded.run(bids, bare.measure())
    return loaded.figures, loaded.checked


def rows_of_throughput(figures: dict[str, Any]) -> list[Row]:
    """Bids a second; what each part of the house takes of the processor; and all of it together."""
    spent, ratio = figures["cpu_us_per_bid"], figures["cpu_ratio"]
    rate = Row("bids receipted, a second", figures["bids_per_s"], "bids/s", figures["ratio"], "× bare", THROUGHPUT)
    if spent is None:
        return [rate]
    parts = [Row(f"CPU a bid, {name}", used, "µs") for name, used in spent.items()]
    return [rate, Row("CPU a bid, the house's processes", house_us(spent), "µs", ratio, "× bare", CPU), *parts]


def rows_of_hot(figures: dict[str, Any]) -> list[Row]:
    """Bids a second in one auction, all of which one verifier checks; whoever is overtaken on the way is rejected."""
    return [
        Row("bids answered in one auction", figures["answers_per_s"], "bids/s"),
        Row("bids receipted in one auction", figures["bids_per_s"], "bids/s", figures["ratio"], "× bare"),
    ]
