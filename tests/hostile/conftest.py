"""What the hostile command lines run against: a server of forks, and a house's true files to damage."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))

from hostile_case import Ending, Materials

HERE = Path(__file__).parent


def _load_cli_fixtures() -> Any:
    path = HERE.parent / "cli/conftest.py"
    spec = importlib.util.spec_from_file_location("hostile_cli_fixtures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def cli_fixtures() -> Any:
    """The houses of the tests of the command line."""
    return _load_cli_fixtures()


class Commands:
    """The server of forks, started once."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(HERE / "command_server.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, work: Path, arguments: tuple[str, ...], environment: dict[str, str], stdin: str) -> Ending:
        """Run one command line in ``work``; its output goes beside that directory."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        out, err = work.with_name("out"), work.with_name("err")
        order = {
            "arguments": arguments,
            "environment": environment,
            "cwd": str(work),
            "stdin": stdin,
            "stdout": str(out),
            "stderr": str(err),
        }
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        return Ending(status, out.read_text(), err.read_text())

    def close(self) -> None:
        """End the server."""
        self._process.communicate()


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    server = Commands()
    yield server
    server.close()


@pytest.fixture(scope="session")
def materials(cli_fixtures: Any) -> Materials:
    """A log and a receipt of a house in memory, and the text of keys."""
    house = cli_fixtures.MemoryHouse()
    auction = house.announce(cli_fixtures.LOT)
    for bidder in (0, 1):
        house.join(bidder, auction)
    house.wait(1)
    house.bid(0, auction, 10_000)
    house.bid(1, auction, 12_000)
    house.wait(6)
    return Materials(house.export(auction), next(iter(house.receipts.values())).encode())


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty directory to run in."""
    path = tmp_path / "work"
    path.mkdir()
    return path
