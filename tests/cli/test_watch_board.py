"""The board with somebody at its keys: the real program on a terminal, and a real house with a lot that was sold."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pexpect
import pyte
import pytest

PATIENCE_S = 30.0
COLUMNS, LINES = 80, 24
WATCH = (sys.executable, "-P", "-m", "auctionctl", "watch", "--key", "alice")
BACK, GONE = "\x1b[?1049l", "\x1b[?1049h"


class Watcher:
    """``auctionctl watch`` on a terminal, and what is to be seen there."""

    def __init__(self, fair: Any, command: tuple[str, ...] = WATCH, **settings: Any) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
            environment.pop(name, None)
        self.child = pexpect.spawn(
            command[0],
            list(command[1:]),
            env=environment | {"AUCTIONCTL_HOME": str(fair.home), "TERM": "xterm-256color"},
            dimensions=(LINES, COLUMNS),
            timeout=PATIENCE_S,
            encoding="utf-8",
            **settings,
        )
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.Stream(self.screen)
        self.written = ""

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def take(self) -> bool:
        try:
            part = self.child.read_nonblocking(65_536, timeout=0.2)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += part
        self._stream.feed(part)
        return True

    def wait_for(self, is_there: Callable[[], bool]) -> str:
        deadline_s = time.monotonic() + PATIENCE_S
        while not is_there():
            goes_on = self.take()
            assert goes_on or is_there(), self.text
            assert time.monotonic() < deadline_s, self.text
        return self.text

    def press(self, keys: str, *, then: str, without: str | None = None) -> str:
        self.child.send(keys)
        return self.wait_for(lambda: then in self.text and (without is None or without not in self.text))

    def end(self) -> int:
        while self.take():
            pass
        self.child.close()
        return int(self.child.exitstatus)

    @property
    def highlighted(self) -> set[str]:
        """The titles of the lines that stand out."""
        lines = [self.screen.buffer[number] for number in range(LINES)]
        return {"".join(line[column].data for column in range(8)) for line in lines if line[0].reverse}


@pytest.fixture
def watcher(fair: Any) -> Iterator[Watcher]:
    made = Watcher(fair)
    made.wait_for(lambda: "Waiting lot" in made.text and "Quick" in made.text)
    yield made
    made.child.close(force=True)


def test_keys_choose_show_the_ladder_filter_sort_help_and_quit(watcher: Watcher) -> None:
    text = watcher.text
    assert text.index("Waiting lot") < text.index("Quick [31mlot"), "what can still be had comes first"
    assert "Enter ladder  / filter  s sort  ? help  q quit" in text
    watcher.child.send("\x1b[B")
    watcher.wait_for(lambda: watcher.highlighted == {"Waiting "})
    watcher.child.send("\x1b[B")
    watcher.wait_for(lambda: watcher.highlighted == {"Quick [3"})
    ladder = watcher.press("\r", then="entry ┃ time")
    bids = re.findall(r"^ *(\d+) │ \S+Z +│ \S+ +│ +([\d.]+)EUR$", ladder, re.MULTILINE)
    assert len(bids) >= 2
    assert [int(entry) for entry, _ in bids] == sorted((int(entry) for entry, _ in bids), reverse=True)
    assert [float(price) for _, price in bids] == sorted((float(price) for _, price in bids), reverse=True)
    assert "bids, 0 in the last minute" in ladder, "it has ended: nobody bids any more"
    watcher.press("?", then="Ctrl-Z leaves it for a while")
    watcher.press("x", then="entry ┃ time")
    watcher.press("\x1b", then="by closing time", without="entry ┃ time")
    watcher.press("?", then="Ctrl-Z leaves it for a while")
    watcher.press("x", then="by closing time")
    watcher.press("/waiting", then="filter: waiting", without="Quick")
    watcher.press("\r", then="1 of 2 with 'waiting'")
    watcher.press("\x1b", then="Quick")
    watcher.press("sss", then="by lot")
    assert watcher.text.index("Quick [31mlot") < watcher.text.index("Waiting lot")
    watcher.child.send("q")
    assert watcher.end() == 0
    after = watcher.written.rpartition(BACK)[2]
    assert "sold to bob" in after, "the results stay"
    assert watcher.written.rfind("\x1b[?25h") > watcher.written.rfind("\x1b[?25l")


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(fair: Any) -> None:
    """Under a shell with jobs: a program that nobody could let go on again is not stopped by the system at all."""
    shell = Watcher(fair, ("bash", "--norc", "--noprofile", "--noediting", "-i"))
    child = shell.child
    try:
        child.sendline(shlex.join(WATCH))
        shell.wait_for(lambda: "Waiting lot" in shell.text and not child.getecho())
        child.send("\x1a")
        shell.wait_for(lambda: "Stopped" in shell.written)
        assert child.getecho(), "whoever is at the shell sees what is typed"
        assert shell.written.rfind(BACK) > shell.written.rfind(GONE)
        assert shell.written.rfind("\x1b[?25h") > shell.written.rfind("\x1b[?25l")
        shell.written = ""
        child.sendline("fg")
        shell.wait_for(lambda: GONE in shell.written and "Waiting lot" in shell.text and not child.getecho())
        shell.press("?", then="Ctrl-Z leaves it for a while")
        child.sendintr()
        shell.wait_for(child.getecho)
        child.sendline("echo status=$?")
        shell.wait_for(lambda: "status=130" in shell.written)
        assert shell.written.rfind(BACK) > shell.written.rfind(GONE)
        assert child.getecho()
    finally:
        child.close(force=True)


def test_after_a_signal_the_terminal_echoes_again(watcher: Watcher) -> None:
    assert not watcher.child.getecho()
    watcher.child.kill(signal.SIGTERM)
    watcher.wait_for(watcher.child.getecho)
    assert watcher.end() == 143


def test_without_a_terminal_on_stdin_it_draws_and_heeds_no_keys(fair: Any) -> None:
    def nothing_to_read() -> None:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)

    watcher = Watcher(fair, preexec_fn=nothing_to_read)
    text = watcher.wait_for(lambda: "Waiting lot" in watcher.text)
    assert "quit" not in text
    watcher.child.kill(signal.SIGTERM)
    assert watcher.end() == 143
    assert watcher.written.rfind(BACK) > watcher.written.rfind(GONE)
