"""A whole house for the tests to break: settings as JSON on the first line of stdin, reports as JSON lines on stdout.

With ``revealing`` set to a file, the gateway is one that writes its pid and the routing id of each message there:
no house does that, and an attacker who cannot see them can only guess. With ``disk`` set to a number, the sync of
so many commits and no more succeeds; set to ``hasty``, it says of each commit that it is safe before it has written it.
After SIGHUP the limits in the file ``changed``, where there is one, hold in place of those of the settings.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from auctionctl.errors import AuctionctlError, StoreBrokenError
from auctionctl.house.limits import Limits
from auctionctl.keys.signing import SecretKey
from auctionctl.net import house_store, supervisor
from auctionctl.net.child import main as child_main
from auctionctl.net.children import Child
from auctionctl.net.door import DoorLimits
from auctionctl.net.gateway import Gateway
from auctionctl.net.house_settings import Finish, HouseSettings, NewSettings
from auctionctl.net.strangers import StrangerLimits
from auctionctl.store.sqlite import SqliteStore
from auctionctl.wire.listing import LotDescription


def plain(value: Any) -> Any:
    """A report's field as JSON can hold it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "__struct_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value if isinstance(value, (int, str, dict)) else value.text


def say(kind: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"report": kind, **{name: plain(value) for name, value in fields.items()}}) + "\n")
    sys.stdout.flush()


def report(what: Any) -> None:
    if dataclasses.is_dataclass(what):
        say(type(what).__name__, **{item.name: getattr(what, item.name) for item in dataclasses.fields(what)})
    else:
        say(type(what).__name__, **{name: getattr(what, name) for name in what.__struct_fields__})


def end_on_signal(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


class FaultySupervisor(supervisor.Supervisor):
    """Starts processes of some kinds with a fault: the kind → what its fault is told. A second house is sound."""

    faults: ClassVar[dict[str, str]] = {}

    def _spawn(self, name: str) -> Child:
        kind = name.partition(" ")[0]
        fault = self.faults.pop(kind, None) if kind == "house" else self.faults.get(kind)
        if fault is None:
            return super()._spawn(name)
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, __file__, kind, str(theirs.fileno()), fault]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        child = Child(name, process, ours, time.monotonic())
        self._selector.register(ours, 1, child)
        return child


def run_faulty(kind: str, descriptor: str, fault: str) -> int:
    """A child with its fault: a gateway that reveals what no gateway may, or a house whose disk fails to sync."""
    if kind == "gateway":
        sys.modules["auctionctl.net.gateway"].Gateway = revealing_gateway(fault)  # type: ignore[attr-defined]
    else:
        house_store.SqliteStore = HastyStore if fault == "hasty" else breaking_store(int(fault))  # type: ignore[misc]
    return child_main([kind, descriptor])


def revealing_gateway(revealing: str) -> type[Gateway]:
    class RevealingGateway(Gateway):
        def _take(self, route: bytes, frames: list[Any], now_ns: int) -> None:
            with open(revealing, "a") as file:
                file.write(f"{os.getpid()} {route.hex()}\n")
            super()._take(route, frames, now_ns)

    return RevealingGateway


class HastyStore(SqliteStore):
    """The control: a test that finds nothing wrong with this finds nothing at all."""

    waiting: tuple[Any, int] | None = None

    def append(self, appends: Any, now_ns: int) -> None:
        if self.waiting is not None:
            super().append(*self.waiting)
        self.waiting = (appends, now_ns)

    def alive(self, now_ns: int) -> None:
        """Not even the sign of life has it written, so that nothing else gives it away."""


def breaking_store(commits: int) -> type[SqliteStore]:
    class BreakingStore(SqliteStore):
        left = commits

        def append(self, appends: Any, now_ns: int) -> None:
            super().append(appends, now_ns)
            self.left -= 1
            if self.left < 0:
                raise StoreBrokenError("the sync failed, for the test", hint="look at the disk")

    return BreakingStore


def main() -> int:
    wanted = json.loads(sys.stdin.readline())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end_on_signal)
    settings = HouseSettings(
        "h",
        wanted["host"],
        wanted["port"],
        wanted["verifiers"],
        Limits(
            wanted["max_concurrent_auctions"],
            wanted["queue"],
            **{"bids_per_s": 10**6, "bids_burst": 10**6, "all_bids_per_s": 10**6} | wanted["limits"],
        ),
        Path(wanted["state"]),
        Path(wanted["allow_list"]),
        door=DoorLimits(strangers=None if wanted["strangers"] is None else StrangerLimits(**wanted["strangers"])),
        store=wanted["store"],
        instance=wanted["instance"],
        gateways=wanted["gateways"],
    )
    if wanted["revealing"]:
        FaultySupervisor.faults["gateway"] = wanted["revealing"]
    if wanted["disk"]:
        FaultySupervisor.faults["house"] = wanted["disk"]
    supervisor.Supervisor = FaultySupervisor  # type: ignore[misc]
    lots = [LotDescription(**lot) for lot in wanted["lots"]]

    def read_settings() -> NewSettings:
        changed = Path(wanted["changed"])
        limits = json.loads(changed.read_text()) if changed.exists() else {}
        return NewSettings(dataclasses.replace(settings.limits, **limits), settings.retention_ns, lots)

    key, finish = SecretKey(bytes.fromhex(wanted["seed"])), Finish(wanted["finish"])
    try:
        ended = supervisor.serve(settings, key, lots, report, finish, read_settings=read_settings)
    except AuctionctlError as error:
        say("Ended", error=type(error).__name__, message=str(error), hint=error.hint)
        return 1
    say("Ended", error="", message="", hint="")
    return 128 + ended.by if ended.by and ended.is_cut_short else 0


if __name__ == "__main__":
    sys.exit(run_faulty(*sys.argv[1:]) if sys.argv[1:] else main())
