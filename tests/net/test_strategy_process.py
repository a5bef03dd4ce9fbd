"""A strategy in another process: it is asked and answers, and whatever it does to itself or to us, nobody waits."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from auctionctl.bidding.dialogue import Dialogue
from auctionctl.bidding.strategy import AuctionView, Failed, Offer, Purse, Wait
from auctionctl.errors import ConfigurationError
from auctionctl.net.remarks import MAX_LINES
from auctionctl.net.strategy_process import StrategyProcess

PATIENCE_S = 20.0
LIMIT_NS = 10**9
ECHO = """
import json, sys
for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps({"id": question["id"], "bid": question["minimum"] + 5}), flush=True)
"""


class Desk:
    """A process, its dialogue, and what was complained of. Its clock is ours, unless it is moved on."""

    def __init__(self, source: str) -> None:
        self.complaints: list[str] = []
        self.remarks: list[str] = []
        self.ahead_s = 0.0
        self.ready: list[bytes] = []
        self.dialogue = Dialogue({}, LIMIT_NS, self.complaints.append)
        command = [sys.executable, "-c", source]
        self.process = StrategyProcess(
            command,
            self.dialogue,
            self.complaints.append,
            self.remarks.append,
            lambda: time.monotonic() + self.ahead_s,
        )
        self.process.look_again = self.ready.append

    def look(self, minimum_minor: int = 100, now_ns: int = 0, auction: bytes = bytes(32)) -> Offer | Wait:
        view = AuctionView(auction, "A", "EUR", 100, None, minimum_minor, 10, False, 0, 10**12, 10**12, 0, 0, None)
        return self.dialogue.decide(view, Purse(10_000, 10_000), now_ns)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Turns, as a dealer gives them, until it is so; each is over at once."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline_s, self.complaints
            self.process.turn()
            select.select(self.process.descriptors(), [], [], 0.02)


@pytest.fixture
def desk() -> Iterator[Callable[[str], Desk]]:
    made: list[Desk] = []

    def build(source: str) -> Desk:
        made.append(Desk(source))
        return made[-1]

    yield build
    for each in made:
        each.process.close()
        each.process.close()


def test_what_is_asked_is_answered_and_looked_at_again(desk: Callable[[str], Desk]) -> None:
    echo = desk(ECHO)
    assert echo.look() == Wait(LIMIT_NS)
    echo.until(lambda: bool(echo.ready))
    assert echo.ready == [bytes(32)]
    assert echo.look() == Offer(105)
    assert not echo.complaints


def test_one_that_ends_is_begun_anew_with_pauses_and_asked_what_was_missed(desk: Callable[[str], Desk]) -> None:
    frail = desk("import sys; sys.stdin.readline(); sys.exit(3)")
    for deaths in (1, 2):
        frail.until(lambda deaths=deaths: bool(frail.look()) and len(frail.complaints) == deaths)
        assert frail.look() == Failed()
    assert frail.complaints[0].startswith("it has ended")
    assert frail.complaints[0].endswith("is started again at once")
    assert frail.complaints[1].endswith("is started again in 0.4 s")
    frail.process.turn()
    assert not frail.process.descriptors()
    frail.ahead_s += 1
    frail.ready.clear()
    frail.process.turn()
    assert frail.process.descriptors()
    assert frail.ready == [bytes(32)]


def test_what_it_writes_to_stderr_is_told_line_by_line_and_its_last_words_before_its_end(
    desk: Callable[[str], Desk],
) -> None:
    talker = desk(
        "import os, sys\n"
        "os.write(2, b'one\\x1b[31m\\nt')\n"
        "os.write(2, b'wo\\n')\n"
        "sys.stdin.readline()\n"
        "raise SystemExit('last words')"
    )
    talker.until(lambda: len(talker.remarks) == 2)
    assert talker.remarks == ["one\x1b[31m", "two"]
    talker.look()
    talker.until(lambda: bool(talker.complaints))
    assert talker.remarks[2:] == ["last words"]


def test_one_that_closes_or_floods_its_stderr_is_asked_all_the_same(desk: Callable[[str], Desk]) -> None:
    for begin in ("import os; os.close(2)\n", "import os; os.write(2, b'x\\n' * 30_000)\n"):
        echo = desk(begin + ECHO)
        echo.look()
        echo.until(lambda echo=echo: bool(echo.ready))
        assert echo.look() == Offer(105)
        assert len(echo.remarks) <= 2 * MAX_LINES + 1


def test_one_that_reads_nothing_does_not_block_us(desk: Callable[[str], Desk]) -> None:
    deaf = desk("import time; time.sleep(60)")
    began_s = time.process_time()
    for number in range(400):
        deaf.look(100 + number, auction=bytes([number % 200]) * 32)
        deaf.process.turn()
    assert time.process_time() - began_s < 5
    assert not deaf.complaints


def test_one_that_floods_us_is_ended_and_so_is_one_that_hangs(desk: Callable[[str], Desk]) -> None:
    flood = desk("import sys\nwhile True: sys.stdout.write('spam\\n' * 10_000)")
    flood.until(lambda: any("it answers nothing that was asked" in words for words in flood.complaints))
    hanging = desk("import time; time.sleep(60)")
    hanging.look()
    hanging.look(101, 4 * LIMIT_NS)
    hanging.until(lambda: bool(hanging.complaints))
    assert "or nothing at all" in hanging.complaints[0]


def test_it_is_ended_with_all_that_it_started_even_if_that_will_not(desk: Callable[[str], Desk]) -> None:
    stubborn = desk(
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal, time;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)'],"
        " stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    heard: list[bytes] = []
    stubborn.dialogue.receive = heard.append  # type: ignore[method-assign]
    stubborn.until(lambda: any(b"\n" in data for data in heard))
    grandchild = int(b"".join(heard))
    assert is_alive(grandchild)
    stubborn.process.close()
    deadline_s = time.monotonic() + PATIENCE_S
    while is_alive(grandchild):
        assert time.monotonic() < deadline_s
        os.sched_yield()


def is_alive(pid: int) -> bool:
    """Whether it runs; whoever is dead, and has not been reaped by init yet, does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def default_sigpipe() -> Iterator[None]:
    """As client commands have it: to write to whoever is gone is to die."""
    before: Any = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGPIPE, before)


@pytest.mark.usefixtures("default_sigpipe")
def test_one_that_closes_its_input_does_not_take_us_with_it(desk: Callable[[str], Desk]) -> None:
    closed = desk("import os, time; os.close(0); print('{\"id\":0}', flush=True); time.sleep(60)")
    assert select.select(closed.process.descriptors(), [], [], PATIENCE_S)[0]
    closed.look()
    closed.process.turn()
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_DFL
    assert closed.look() == Wait(LIMIT_NS)


def test_a_program_that_there_is_not_is_said_at_once() -> None:
    dialogue = Dialogue({}, LIMIT_NS, lambda words: None)
    with pytest.raises(ConfigurationError, match="cannot run '/nonexistent/program': no such file or directory"):
        StrategyProcess(["/nonexistent/program"], dialogue, lambda words: None, lambda line: None)


def test_a_program_that_is_gone_later_is_tried_again(desk: Callable[[str], Desk], tmp_path: Any) -> None:
    gone = desk("import sys; sys.stdin.readline()")
    gone.process._command = [str(tmp_path / "gone")]
    gone.look()
    gone.until(lambda: len(gone.complaints) == 2)
    assert gone.complaints[1].startswith("it cannot be started: no such file or directory")
