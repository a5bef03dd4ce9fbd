"""A terminal emulator around the real program, and a real house of hostile sellers to look at.

Rule: every wait is for something on the screen or for the end of the program, and fails when it does not come.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest

PATIENCE_S = 30.0


def _load_cli_fixtures() -> Any:
    path = Path(__file__).parent.parent / "cli/conftest.py"
    spec = importlib.util.spec_from_file_location("terminal_cli_fixtures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


cli_fixtures = _load_cli_fixtures()

LOTS_TOML = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "Gold watch, 1962"
starting_price = "1200.00EUR"
min_bidders = 3
start_timeout = "1h"
[[auction]]
item = "[/red][bold]markup[/bold] [link=http://x]y[/link]"
listing = "markup"
description = "[/nothing]"
starting_price = "1credits"
min_bidders = 3
start_timeout = "1h"
[[auction]]
item = "\\u001b[2J\\u001b]0;owned\\u0007\\u009b31mescapes\\u007f\\r\\b"
listing = "escapes"
description = "\\u001b[31m"
starting_price = "1EUR"
min_bidders = 3
start_timeout = "1h"
[[auction]]
item = "\\u202egnp.exe\\u2066 b\\u200bi\\u200ddi\\ufeff\\U000e0041"
listing = "bidi"
description = "\\u202e"
starting_price = "1EUR"
min_bidders = 3
start_timeout = "1h"
[[auction]]
item = "{long}"
listing = "{listing}"
description = "{description}"
starting_price = "10000000000000.00EUR"
min_bidders = 3
start_timeout = "1h"
"""
LONG_TITLE = "W" * 200


class House:
    """A house that serves, and whose auctions wait for bidders."""

    def __init__(self, home: Path) -> None:
        toml = (
            LOTS_TOML.replace("{long}", LONG_TITLE).replace("{listing}", "w" * 64).replace("{description}", "d" * 4_000)
        )
        self.home = home
        self.process = cli_fixtures.start_program(home, "serve", cli_fixtures.write_fair(home, toml))
        self.lines: list[str] = []
        while not self.lines or not self.lines[-1].startswith("serving at "):
            line = self.process.stdout.readline().decode()
            assert line, self.process.stderr.read()
            self.lines.append(line)

    def run(self, *arguments: object) -> Any:
        """Run a command under the same home, in pipes."""
        return cli_fixtures.finish(self.start(*arguments))

    def start(self, *arguments: object) -> Any:
        """Start a command under the same home, in pipes."""
        return cli_fixtures.start_program(self.home, *arguments)

    def close(self) -> None:
        """Stop it."""
        self.process.terminate()
        cli_fixtures.finish(self.process)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("terminal"))
    yield made
    made.close()


@pytest.fixture
def start_house(tmp_path: Path) -> Iterator[Any]:
    """Starts houses of other lots, as those of the command line's tests."""
    starter = cli_fixtures.HouseStarter(tmp_path)
    yield starter
    starter.end()


class Terminal:
    """A program on a terminal of ``columns`` × ``lines``; ``written`` is everything that it wrote."""

    def __init__(
        self, home: Path, columns: int, lines: int, command: tuple[str, ...], settings: dict[str, str]
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
            kept.pop(name, None)
        self.child = pexpect.spawn(
            command[0],
            list(command[1:]),
            env=kept | {"AUCTIONCTL_HOME": str(home), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | settings,
            dimensions=(lines, columns),
            timeout=PATIENCE_S,
            encoding="utf-8",
        )
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self.screen)
        self.written = ""

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def _take(self) -> bool:
        try:
            part = self.child.read_nonblocking(65_536, timeout=1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += part
        self._stream.feed(part)
        return True

    def wait_for(self, is_there: Callable[[str], bool]) -> str:
        """Read until the screen is as wanted."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not is_there(self.text):
            assert self._take(), f"it ended before: {self.text}"
            assert time.monotonic() < deadline_s, self.text
        return self.text

    def resize(self, columns: int, lines: int) -> None:
        """As when somebody drags the corner of the window."""
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self.screen)
        self.child.setwinsize(lines, columns)

    def end(self) -> int:
        """Read to the end; the exit status."""
        while self._take():
            pass
        self.child.close()
        assert self.child.signalstatus is None
        return int(self.child.exitstatus)

    def is_restored(self) -> bool:
        """No alternate screen is left, and the cursor can be seen."""
        return all(
            self.written.rfind(back) > self.written.rfind(there)
            for there, back in (("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?25l", "\x1b[?25h"))
        )


PROGRAM = (sys.executable, "-P", "-m", "auctionctl")


@pytest.fixture
def terminal(house: House) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str, columns: int = 100, lines: int = 24, **settings: str) -> Terminal:
        started.append(Terminal(house.home, columns, lines, (*PROGRAM, *arguments), settings))
        return started[-1]

    yield start
    for each in started:
        each.child.close(force=True)


@pytest.fixture
def shell(house: House) -> Iterator[Terminal]:
    """A shell with jobs; ``$auctionctl`` is the program."""
    settings = {"auctionctl": " ".join(PROGRAM)}
    started = Terminal(house.home, 80, 24, ("bash", "--norc", "--noprofile", "--noediting", "-i"), settings)
    yield started
    started.child.close(force=True)
