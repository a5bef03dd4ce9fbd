"""Real houses for the tests of ``net`` and for the faults.

:class:`HouseInProcesses` is ``serve`` in a process of its own, with its children's pids, and can be killed and started
again on the same state and port. Every wait here is for a condition, with a generous deadline.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from auctionctl.auction.terms import SECOND_NS
from auctionctl.keys.allowlist import Entry as Allowed
from auctionctl.keys.allowlist import render
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.address import HouseAddress, parse_address

PATIENCE_S = 30.0
"""Far more than anything here takes: reached only when something is broken."""
RETRY_NS = SECOND_NS // 2
HOUSE_KEY = SecretKey(b"h" * 32)
HOUR_NS = 3_600 * SECOND_NS


def key_of(name: str) -> SecretKey:
    """The key of ``name``, always the same."""
    return SecretKey(name.encode().ljust(32, b"."))


def until(condition: Callable[[], Any], what: str, step: Callable[[], Any] | None = None) -> Any:
    """Wait until ``condition()`` is true and return what it said; ``step`` is called in between."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"waited {PATIENCE_S:g} s for {what}")
        if step is None:
            time.sleep(0.02)
        else:
            step()
    return found


def is_running(pid: int) -> bool:
    """Whether ``pid`` is there and no zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


class HouseInProcesses:
    """One house on ``directory``; several in turn there are the same house, started again."""

    def __init__(
        self,
        directory: Path,
        bidders: Iterable[str] = (),
        lots: Iterable[dict[str, Any]] = (),
        *,
        port: int = 0,
        verifiers: int = 2,
        max_concurrent_auctions: int = 10,
        queue: int = 1_000,
        finish: str = "never",
        revealing: Path | None = None,
        disk: str = "",
        seed: str = "68" * 32,
        limits: dict[str, int] | None = None,
        strangers: dict[str, int] | None = None,
        store: str | None = None,
        instance: str | None = None,
        gateways: int = 1,
    ) -> None:
        self.directory = directory
        self.reports: list[dict[str, Any]] = []
        self.pids: dict[str, int] = {}
        self.all_pids: set[int] = set()
        self.expects_trace = False
        self.allow_list = directory / "allow"
        if bidders:
            self.allow(*bidders)
        self._settings = {
            "seed": seed,
            "limits": limits or {},
            "strangers": strangers,
            "host": "127.0.0.1",
            "port": port,
            "verifiers": verifiers,
            "max_concurrent_auctions": max_concurrent_auctions,
            "queue": queue,
            "state": str(directory / "state"),
            "allow_list": str(self.allow_list),
            "lots": list(lots),
            "finish": finish,
            "revealing": str(revealing) if revealing else "",
            "disk": disk,
            "store": store,
            "instance": instance,
            "gateways": gateways,
            "changed": str(directory / "changed.json"),
        }
        self._lines = b""
        self.errors_path = directory / f"stderr-{len(list(directory.glob('stderr-*')))}"
        with self.errors_path.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("serve_house.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self.process.stdin is not None
        with self.process.stdin as settings:
            settings.write(json.dumps(self._settings).encode() + b"\n")

    def allow(self, *names: str) -> None:
        """The allow list is these from now on, replaced at once; a name may end in ``=role``."""
        entries = [name.partition("=") for name in names]
        text = "".join(render(Allowed(key_of(n).identity, n, role or "bidder")) + "\n" for n, _, role in entries)
        self.write_allow_list(text)

    def write_allow_list(self, text: str) -> None:
        fresh = self.allow_list.with_name("allow-new")
        fresh.write_text(text)
        fresh.replace(self.allow_list)

    def change_limits(self, **limits: int) -> None:
        """Have its settings say these limits, and be read again."""
        (self.directory / "changed.json").write_text(json.dumps(limits))
        self.process.send_signal(signal.SIGHUP)

    # Reports

    def hear(self, patience_s: float = 0.0) -> None:
        """Take what it has reported, waiting at most so long for it to say anything."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while selector.select(patience_s):
                data = os.read(descriptor, 65_536)
                self._lines += data
                patience_s = 0.0
                if not data:
                    break
        *lines, self._lines = self._lines.split(b"\n")
        for line in lines:
            report = json.loads(line)
            self.reports.append(report)
            if report["report"] == "Processes":
                self.pids |= {"house": report["house"]}
                several = {f"gateway {number}": pid for number, pid in enumerate(report["gateways"])}
                self.pids |= several or {"gateway": report["gateway"]}
                self.pids |= {f"verifier {slot}": pid for slot, pid in enumerate(report["verifiers"])}
            elif report["report"] == "Restarted":
                self.pids[report["process"]] = report["pid"]
        self.all_pids |= set(self.pids.values())

    def await_report(self, kind: str, *, number: int = 1) -> dict[str, Any]:
        """The ``number``-th report of this kind, counted from 1."""

        def found() -> dict[str, Any] | None:
            of_kind = [report for report in self.reports if report["report"] == kind]
            return of_kind[number - 1] if len(of_kind) >= number else None

        step = lambda: self.hear(0.1)  # noqa: E731
        try:
            return until(found, f"report {number} of {kind}", step)
        except TimeoutError as error:
            error.add_note(f"reports: {self.reports}\nstderr: {self.errors_path.read_text()}")
            raise

    @property
    def address(self) -> HouseAddress:
        """Where it serves; waits until it does."""
        return parse_address(self.await_report("Serving")["address"])

    @property
    def auctions(self) -> dict[str, bytes]:
        """Listing → id of each auction announced at the start."""
        return {item["listing"]: bytes.fromhex(item["auction"]) for item in self.await_report("Serving")["auctions"]}

    # Faults

    def kill(self, name: str) -> None:
        """kill -9 a child and wait until another is in its place; for a house, until that one serves."""
        self.hear()
        dead, served = self.pids[name], self.count("Serving")
        os.kill(dead, signal.SIGKILL)
        until(lambda: self.pids[name] != dead, f"another {name}", lambda: self.hear(0.1))
        if name == "house":
            self.await_report("Serving", number=served + 1)

    def count(self, kind: str) -> int:
        """How many reports of this kind have been heard."""
        return sum(report["report"] == kind for report in self.reports)

    def signal(self, number: int) -> int:
        """Signal the supervisor, wait for its end and return its status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(PATIENCE_S)
        self.hear()
        return status

    def await_all_gone(self) -> None:
        """Until no process of this house is left."""
        until(lambda: not any(is_running(pid) for pid in self.all_pids), f"the end of all of {self.all_pids}")

    @property
    def stderr(self) -> str:
        return self.errors_path.read_text()

    def close(self) -> None:
        """End everything, whatever has happened; complain of what a process should not have said."""
        try:
            if self.process.poll() is None:
                self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.hear()
            self.await_all_gone()
        finally:
            for pid in filter(is_running, self.all_pids):
                os.kill(pid, signal.SIGKILL)
            assert self.process.stdout is not None
            self.process.stdout.close()
        if not self.expects_trace and self.stderr:
            raise RuntimeError(f"a process of the house said: {self.stderr}")


LOT = {
    "title": "A vase",
    "currency": "credits",
    "starting_price_minor": 1,
    "min_bidders": 2,
    "duration_ns": HOUR_NS,
    "start_timeout_ns": HOUR_NS,
    "increment": None,
}


def lot(listing: str, **changes: Any) -> dict[str, Any]:
    """A lot in ``credits`` from 1 upwards; open for an hour once two have joined, unless said otherwise."""
    return {**{name: value for name, value in LOT.items() if value is not None}, "listing": listing, **changes}
