from __future__ import annotations

import io

import pyte
import pytest
from rich.console import Console

from auctionctl.auction.phase import Phase
from auctionctl.cli.live_board import FRAME_S, LiveBoard
from auctionctl.views.auction_row import AuctionRow


def row(left_s: int, title: str = "Gold watch") -> AuctionRow:
    return AuctionRow(bytes(32), title, Phase.OPEN, "1.00EUR", "alice", 1, 2, 2, left_s, 0, None, True)


class Terminal:
    """A terminal emulator, and a clock that only the test moves."""

    def __init__(self, width: int, height: int) -> None:
        self.now_s = 0.0
        self.file = io.StringIO()
        self.console = Console(file=self.file, force_terminal=True, width=width, height=height, color_system="standard")
        self.screen = pyte.Screen(width, height)

    def live(self) -> LiveBoard:
        return LiveBoard(self.console, lambda: self.now_s)

    def take(self) -> str:
        written = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        pyte.Stream(self.screen).feed(written.replace("\n", "\r\n"))
        return written

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)


def test_only_what_has_changed_is_drawn_and_at_most_four_times_a_second() -> None:
    terminal = Terminal(80, 10)
    with terminal.live() as live:
        live.show("house", lambda: [row(59)])
        assert "0:59" in terminal.take()
        assert "Gold watch" in terminal.text
        terminal.now_s += FRAME_S / 2
        live.show("house", lambda: [row(58)])
        assert terminal.take() == ""
        terminal.now_s += FRAME_S
        live.show("house", lambda: [row(59)])
        assert terminal.take() == ""
        terminal.now_s += FRAME_S
        live.show("house", lambda: [row(58)])
        assert "0:58" in terminal.take()
        assert "0:58" in terminal.text


def test_a_terminal_that_changes_its_size_gets_a_new_frame() -> None:
    terminal = Terminal(80, 10)
    with terminal.live() as live:
        live.show("house", lambda: [row(59)])
        terminal.take()
        terminal.console.size = terminal.console.size._replace(height=7)  # type: ignore[misc]
        terminal.now_s += FRAME_S
        live.show("house", lambda: [row(59)])
        assert "0:59" in terminal.take()


def test_more_rows_than_lines_are_cut_and_counted() -> None:
    terminal = Terminal(80, 8)
    with terminal.live() as live:
        live.show("house", lambda: [row(59 - number, f"lot {number}") for number in range(20)])
        terminal.take()
    assert "lot 19" in terminal.text
    assert "and 17 more" in terminal.text


def test_the_terminal_is_given_back_whatever_happens() -> None:
    terminal = Terminal(80, 10)

    def fail() -> None:
        with terminal.live() as live:
            live.show("house", lambda: [row(59)])
            raise SystemExit(143)

    with pytest.raises(SystemExit):
        fail()
    written = terminal.take()
    assert written.index("\x1b[?1049h") < written.index("\x1b[?1049l")
    assert written.index("\x1b[?25l") < written.rindex("\x1b[?25h")
