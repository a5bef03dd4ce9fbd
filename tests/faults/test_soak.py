"""A house under half its peak rate for long: nothing leaks, nothing fails, and every receipt and every log verifies.

What may grow is what the logs hold: the house keeps the levels of each tree and what it has to recognise again, so that
its memory is bounded by the bid, and that of everybody else not at all. Growth is the slope of a straight line through
what was seen after the first fifth of the time, least squares.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from auctionctl.cli.benchmarks.bench_house import HOUSE, Served, paths_of, prepare_house, running_house
from auctionctl.cli.demo_stage import run_once
from auctionctl.net.load import Load, Run
from auctionctl.store.sqlite import SqliteStore
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.address import parse_address

AUCTIONS = 256
BIDDERS = 16
WINDOW = 2
PEAK_BIDS_AN_AUCTION = 50
SLICE_S = 2
"""Its receipts are verified before the next one, and whoever says nothing for 15 s has no session any more."""
WARM_UP = 5
"""One so-manieth of the time."""
MAX_HOUSE_BYTES_A_BID = 400
"""tests/bench bounds what a log needs by 320 an entry; the rest is what an allocator wastes."""
MAX_OTHER_BYTES = 6 << 20
"""What any other process may have grown by in the whole time: a leak of 20 bytes a bid is far more in ten minutes."""
MAX_DESCRIPTORS = 2
"""What one may hold open for a moment, as to look at /proc."""
MAX_REJECTED = 0.01
"""No error: two bidders take turns over two connections, and who is overtaken by the other has bid too little."""

LOT = """[[auction]]
item = "Lot {number}"
starting_price = "1credits"
increment = "1credits"
duration = "2h"
min_bidders = 2
bid_timeout = "1h"
"""


@dataclass
class Seen:
    """What each process used, look by look: name → (bids so far, RSS in bytes, descriptors)."""

    looks: defaultdict[str, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))

    def look(self, processes: dict[str, int], bids: int) -> None:
        for name, pid in processes.items():
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            descriptors = len(os.listdir(f"/proc/{pid}/fd"))
            self.looks[name].append((bids, pages * os.sysconf("SC_PAGE_SIZE"), descriptors))

    def warm(self, name: str) -> list[tuple[int, int, int]]:
        found = self.looks[name]
        return found[len(found) // WARM_UP :]

    def bytes_a_bid(self, name: str) -> float:
        return slope([(bids, rss) for bids, rss, _ in self.warm(name)])

    def grown_bytes(self, name: str) -> float:
        """By the slope, from the first of the warm looks to the last."""
        warm = self.warm(name)
        return self.bytes_a_bid(name) * (warm[-1][0] - warm[0][0])

    def grown_descriptors(self, name: str) -> int:
        counts = [descriptors for *_, descriptors in self.warm(name)]
        return max(counts) - min(counts)


def slope(points: Sequence[tuple[int, int]]) -> float:
    """Of the straight line through ``points`` (x, y), by least squares."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread


def test_a_leak_shows_and_what_stays_as_it_is_does_not() -> None:
    seen = Seen()
    for number in range(10):
        # The first fifth is what everybody needs to get warm.
        warming = 50 << 20 if number < 2 else 100 << 20
        seen.looks["leaking"].append((1_000 * number, warming + 20_000 * number, 10 + number))
        seen.looks["flat"].append((1_000 * number, warming + 4_096 * (number % 2), 10 + number % 2))
    assert seen.bytes_a_bid("leaking") == pytest.approx(20)
    assert (seen.grown_bytes("leaking"), seen.grown_descriptors("leaking")) == (pytest.approx(7 * 20_000), 7)
    assert (abs(seen.grown_bytes("flat")) < 4_096, seen.grown_descriptors("flat")) == (True, 1)


def soaked(*runs: Run, verified: int, sent: int, grown: int = 0) -> Soak:
    soak = Soak(cast(Load, None), {"gateway": 1}, runs=list(runs), sent=sent, verified=verified)
    soak.seen.looks["gateway"] = [(100 * number, grown * number, 10) for number in range(10)]
    return soak


def test_each_thing_that_a_soak_promises_is_held_against_it() -> None:
    check(soaked(Run(receipts=99, rejections=1), verified=99, sent=100), 99)
    for soak, bids in (
        (soaked(Run(receipts=99, rejections=1, repeats=1), verified=99, sent=100), 99),
        (soaked(Run(receipts=99, busy=1), verified=99, sent=100), 99),
        (soaked(Run(receipts=98, rejections=1), verified=98, sent=100), 98),
        (soaked(Run(receipts=98, rejections=2), verified=98, sent=100), 98),
        (soaked(Run(receipts=99, rejections=1), verified=99, sent=100), 98),
        (soaked(Run(receipts=99, rejections=1), verified=99, sent=100, grown=1 << 20), 99),
    ):
        with pytest.raises(AssertionError):
            check(soak, bids)


def processes_of(served: Served) -> dict[str, int]:
    """Every process of a house by its name, and the supervisor, which has started them."""
    house = served.processes["house"][0]
    supervisor = int(Path(f"/proc/{house}/stat").read_text().rpartition(")")[2].split()[1])
    verifiers = {f"verifier {slot}": pid for slot, pid in enumerate(served.processes["verifiers"])}
    return {"supervisor": supervisor, "house": house, "gateway": served.processes["gateway"][0], **verifiers}


@dataclass
class Soak:
    """One soak, and what has come of it so far."""

    load: Load
    processes: dict[str, int]
    seen: Seen = field(default_factory=Seen)
    runs: list[Run] = field(default_factory=list)
    sent: int = 0
    verified: int = 0

    def peak(self) -> float:
        """Bids a second with as many under way as the house can use."""
        self.load.prepare(PEAK_BIDS_AN_AUCTION)
        run = self.load.run_closed(WINDOW)
        self._done(run, PEAK_BIDS_AN_AUCTION * AUCTIONS)
        return run.receipts / run.seconds

    def hold(self, rate_per_s: int) -> None:
        """One slice at that rate, its receipts verified, and a look at everybody."""
        bids_an_auction = -(-rate_per_s * SLICE_S // AUCTIONS)
        self.load.prepare(bids_an_auction)
        self._done(self.load.run_open(rate_per_s, bids_an_auction * AUCTIONS), bids_an_auction * AUCTIONS)

    def _done(self, run: Run, bids: int) -> None:
        self.sent += bids
        self.runs.append(run)
        verified = self.load.verify()
        assert verified >= run.receipts
        self.verified += verified
        self.load.forget()
        self.seen.look(self.processes, self.verified)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seconds", [120, 600])
def test_a_house_at_half_its_peak_neither_grows_nor_fails_nor_loses_a_receipt(
    seconds: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lots = "".join(LOT.format(number=number) for number in range(AUCTIONS))
    keys = prepare_house(tmp_path, lots, BIDDERS, AUCTIONS)
    with running_house(tmp_path, 120.0) as served:
        processes = processes_of(served)
        load = Load(parse_address(served.address), served.auctions, keys)
        try:
            load.greet_and_join()
            soak = Soak(load, processes)
            peak = soak.peak()
            begun_s = time.monotonic()
            while sum(run.seconds for run in soak.runs[1:]) < seconds:
                soak.hold(int(peak / 2))
            took_s = time.monotonic() - begun_s
        finally:
            load.close()
    backup = run_once(tmp_path, ["backup", str(tmp_path / "all.backup"), "--json"], 1_800)
    with capsys.disabled():
        report(soak, peak, seconds, took_s)
    assert backup.returncode == 0, backup.stderr
    check(soak, count_bids(tmp_path))


def report(soak: Soak, peak: float, seconds: int, took_s: float) -> None:
    """The figures."""
    latencies = sorted(latency for run in soak.runs[1:] for latency in run.latencies_ns)
    p50, p99, most = (latencies[min(len(latencies) - 1, len(latencies) * each // 1_000)] for each in (500, 990, 1_000))
    print(f"\npeak {peak:.0f} bids/s, {int(peak / 2)} bids/s held for {seconds} s of {took_s:.0f} s")
    rejections, busy = sum(run.rejections for run in soak.runs), sum(run.busy for run in soak.runs)
    print(f"{soak.sent} bids, {soak.verified} receipts verified, {rejections} rejected, {busy} told to wait")
    print(f"p50 {p50 / 1e6:.2f} ms, p99 {p99 / 1e6:.2f} ms, longest {most / 1e6:.0f} ms")
    for name, looks in soak.seen.looks.items():
        warm = soak.seen.warm(name)
        print(
            f"{name}: {looks[0][1] / 1e6:.1f} MB at first, {warm[0][1] / 1e6:.1f} MB warm, {looks[-1][1] / 1e6:.1f} MB"
            f" at the end, grown {soak.seen.grown_bytes(name) / 1e6:+.2f} MB,"
            f" {soak.seen.bytes_a_bid(name):+.1f} bytes a bid, descriptors {warm[0][2]} to {warm[-1][2]}"
        )


def count_bids(home: Path) -> int:
    """How many the logs hold."""
    store = SqliteStore(paths_of(home).house_state(HOUSE))
    try:
        return sum(decode(entry).kind == Kind.BID for log, _ in store.logs() for entry in store.read(log))
    finally:
        store.close()


def check(soak: Soak, bids: int) -> None:
    """Nothing that the docstring promises has been broken; a process that had died could not have been looked at."""
    runs = soak.runs
    rejected = sum(run.rejections for run in runs)
    assert sum(run.busy for run in runs) == 0
    assert not [run for run in runs if run.repeats]
    assert soak.verified + rejected == soak.sent
    assert rejected <= soak.sent * MAX_REJECTED
    assert bids == soak.verified
    for name in soak.processes:
        assert soak.seen.grown_descriptors(name) <= MAX_DESCRIPTORS, name
        if name == "house":
            assert soak.seen.bytes_a_bid(name) <= MAX_HOUSE_BYTES_A_BID
        else:
            assert soak.seen.grown_bytes(name) <= MAX_OTHER_BYTES, name
