"""A whole house for the tests to break: settings as JSON on the first line of stdin, reports as JSON lines on stdout.

With ``revealing`` set to a file, the gateway is one that writes the routing id of each message there, in hexadecimal:
no house does that, and an attacker who cannot see them can only guess.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from auctionctl.errors import AuctionctlError
from auctionctl.house.limits import Limits
from auctionctl.keys.signing import SecretKey
from auctionctl.net import supervisor
from auctionctl.net.child import main as child_main
from auctionctl.net.children import Child
from auctionctl.net.gateway import Gateway
from auctionctl.wire.listing import LotDescription


def plain(value: Any) -> Any:
    """A report's field as JSON can hold it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "__struct_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value if isinstance(value, (int, str)) else value.text


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


class RevealingSupervisor(supervisor.Supervisor):
    """Starts a gateway that reveals what no gateway may."""

    revealing = ""

    def _spawn(self, name: str) -> Child:
        if name != "gateway":
            return super()._spawn(name)
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, __file__, "gateway", str(theirs.fileno()), self.revealing]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        child = Child(name, process, ours, 0.0)
        self._selector.register(ours, 1, child)
        return child


def run_revealing_gateway(descriptor: str, revealing: str) -> int:
    class RevealingGateway(Gateway):
        def _take(self, frames: list[Any], now_ns: int) -> None:
            with open(revealing, "a") as file:
                file.write(frames[0].bytes.hex() + "\n")
            super()._take(frames, now_ns)

    sys.modules["auctionctl.net.gateway"].Gateway = RevealingGateway  # type: ignore[attr-defined]
    return child_main(["gateway", descriptor])


def main() -> int:
    wanted = json.loads(sys.stdin.readline())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end_on_signal)
    settings = supervisor.HouseSettings(
        "h",
        wanted["host"],
        wanted["port"],
        wanted["verifiers"],
        Limits(wanted["max_concurrent_auctions"], wanted["queue"]),
        Path(wanted["state"]),
        Path(wanted["allow_list"]),
    )
    if wanted["revealing"]:
        RevealingSupervisor.revealing = wanted["revealing"]
        supervisor.Supervisor = RevealingSupervisor  # type: ignore[misc]
    lots = [LotDescription(**lot) for lot in wanted["lots"]]
    try:
        ended = supervisor.serve(
            settings, SecretKey(bytes.fromhex(wanted["seed"])), lots, report, supervisor.Finish(wanted["finish"])
        )
    except AuctionctlError as error:
        say("Ended", error=type(error).__name__, message=str(error), hint=error.hint)
        return 1
    say("Ended", error="", message="", hint="")
    return 128 + ended.by if ended.by and ended.is_cut_short else 0


if __name__ == "__main__":
    sys.exit(run_revealing_gateway(*sys.argv[2:]) if sys.argv[1:2] == ["gateway"] else main())
