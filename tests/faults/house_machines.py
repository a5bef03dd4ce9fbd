"""A house on several machines, so to speak: ``auctionctl serve --instance`` under a home each, and its real bidders.

Each machine reaches the servers of the cluster by wires of its own, which can be cut. Bidders are ``auctionctl bid``
at the address of all of them; what they are told, and when, is read as they write it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from house_process import HOUSE_KEY, is_running, key_of, until
from kept_dates import KeptDates
from nats_cluster import Cluster, free_ports
from tcp_proxy import Fault, TcpProxy, Whole

from auctionctl.keys.allowlist import Entry as Allowed
from auctionctl.keys.allowlist import render
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.tlog.proof import TlogProof, decode_receipt
from auctionctl.wire.address import HouseAddress, Place

BIDDERS = ("ann", "ben")
LISTINGS = ("fan", "lamp", "ring", "vase")
"""What is bid for without end; each bid puts off the end, so that the house signs every second how late it is."""
QUIET = ("altar", "bowl")
"""What is bid for once, and ends after a minute, or one more: until then only the house has a word there."""
LIMITS = "bids_per_s = 200\nbids_burst = 400\n"
"""More than these bidders come to: no lot has to wait for the others."""
CREATED = "2026-01-31T12:00:00Z"
LOT = """
[[auction]]
item = "Lot {listing}"
listing = "{listing}"
starting_price = "{step}credits"
increment = "{step}credits"
min_bidders = 2
start_timeout = "1h"
duration = "{minutes}m"
"""
EXTENDED = """
soft_close = "1m"
max_extension = "9h"
"""
CLOCK = """
import time
wall_ns = time.time_ns
time.time_ns = lambda: wall_ns() - {behind_s} * 10**9
time.time = lambda: time.time_ns() / 1e9
"""
APART_S = 1
"""By how much the clock of each machine is behind that of the one before: what was dated by one goes on at another."""
VALUE = 100_000_000
"""What a lot is worth to each bidder, in credits."""


def lots() -> str:
    """What is sold, as a file of auctions says it."""
    busy = [LOT.format(listing=listing, step=1, minutes=1) + EXTENDED for listing in LISTINGS]
    quiet = [
        LOT.format(listing=listing, step=VALUE * 2 // 3, minutes=minutes) for minutes, listing in enumerate(QUIET, 1)
    ]
    return "".join(busy + quiet)


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    return kept | {"AUCTIONCTL_HOME": str(home)}


def clock_behind(home: Path, behind_s: int) -> dict[str, str]:
    """What has every process with this in its environment see a wall clock that is so far behind."""
    (home / "site").mkdir(exist_ok=True)
    (home / "site/sitecustomize.py").write_text(CLOCK.format(behind_s=behind_s))
    return {"PYTHONPATH": str(home / "site")}


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "auctionctl", *arguments]


class Machine:
    """One machine of the house: ``name`` is that of its instance."""

    def __init__(
        self, directory: Path, name: str, port: int, cluster: Cluster, options: Sequence[str], *, behind_s: int
    ) -> None:
        """Its clock is ``behind_s`` behind that of whoever runs the test."""
        self.name = name
        self._options = options
        self._behind_s = behind_s
        self.port = port
        self.home = directory / name
        self.wires = [TcpProxy(each) for each in cluster.ports]
        self._store = cluster.url_of([wire.port for wire in self.wires])
        self._heard: list[dict[str, Any]] = []
        self._read_bytes = 0
        self._starts = 0
        self.process: subprocess.Popen[bytes] | None = None
        write_key(key_path(self.home / "config/keys", "house"), HOUSE_KEY, created=CREATED)
        allowed = "".join(render(Allowed(key_of(name).identity, name, "bidder")) + "\n" for name in BIDDERS)
        (self.home / "config/allow").write_text(allowed)
        (self.home / "AUCTIONS.toml").write_text(f"[house]\nport = {port}\nverifiers = 1\n{LIMITS}{lots()}")

    # What it says

    @property
    def _said(self) -> Path:
        return self.home / f"out-{self._starts}"

    def hear(self) -> list[dict[str, Any]]:
        """Everything that the instance has said since it was started last."""
        with self._said.open("rb") as file:
            file.seek(self._read_bytes)
            whole, _, rest = file.read().rpartition(b"\n")
            self._read_bytes = file.tell() - len(rest)
        self._heard += [json.loads(line) for line in whole.splitlines()]
        return self._heard

    def pids(self) -> dict[str, int]:
        """Its processes, by what they do."""
        found: dict[str, int] = {}
        for record in self.hear():
            if record["event"] == "processes":
                found = {"house": record["house"], "gateway": record["gateway"]}
                found |= {f"verifier {slot}": pid for slot, pid in enumerate(record["verifiers"])}
            elif record["event"] == "restarted":
                found[record["process"]] = record["pid"]
        return found

    @property
    def errors(self) -> str:
        return "".join(path.read_text() for path in sorted(self.home.glob("err-*")))

    # Its life

    def start(self) -> None:
        """Begin; :meth:`has_served` says when bidders can connect."""
        self._starts += 1
        self._heard, self._read_bytes = [], 0
        arguments = ("serve", str(self.home / "AUCTIONS.toml"), "--json", "--store", self._store)
        with self._said.open("wb") as out, (self.home / f"err-{self._starts}").open("wb") as err:
            self.process = subprocess.Popen(
                program(*arguments, *self._options),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment(self.home) | clock_behind(self.home, self._behind_s),
                start_new_session=True,
            )

    def has_served(self, number: int = 1) -> bool:
        """Whether it has come to serve so many times since it was started."""
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} has ended: {self.errors[-3000:]}"
        return sum(record["event"] == "serving" for record in self.hear()) >= number

    def signal_all(self, number: signal.Signals) -> None:
        """Every process of it at once."""
        assert self.process is not None
        pids = [self.process.pid, *self.pids().values()]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if number is signal.SIGKILL:
            self.process.wait()
            until(lambda: not any(map(is_running, pids)), f"the end of {self.name}")

    def terminate(self) -> None:
        """SIGTERM to its supervisor; :meth:`has_ended` says when it is over."""
        assert self.process is not None
        self.process.terminate()

    def has_ended(self) -> bool:
        """Whether it has ended, in order."""
        assert self.process is not None
        assert self.process.poll() in (None, 0), f"{self.name} has ended: {self.errors[-3000:]}"
        return self.process.poll() is not None

    def set_wires(self, fault: Fault) -> None:
        """All its wires to the cluster are like this from now on."""
        for wire in self.wires:
            wire.set(fault)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.signal_all(signal.SIGKILL)
        for wire in self.wires:
            wire.close()


class Crowd:
    """Everybody who bids, each in a process of its own, against each other and without end; and keeps clock heads."""

    def __init__(self, directory: Path, address: HouseAddress) -> None:
        self.home = directory / "crowd"
        self.address = address
        self.dates = KeptDates(self.home / "state/receipts")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._read_bytes = dict.fromkeys(BIDDERS, 0)
        for name in BIDDERS:
            write_key(key_path(self.home / "config/keys", name), key_of(name), created=CREATED)

    def start(self) -> None:
        plan = ("--all", "--strategy", "market-value", "--budget", "900000000credits")
        for name in BIDDERS:
            with self._said(name).open("wb") as out, self._said(name).with_suffix(".err").open("wb") as err:
                self._processes[name] = subprocess.Popen(
                    program(
                        *("bid", *plan, "--param", f"value={VALUE}credits", "--key", name, "--json"),
                        *("--house", self.address.text),
                    ),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=environment(self.home),
                )

    def _said(self, name: str) -> Path:
        return self.home / f"{name}.out"

    def hear(self) -> list[str]:
        """The listings of the bids that were accepted since this was last asked, one a receipt."""
        self.dates.look()
        accepted = []
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise AssertionError(
                    f"{name} has ended: {self._said(name).read_text()[-1500:]}"
                    f"{self._said(name).with_suffix('.err').read_text()[-1500:]}"
                )
            with self._said(name).open("rb") as file:
                file.seek(self._read_bytes[name])
                whole, _, rest = file.read().rpartition(b"\n")
                self._read_bytes[name] = file.tell() - len(rest)
            for line in whole.splitlines():
                if b'"accepted"' in line:
                    accepted.append(str(json.loads(line)["listing"]))
        return accepted

    def receipts(self) -> list[TlogProof]:
        """Every receipt that any of them has on disk, with its entry."""
        found = sorted((self.home / "state/receipts").glob("*/*.tlog-proof"))
        return [decode_receipt(path.read_text()) for path in found]

    def run(self, *arguments: str, at: HouseAddress | None = None) -> str:
        """A command under the first one's key, to its end; what it wrote. Raises AssertionError if it failed."""
        done = subprocess.run(
            program(*arguments, "--key", BIDDERS[0], "--house", (at or self.address).text),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(self.home),
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.returncode}: {done.stderr.decode()}"
        return done.stdout.decode()

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()


class Premises:
    """The whole of it: a cluster, the machines of a house, and the crowd."""

    def __init__(self, directory: Path, names: Sequence[str]) -> None:
        (directory / "cluster").mkdir()
        self.cluster = Cluster(directory / "cluster")
        ports = free_ports(len(names))
        self.machines = []
        for number, (name, port) in enumerate(zip(names, ports, strict=True)):
            # A house that is alone has no instances.
            options = ("--instance", name, "--advertise", f"127.0.0.1:{port}") if len(names) > 1 else ()
            self.machines.append(Machine(directory, name, port, self.cluster, options, behind_s=number * APART_S))
        places = [Place("127.0.0.1", port) for port in ports]
        self.address = HouseAddress(HOUSE_KEY.identity, *places[0], tuple(places[1:]))
        self.crowd = Crowd(directory, self.address)

    def open(self) -> None:
        """Until every lot is bid for."""
        for machine in self.machines:
            machine.start()
        until(lambda: all(machine.has_served() for machine in self.machines), "the house to serve")
        self.crowd.start()
        missing = set(LISTINGS)
        until(lambda: missing.difference_update(self.crowd.hear()) or not missing, f"bids for {missing}")

    def close(self) -> None:
        self.crowd.close()
        for machine in self.machines:
            machine.set_wires(Whole())
            machine.close()
        self.cluster.stop()
