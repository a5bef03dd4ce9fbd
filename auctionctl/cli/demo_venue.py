"""Where the demo's house is: one process of this program, or a cluster of three servers with three instances of it.

Rule: what is sold, and to whom, is the same; but a cluster loses an instance in the middle, and nobody a bid.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from auctionctl.cli.demo_story import HOUSE, auctions_toml
from auctionctl.cli.local_cluster import LOOPBACK, PORTS, LocalCluster, free_ports
from auctionctl.cli.output import write_note
from auctionctl.client.paths import Paths

if TYPE_CHECKING:
    from auctionctl.cli.demo_stage import Stage
    from auctionctl.replica.replica import Replica
    from auctionctl.wire.address import HouseAddress

START_PATIENCE_S: Final = 20.0
CLUSTER_PATIENCE_S: Final = 60.0
MIN_CLUSTER_NS: Final = 8 * 10**9
"""It takes 3 to 5 s until others go on with what a killed instance had, and bidders are to have time after that."""
INSTANCES: Final = ("a", "b", "c")
CLUSTER_INTRODUCTION: Final = (
    "the house runs three times, as instances a, b and c of one key; its logs are on three NATS servers;",
    "  an instance is killed in the middle: the others go on with its auctions, and its time is made good",
)


class Venue(Protocol):
    """Where the house is."""

    @property
    def introduction(self) -> tuple[str, ...]:
        """What people are told of it, besides the story."""
        ...

    @property
    def killed(self) -> str | None:
        """The instance that has been killed, if one has."""
        ...

    def prepare(self, home: Path, duration_ns: int) -> None:
        """Write what the house needs; ``home`` has its key and its allow list."""
        ...

    def open(self, stage: Stage, home: Path) -> HouseAddress:
        """Start it; where bidders find it. Raises UnreachableError if it does not serve in time."""
        ...

    def look(self, stage: Stage, replicas: Iterable[Replica]) -> None:
        """Now and then, while it sells."""
        ...


class OneHouse:
    """A house by itself, whose logs are in a file. No instance of it is ever killed."""

    killed: str | None = None
    introduction: tuple[str, ...] = ()

    def prepare(self, home: Path, duration_ns: int) -> None:
        """As :meth:`Venue.prepare`."""
        (port,) = free_ports(1)
        write_lots(home, auctions_toml(duration_ns, port))

    def open(self, stage: Stage, home: Path) -> HouseAddress:
        """As :meth:`Venue.open`."""
        stage.start(HOUSE, ["serve", str(home / "AUCTIONS.toml"), "--json"], frozenset())
        return address_in(stage, home, START_PATIENCE_S)

    def look(self, stage: Stage, replicas: Iterable[Replica]) -> None:
        """As :meth:`Venue.look`: nothing."""


class Clustered:
    """Three instances on three servers; :attr:`killed` is the instance that was killed, once one has been."""

    introduction = CLUSTER_INTRODUCTION

    def __init__(self, server: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        """``server`` is the program nats-server."""
        self.killed: str | None = None
        ports = free_ports(PORTS + len(INSTANCES))
        self._cluster = LocalCluster(server, "demo", ports[:PORTS])
        self._doors = ports[PORTS:]
        self._clock_s = clock_s
        self._kill_after_s = 0.0
        self._opened_s: float | None = None

    def prepare(self, home: Path, duration_ns: int) -> None:
        """As :meth:`Venue.prepare`: each instance has a home of its own, with the same key and allow list."""
        from auctionctl.client.files import PRIVATE_MODE, Existing, make_private_directories, write_whole  # noqa: PLC0415
        from auctionctl.keys.keyfile import key_path  # noqa: PLC0415

        self._kill_after_s = duration_ns / 3e9
        common = Paths(home / "config", home / "state", home / "run")
        for number, name in enumerate(INSTANCES):
            own = machine(home, name)
            paths = Paths(own / "config", own / "state", own / "run")
            make_private_directories(paths.keys)
            for source, target in (
                (key_path(common.keys, HOUSE), key_path(paths.keys, HOUSE)),
                (common.allow_list, paths.allow_list),
            ):
                write_whole(target, source.read_bytes(), PRIVATE_MODE, Existing.REPLACE)
            write_lots(own, auctions_toml(duration_ns, self._doors[number]))
        self._cluster.prepare(INSTANCES, [machine(home, name) for name in INSTANCES])

    def open(self, stage: Stage, home: Path) -> HouseAddress:
        """As :meth:`Venue.open`."""
        from auctionctl.wire.address import HouseAddress, Place  # noqa: PLC0415

        self._cluster.start(stage)
        for name, door in zip(INSTANCES, self._doors, strict=True):
            own = machine(home, name)
            options = ["--store", self._cluster.store, "--instance", name, "--advertise", f"{LOOPBACK}:{door}"]
            stage.start(name, ["serve", str(own / "AUCTIONS.toml"), *options, "--json"], frozenset(), own)
        found = [address_in(stage, machine(home, name), CLUSTER_PATIENCE_S) for name in INSTANCES]
        places = [Place(LOOPBACK, port) for port in self._doors]
        return HouseAddress(found[0].identity, *places[0], tuple(places[1:]))

    def look(self, stage: Stage, replicas: Iterable[Replica]) -> None:
        """As :meth:`Venue.look`: a third into the sale, kill whoever has the first lot."""
        if self.killed is not None:
            return
        from auctionctl.auction.phase import Phase  # noqa: PLC0415

        states = [replica.replay.auction for replica in replicas]
        if not states or any(state is None or state.phase is Phase.ANNOUNCED for state in states):
            return
        self._opened_s = self._clock_s() if self._opened_s is None else self._opened_s
        if self._clock_s() < self._opened_s + self._kill_after_s:
            return
        takers = [state.takeover.instance for state in states if state is not None and state.takeover is not None]
        self.killed = takers[0] if takers else INSTANCES[0]
        stage.kill(self.killed, _pids(stage.output_of(self.killed)))
        write_note(f"instance {self.killed} was killed")


def machine(home: Path, name: str) -> Path:
    """The home of the instance called ``name``."""
    return home / "machines" / name


def write_lots(home: Path, toml: str) -> None:
    """The AUCTIONS.toml of a house that lives under ``home``."""
    from auctionctl.client.files import PRIVATE_MODE, Existing, write_whole  # noqa: PLC0415

    write_whole(home / "AUCTIONS.toml", toml.encode(), PRIVATE_MODE, Existing.REPLACE)


def address_in(stage: Stage, home: Path, patience_s: float) -> HouseAddress:
    """The address that the house under ``home`` publishes. Raises UnreachableError if it does not in time."""
    from auctionctl.wire.address import parse_address  # noqa: PLC0415

    path = Paths(home / "config", home / "state", home / "run").address_file(HOUSE)
    stage.wait_for_file(path, patience_s)
    return parse_address(path.read_text())


def _pids(lines: Iterable[bytes]) -> list[int]:
    """The processes of a house that tells its events in JSON, but for the one that does."""
    pids: list[int] = []
    for record in map(json.loads, lines):
        if record["event"] == "processes":
            pids += [record["house"], record["gateway"], *record["verifiers"]]
        elif record["event"] == "restarted":
            pids.append(record["pid"])
    return pids
