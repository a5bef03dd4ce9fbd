from __future__ import annotations

import re
import signal
from typing import Any

import pytest

WATCH = ("watch", "--key", "alice")
DEMO = ("demo", "--duration", "1m")
COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7])[0-9;]*m")


def waits(text: str) -> bool:
    return text.count("waits ") == 5


@pytest.mark.parametrize(
    ("columns", "lines", "shown", "missing"),
    [
        (80, 24, ("lot", "price", "left"), ("bidders",)),
        (100, 30, ("lot", "phase", "price", "leader", "bids", "left"), ()),
        (160, 40, ("lot", "auction", "phase", "price", "leader", "bids", "bidders", "left"), ()),
    ],
)
def test_the_board_of_watch_fits_its_terminal(
    terminal: Any, columns: int, lines: int, shown: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    board = terminal(*WATCH, columns=columns, lines=lines)
    rows = board.wait_for(waits).splitlines()
    header = rows[1].split()
    assert set(shown) <= set(header)
    assert not set(missing) & set(header)
    (gold,) = [row for row in rows if "Gold watch, 1962" in row]
    assert re.search(r"waits (?:1:00:00|59:\d\d)$", gold)
    edges = {tuple(match.start() for match in re.finditer("[┃│]", row)) for row in rows[1:] if "│" in row}
    assert len(edges) == 1, "the columns of all rows stand under one another"
    # Nothing but titles is cut.
    assert all("…" not in cell for row in rows[3:] for cell in re.split("[┃│]", row)[1:])
    board.child.sendintr()
    assert board.end() == 130
    assert board.is_restored()


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (100, 24), (160, 24)])
def test_the_board_of_the_demo_fits_its_terminal(terminal: Any, columns: int, lines: int) -> None:
    board = terminal(*DEMO, columns=columns, lines=lines)
    text = board.wait_for(lambda text: text.count("0:5") >= 3 and "EUR" in text)
    for words in ("Gold watch, 1962", "Sketch, unsigned", "Enamel plate, blue", "price", "leader"):
        assert words in text
    assert "…" not in text
    board.child.kill(signal.SIGTERM)
    assert board.end() == 143
    assert board.is_restored()


def test_a_terminal_that_is_resized_gets_a_board_that_fits(terminal: Any) -> None:
    board = terminal(*WATCH, columns=160)
    board.wait_for(lambda text: waits(text) and "bidders" in text)
    board.resize(60, 24)
    text = board.wait_for(lambda text: waits(text) and "bidders" not in text)
    assert "Gold watch, 1962" in text
    board.resize(160, 7)
    board.wait_for(lambda text: "and 3 more" in text and "bidders" in text)
    board.child.sendintr()
    assert board.end() == 130


@pytest.mark.parametrize("arguments", [WATCH, DEMO], ids=lambda arguments: arguments[0])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_whatever_ends_it_the_terminal_is_given_back(
    terminal: Any, arguments: tuple[str, ...], number: int, status: int
) -> None:
    board = terminal(*arguments)
    board.wait_for(lambda text: "Gold watch" in text)
    assert "\x1b[?1049h" in board.written
    assert not board.is_restored()
    board.child.kill(number)
    assert board.end() == status
    assert board.is_restored()
    assert "Traceback" not in board.written


def test_no_color_means_none(terminal: Any) -> None:
    board = terminal(*WATCH)
    board.wait_for(waits)
    assert COLOUR.search(board.written)
    plain = terminal(*WATCH, NO_COLOR="1")
    plain.wait_for(waits)
    assert not COLOUR.search(plain.written)


def test_a_dumb_terminal_gets_lines_without_escapes(terminal: Any) -> None:
    lines = terminal(*WATCH, TERM="dumb", columns=200)
    lines.wait_for(lambda text: text.count("terms") == 5)
    lines.child.sendintr()
    assert lines.end() == 130
    assert "\x1b" not in lines.written


def test_a_table_on_a_terminal_is_not_wider_than_it(terminal: Any) -> None:
    table = terminal("ls", "--key", "alice", columns=80, lines=60)
    assert table.end() == 0
    assert "Gold" in table.written
    assert all(len(line) <= 80 for line in re.sub(r"\x1b\[[0-9;]*m", "", table.written).splitlines())


def test_interrupted_before_the_house_answers_it_ends_at_once(terminal: Any, house: Any) -> None:
    address = house.lines[-1].split()[-1].rpartition(":")[0] + ":9"
    waiting = terminal(*WATCH, "--house", address)
    waiting.wait_for(lambda text: "not connected" in text)
    waiting.child.sendintr()
    assert waiting.end() == 130
    assert waiting.is_restored()
