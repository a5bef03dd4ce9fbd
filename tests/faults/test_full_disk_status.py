"""A house whose disk is full says so to whoever asks how it is, and says that all is well once there is room."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_disk import SmallDisk, mounted

from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey

PATIENCE_S = 60.0
LOTS = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "Vase"
starting_price = "10EUR"
duration = "1h"
min_bidders = 1
"""


def started(home: Path, *words: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "auctionctl", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment | {"AUCTIONCTL_HOME": str(home)},
    )


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return process.returncode, out.decode(), err.decode()


class Sale:
    """``auctionctl serve`` on a small disk, and ann, who has another one."""

    def __init__(self, directory: Path, disk: SmallDisk) -> None:
        self.disk = disk
        self.house_home, self.home = directory / "house", directory / "ann"
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        house, ann = SecretKey(b"h" * 32), SecretKey(b"a" * 32)
        write_key(key_path(self.house_home / "config/keys", "house"), house, created="2026-01-31T12:00:00Z")
        write_key(key_path(self.home / "config/keys", "ann"), ann, created="2026-01-31T12:00:00Z")
        (self.house_home / "config/allow").write_text(f"{ann.identity.text} ann\n")
        lots = self.house_home / "lots.toml"
        lots.write_text(LOTS.format(port=port))
        self.address = f"auction://{house.identity.text}@127.0.0.1:{port}"
        self.house = started(self.house_home, "serve", str(lots), "--json")
        assert self.house.stdout is not None
        while b'"serving"' not in (line := self.house.stdout.readline()):
            assert line, self.house.stderr.read() if self.house.stderr else ""

    def ann(self, *words: str) -> subprocess.Popen[bytes]:
        return started(self.home, *words, "--house", self.address)

    def warnings(self) -> list[dict[str, Any]]:
        status, out, err = ended(self.ann("status", "--json"))
        assert status == 0, err
        found: list[dict[str, Any]] = json.loads(out)["warnings"]
        return found

    def close(self) -> None:
        self.house.send_signal(signal.SIGTERM)
        ended(self.house)


@pytest.fixture
def sale(stack, tmp_path) -> Sale:
    (tmp_path / "house").mkdir()
    made = Sale(tmp_path, mounted(tmp_path / "house/state", stack))
    stack.callback(made.close)
    return made


def test_status_says_that_the_disk_is_full_and_that_all_is_well_when_there_is_room(sale):
    assert sale.warnings() == []
    sale.disk.fill()
    # The house gives its ballast back before it says so: that is filled as well.
    while not (warnings := sale.warnings()):
        sale.disk.fill()
    sale.disk.fill()
    (warning,) = warnings
    assert warning["code"] == "store_full"
    assert warning["words"].startswith("nothing is accepted until there is room: ")
    bid = sale.ann("bid", "vase", "--amount", "10EUR")
    assert bid.stderr is not None
    assert b"no room to write this" in bid.stderr.readline()
    status, out, err = ended(sale.ann("status"))
    assert (status, err) == (0, "")
    assert out.startswith("warning        store_full: nothing is accepted until there is room: ")

    sale.disk.make_room()
    status, out, err = ended(bid)
    assert status == 0, err
    assert out.startswith("bid      accepted")
    assert sale.warnings() == []
    assert ended(sale.ann("status"))[1].startswith("condition      all is well")
