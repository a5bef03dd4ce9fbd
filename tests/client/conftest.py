"""A house that really runs, and the keys of two bidders: what a program finds when it connects."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from auctionctl.cli.demo import free_port
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey

LOTS = """
[house]
port = {port}
verifiers = 1
[defaults]
min_bidders = 1
increment = "1.00EUR"
start_timeout = "1h"
[[auction]]
starting_price = "10.00EUR"
item = "Vase"
listing = "vase"
duration = "1500ms"
[[auction]]
starting_price = "10.00EUR"
item = "Lamp"
listing = "gpu-lamp"
duration = "1500ms"
min_bidders = 2
estimate = "15.00EUR"
[[auction]]
starting_price = "10.00EUR"
item = "Watch"
listing = "gold-watch"
duration = "1500ms"
[[auction]]
starting_price = "10.00EUR"
item = "Rug"
listing = "rug"
min_bidders = 3
"""


@dataclass(frozen=True)
class RunningHouse:
    """A house and where its files are; alice and bob may bid."""

    home: Path
    address: str


@contextmanager
def served(home: Path, lots: str) -> Iterator[RunningHouse]:
    """A house with ``lots`` under ``home``."""
    listed = []
    for number, name in enumerate(("house", "alice", "bob", "mallory"), 1):
        key = SecretKey(bytes([number + 60]) * 32)
        write_key(key_path(home / "config/keys", name), key, created="2026-01-31T12:00:00Z")
        if name in ("alice", "bob"):
            listed.append(f"{key.identity.text} {name}\n")
    (home / "config/allow").write_text("".join(listed))
    (home / "AUCTIONS.toml").write_text(lots.format(port=free_port()))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    house = subprocess.Popen(
        [sys.executable, "-P", "-m", "auctionctl", "serve", str(home / "AUCTIONS.toml"), "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment | {"AUCTIONCTL_HOME": str(home)},
    )
    try:
        assert house.stdout is not None
        while b'"serving"' not in (line := house.stdout.readline()):
            assert line, house.stderr.read() if house.stderr else ""
        yield RunningHouse(home, (home / "run/house.address").read_text().strip())
    finally:
        house.terminate()
        house.communicate(timeout=60)


@pytest.fixture(scope="session")
def running_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """One whose four lots are sold by the tests."""
    with served(tmp_path_factory.mktemp("client"), LOTS) as house:
        yield house


@pytest.fixture(scope="session")
def example_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """The same lots once more, but the lamp, for which nobody else comes, is called off after a moment."""
    lots = LOTS.replace("min_bidders = 2", 'min_bidders = 2\nstart_timeout = "4s"')
    with served(tmp_path_factory.mktemp("examples"), lots) as house:
        yield house


@pytest.fixture
def serve_lots() -> Callable[[Path], AbstractContextManager[RunningHouse]]:
    """A house of this test alone, which ends when the context is left."""
    return lambda home: served(home, LOTS)
