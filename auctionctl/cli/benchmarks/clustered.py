"""What a cluster costs a house, and what several instances and several gateways bring: houses that are loaded in turns.

Three NATS servers on this machine, each of which syncs what it stores before it says so, and of all that is stored a
copy on each. Beside each other, within one run: the same house with its logs in a file and in the cluster; one house as
one, two and three instances; and with one, two and four gateways. All of them share the machine's cores with the
servers and the bidders, so the ratios say what is gained here, and no more. Every receipt and every log is verified.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auctionctl.cli.benchmarks.aftermath import NOTHING, Checked, check_store
from auctionctl.cli.benchmarks.bench_house import HOUSE, Served, lots, paths_of, prepare_house, running_house
from auctionctl.cli.benchmarks.rows import Row, at_least
from auctionctl.cli.benchmarks.throughput import START_PATIENCE_S, Loaded, Shape, loaded_house, run_in_turns, under_load
from auctionctl.cli.benchmarks.yardstick import BareVerification
from auctionctl.cli.local_cluster import PORTS, LocalCluster, find_server, free_ports
from auctionctl.cli.progress import Progress, tell_nobody
from auctionctl.errors import UnreachableError
from auctionctl.wire.address import parse_address

if TYPE_CHECKING:
    from auctionctl.store.cluster_store import ClusterStore

INSTANCES: Final = ("a", "b", "c")
GATEWAYS: Final = (1, 2, 4)
CLUSTER: Final = at_least(0.5)
ROOM: Final = "16GB"
READER: Final = "bench"
"""Who reads beside the instances, to know who holds what, and in the end what every log has."""
LOOK_S: Final = 0.2
SETTLED_S: Final = 4.0
"""After so long nothing moves any more: an instance that has come is seen by its first signs of life."""

Measured = tuple[dict[str, Any], Checked]


def measure_cluster(
    home: Path, shape: Shape, bids: int, runs: int, bare: BareVerification, *, progress: Progress = tell_nobody
) -> Measured:
    """One house on SQLite and one in a cluster, in turns; returns the figures by name.

    Raises ConfigurationError where no cluster can be started.
    """
    with running_cluster(home) as store:
        opened = {
            "sqlite": loaded_house(home / "sqlite", shape, progress),
            "cluster": loaded_instances(home / "clustered", shape, store, INSTANCES[:1], progress),
        }
        return measure_in_turns(opened, shape, bids, runs, bare, progress)


def measure_instances(
    home: Path, shape: Shape, bids: int, runs: int, bare: BareVerification, *, progress: Progress = tell_nobody
) -> Measured:
    """A house of one instance, one of two and one of three, in turns. As :func:`measure_cluster`."""
    with running_cluster(home) as store:
        opened = {
            str(count): loaded_instances(home / f"of-{count}", shape, store, INSTANCES[:count], progress)
            for count in range(1, len(INSTANCES) + 1)
        }
        return measure_in_turns(opened, shape, bids, runs, bare, progress)


def measure_gateways(
    home: Path, shape: Shape, bids: int, runs: int, bare: BareVerification, *, progress: Progress = tell_nobody
) -> Measured:
    """Houses on SQLite with one gateway, two and four, in turns."""
    opened = {
        str(count): loaded_house(home / f"of-{count}", dataclasses.replace(shape, gateways=count), progress)
        for count in GATEWAYS
    }
    return measure_in_turns(opened, shape, bids, runs, bare, progress)


def rows_of_cluster(figures: dict[str, Any]) -> list[Row]:
    """Bids a second of the house on SQLite, and of that in the cluster."""
    rates = figures["bids_per_s"]
    return [
        Row("bids receipted, logs on SQLite", rates["sqlite"], "bids/s", figures["bare_ratios"]["sqlite"], "× bare"),
        Row(
            "bids receipted, JetStream R3",
            rates["cluster"],
            "bids/s",
            figures["ratios"]["cluster"],
            "× SQLite",
            CLUSTER,
        ),
    ]


def rows_of_instances(figures: dict[str, Any]) -> list[Row]:
    """Bids a second by instances."""
    return _rows(figures, "instance")


def rows_of_gateways(figures: dict[str, Any]) -> list[Row]:
    """Bids a second by gateways."""
    return _rows(figures, "gateway")


def _rows(figures: dict[str, Any], noun: str) -> list[Row]:
    against = f"× 1 {noun}, {figures['cores']} cores"
    return [
        Row(
            f"bids receipted, {count} {noun}{'' if count == '1' else 's'}",
            rate,
            "bids/s",
            figures["ratios"][count],
            against,
        )
        for count, rate in figures["bids_per_s"].items()
    ]


def measure_in_turns(  # noqa: PLR0917 - all of it is needed at once
    opened: Mapping[str, AbstractContextManager[Loaded]],
    shape: Shape,
    bids: int,
    runs: int,
    bare: BareVerification,
    progress: Progress,
) -> Measured:
    """Load each of ``opened`` in turns; the figures are by its name, and the ratios to the first."""
    with ExitStack() as stack:
        houses = {name: stack.enter_context(each) for name, each in opened.items()}
        run_in_turns(list(houses.values()), bids, runs, bare, progress)
    first, *_ = houses.values()
    checked = NOTHING
    for house in houses.values():
        checked = checked.plus(house.checked)
    found = {name: house.figures for name, house in houses.items()}
    figures = {
        "auctions": shape.auctions,
        "bidders": shape.bidders,
        "window": shape.window,
        "cores": os.cpu_count(),
        "runs": runs,
        "bids_per_s": {name: each["bids_per_s"] for name, each in found.items()},
        "ratios": {
            name: statistics.median(mine / its for mine, its in zip(house.rates, first.rates, strict=True))
            for name, house in houses.items()
        },
        "bare_ratios": {name: each["ratio"] for name, each in found.items()},
        "cpu_us_per_bid": {name: each["cpu_us_per_bid"] for name, each in found.items()},
        "rejections": sum(house.rejections for house in houses.values()),
    }
    return figures, checked


@contextmanager
def running_cluster(home: Path) -> Iterator[str]:
    """Three servers as processes of their own; what ``serve --store`` takes. ConfigurationError if there are none."""
    from auctionctl.cli.demo_stage import Stage  # noqa: PLC0415

    cluster = LocalCluster(find_server(), "bench", free_ports(PORTS), ROOM)
    directories = [home / "servers" / name for name in INSTANCES]
    for directory in directories:
        directory.mkdir(parents=True)
    cluster.prepare(INSTANCES, directories)
    with Stage(home / "servers") as stage:
        cluster.start(stage)
        yield cluster.store


@contextmanager
def loaded_instances(
    home: Path, shape: Shape, store: str, names: Sequence[str], progress: Progress
) -> Iterator[Loaded]:
    """A house of instances of these names in the cluster ``store``, to be loaded; then as :func:`loaded_house`."""
    from auctionctl.keys.keyfile import key_path, read_key  # noqa: PLC0415 - imports libsodium
    from auctionctl.store.cluster_address import parse_cluster_address  # noqa: PLC0415
    from auctionctl.store.cluster_store import ClusterStore  # noqa: PLC0415

    first = home / names[0]
    first.mkdir(parents=True)
    keys = prepare_house(
        first, lots(shape.auctions), shape.keys, shape.auctions, gateways=shape.gateways, under_way=shape.under_way
    )
    house = read_key(key_path(paths_of(first).keys, HOUSE)).identity.signing
    with ExitStack() as instances:
        served = []
        for name in names:
            if name != names[0]:
                shutil.copytree(paths_of(first).config, paths_of(home / name).config)
            options = ["--store", store, "--instance", name, "--port", str(free_ports(1)[0])]
            served.append(instances.enter_context(running_house(home / name, START_PATIENCE_S, options)))
        with closing(ClusterStore(parse_cluster_address(store), house.hex(), instance=READER)) as reader:
            auctions = _wait_until_spread(reader, shape.auctions, names)
        with under_load(Loaded(_together(served, auctions), shape, keys)) as loaded:
            yield loaded
    loaded.load.verify(progress)
    with closing(ClusterStore(parse_cluster_address(store), house.hex(), instance=READER)) as reader:
        loaded.checked = check_store(reader, house, loaded.load.proven, progress)


def _together(served: Sequence[Served], auctions: Sequence[bytes]) -> Served:
    """One house of what each instance says of itself."""
    address = parse_address(served[0].address)
    others = tuple(place for each in served[1:] for place in parse_address(each.address).places)
    return Served(
        dataclasses.replace(address, others=others).text,
        list(auctions),
        {kind: [process for each in served for process in each.processes[kind]] for kind in served[0].processes},
        [log for each in served for log in each.quarantined],
    )


def _wait_until_spread(reader: ClusterStore, count: int, names: Sequence[str]) -> list[bytes]:
    """The auctions, once there are so many, and each of ``names`` holds some; or nothing has moved for long.

    An instance serves before it has claimed the registry, and announces what it sells only then.
    """
    from auctionctl.replica.registry import REGISTRY  # noqa: PLC0415

    deadline_s = time.monotonic() + START_PATIENCE_S
    holders: dict[str, tuple[int, str] | None] = {}
    moved_s = time.monotonic()
    while True:
        reader.refresh()
        before, holders = holders, {name: reader.holder_of(name) for name, _ in reader.logs() if name != REGISTRY}
        now_s = time.monotonic()
        moved_s = moved_s if holders == before else now_s
        if len(holders) == count and None not in holders.values():
            is_spread = {holder[1] for holder in holders.values() if holder is not None} == set(names)
            if (is_spread and holders == before) or now_s - moved_s > SETTLED_S:
                return [bytes.fromhex(name.partition("/")[2]) for name in holders]
        if now_s > deadline_s:
            raise UnreachableError(f"{len(holders)} of {count} auctions were announced within {START_PATIENCE_S:g} s")
        time.sleep(LOOK_S)
