"""Real commands of ``auctionctl`` against a real house: bidder daemons to be killed, and exports to be verified.

:class:`Desk` is one home with the keys of some names; :class:`BidderDaemon` is ``auctionctl bid`` under one of them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from house_process import PATIENCE_S, HouseInProcesses, key_of, until

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.tlog.proof import TlogProof, decode_receipt
from auctionctl.wire.address import HouseAddress

RECEIPT_SUFFIX = ".tlog-proof"


class Desk:
    """A home for commands at one house, which they reach at ``address``, if that is another than its own."""

    def __init__(
        self, directory: Path, house: HouseInProcesses, names: tuple[str, ...], address: HouseAddress | None = None
    ) -> None:
        self.directory = directory
        self.house = house
        self.address = address or house.address
        for name in names:
            write_key(key_path(directory / "config/keys", name), key_of(name), created="2026-01-31T12:00:00Z")

    def start(self, *arguments: str, output: int | None = None) -> subprocess.Popen[bytes]:
        """``auctionctl ARGUMENTS`` at the house, as it is."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "auctionctl", *arguments, "--house", self.address.text],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output is None else output,
            stderr=subprocess.STDOUT,
            env=kept | {"AUCTIONCTL_HOME": str(self.directory)},
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """A command to its end: exit status and all that it wrote."""
        process = self.start(*arguments)
        try:
            out, _ = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
        return process.returncode, out.decode()


class BidderDaemon:
    """``auctionctl bid --all`` under the key of ``name``, which outbids whoever leads; started again as often as asked.

    What it says goes to a file, for whoever looks into a failure.
    """

    def __init__(self, desk: Desk, name: str) -> None:
        self.name = name
        self.said = desk.directory / f"{name}.out"
        self._desk = desk
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        plan = ("--all", "--strategy", "market-value", "--budget", "900000000credits")
        with self.said.open("ab") as output:
            return self._desk.start(
                *("bid", *plan, "--param", "value=300000000credits", "--key", self.name, "--json"),
                output=output.fileno(),
            )

    def keep_running(self) -> None:
        """Start it again if it has ended because no house was there to begin with; any other end is a fault."""
        status = self.process.poll()
        if status is None:
            return
        if status not in (ExitStatus.UNREACHABLE, -signal.SIGKILL):
            raise AssertionError(f"{self.name} ended with {status}: {self.said.read_text()[-2000:]}")
        self.process = self._start()

    def kill(self) -> None:
        """kill -9, and start another."""
        self.process.kill()
        self.process.wait()
        self.keep_running()

    def receipts(self) -> list[TlogProof]:
        """Every receipt that it has on disk, with its entry in it."""
        found = sorted((self._desk.directory / "state/receipts").glob(f"*/*{RECEIPT_SUFFIX}"))
        return [decode_receipt(path.read_text()) for path in found]

    def await_receipts(self, count: int) -> None:
        """Until it has so many."""
        until(lambda: self.keep_running() or len(self.receipts()) >= count, f"{count} receipts of {self.name}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
