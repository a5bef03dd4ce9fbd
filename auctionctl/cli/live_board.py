"""The board on a terminal: drawn at most four times a second, and only where something has changed.

Rule: the terminal is as it was when this is left, however it is left, and while the program is stopped by Ctrl-Z;
signals that end it arrive as exceptions. Those that stop it and let it go on are noted, and heeded between two frames,
so that no frame is left half drawn.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Final, Protocol

from rich.console import Console, RenderableType
from rich.live import Live

from auctionctl.cli.keyboard import Keyboard, is_in_foreground
from auctionctl.views.auction_row import AuctionRow
from auctionctl.views.board import board

FRAME_S: Final = 0.25


class Picture(Protocol):
    """What may be drawn: equal ones look the same."""

    def draw(self) -> RenderableType:
        """What Rich shows of it."""
        ...


@dataclass(frozen=True, slots=True)
class PlainPicture:
    """A board without keys."""

    title: str
    rows: tuple[AuctionRow, ...]
    width: int
    height: int

    def draw(self) -> RenderableType:
        """The board."""
        return board(self.title, self.rows, self.width, self.height)


class LiveBoard:
    """A context in which :meth:`show` draws on the alternate screen of ``console``; ``keyboard`` is taken meanwhile."""

    def __init__(
        self, console: Console, seconds: Callable[[], float] = time.monotonic, keyboard: Keyboard | None = None
    ) -> None:
        self._console = console
        self._seconds = seconds
        self._keyboard = keyboard
        self._live = self._new_live()
        self._picture: Picture | None = None
        self._drawn_s = float("-inf")
        self._signals: dict[int, Any] = {}
        self._is_to_stop = False
        self._has_gone_on = False

    def __enter__(self) -> LiveBoard:
        for number in (signal.SIGTSTP, signal.SIGCONT):
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:  # as a shell without job control leaves it
                self._signals[number] = before
                signal.signal(number, self._note)
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def show(self, title: str, rows: Callable[[], Sequence[AuctionRow]]) -> None:
        """Draw what ``rows()`` gives, unless it is too early or nothing has changed since the last frame."""
        self.show_picture(lambda width, height: PlainPicture(title, tuple(rows()), width, height))

    def show_picture(self, picture_for: Callable[[int, int], Picture]) -> None:
        """The same with what ``picture_for(width, height)`` gives. Stops here if Ctrl-Z was pressed."""
        self._heed_signals()
        now_s = self._seconds()
        if now_s - self._drawn_s < FRAME_S:
            return
        self._drawn_s = now_s
        width, height = self._console.size
        picture = picture_for(width, height)
        if picture == self._picture or not self._is_shown():
            return
        self._picture = picture
        self._live.update(picture.draw(), refresh=True)

    def _new_live(self) -> Live:
        return Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )

    def _open(self) -> None:
        if self._keyboard is not None:
            self._keyboard.take()
        self._live.start()

    def _close(self) -> None:
        try:
            self._live.stop()
        finally:
            if self._keyboard is not None:
                self._keyboard.give_back()
            while self._signals:
                signal.signal(*self._signals.popitem())

    # Stopping and going on

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        if number == signal.SIGTSTP:
            self._is_to_stop = True
        else:
            self._has_gone_on = True

    def _heed_signals(self) -> None:
        if self._is_to_stop:
            self._is_to_stop = False
            self._stop()
        if self._has_gone_on and self._is_shown():
            # A shell gives a job its terminal in the shell's own state, and another program may have drawn on it.
            self._has_gone_on = False
            self._live.stop()
            self._live = self._new_live()
            self._open()
            self._picture = None

    def _stop(self) -> None:
        """Give the terminal back, and stop, as Ctrl-Z means; this returns when the program is to go on."""
        self._live.stop()
        if self._keyboard is not None:
            self._keyboard.give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._note)
        self._has_gone_on = True

    def _is_shown(self) -> bool:
        """Whether the terminal is ours: in the background nothing is drawn."""
        try:
            return is_in_foreground(self._console.file.fileno())
        except (OSError, ValueError):
            return True  # no file of the system's
