"""The board on a terminal: drawn at most four times a second, and only where something has changed.

Rule: the terminal is as it was when this is left, however it is left; signals arrive as exceptions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final

from rich.console import Console
from rich.live import Live

from auctionctl.views.auction_row import AuctionRow
from auctionctl.views.board import board

FRAME_S: Final = 0.25


class LiveBoard:
    """A context in which :meth:`show` draws on the alternate screen of ``console``."""

    def __init__(self, console: Console, seconds: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._seconds = seconds
        self._live = Live(
            console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._frame: object = None
        self._drawn_s = float("-inf")

    def __enter__(self) -> LiveBoard:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, title: str, rows: Callable[[], Sequence[AuctionRow]]) -> None:
        """Draw what ``rows()`` gives, unless it is too early or nothing has changed since the last frame."""
        now_s = self._seconds()
        if now_s - self._drawn_s < FRAME_S:
            return
        self._drawn_s = now_s
        width, height = self._console.size
        frame = (title, tuple(rows()), width, height)
        if frame == self._frame:
            return
        self._frame = frame
        self._live.update(board(title, frame[1], width, height), refresh=True)
