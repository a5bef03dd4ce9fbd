"""The keys of a terminal, one by one and without echo, while somebody looks at a board.

Rule: the terminal is given back as it was found, however this is left; what is typed is never waited for; a program in
the background neither reads nor changes the terminal. Source: POSIX general terminal interface, termios(3).
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final

from auctionctl.views.keystrokes import Pressed, decode_keys, flush_keys

CHUNK_BYTES: Final = 1_024
LFLAG, CC = 3, 6
"""Places in what ``tcgetattr`` gives."""


class Keyboard:
    """A context in which :meth:`pressed` gives what was pressed since the last time; ``descriptor`` is a terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before: list[Any] | None = None
        self._rest = b""

    def __enter__(self) -> Keyboard:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def take(self) -> None:
        """No echo, no lines; Ctrl-C and Ctrl-Z stay what they are."""
        if self._before is None:
            self._before = termios.tcgetattr(self._descriptor)
        ours = [*self._before[:CC], list(self._before[CC])]
        ours[LFLAG] &= ~(termios.ECHO | termios.ICANON)
        ours[CC][termios.VMIN], ours[CC][termios.VTIME] = 0, 0
        _set(self._descriptor, termios.TCSADRAIN, ours)

    def give_back(self) -> None:
        """As it was; what was typed and not read is dropped, so that no shell takes it for a command."""
        if self._before is not None:
            _set(self._descriptor, termios.TCSAFLUSH, self._before)
            self._before = None

    def pressed(self) -> list[Pressed]:
        """What was pressed since this was last asked. A lone ESC is a key once nothing has followed it until then."""
        data = self._read()
        if not data:
            keys, self._rest = flush_keys(self._rest), b""
            return keys
        decoded = decode_keys(self._rest + data)
        self._rest = decoded.rest
        return decoded.pressed

    def _read(self) -> bytes:
        if not is_in_foreground(self._descriptor) or not select.select([self._descriptor], [], [], 0)[0]:
            return b""
        try:
            return os.read(self._descriptor, CHUNK_BYTES)
        except OSError:
            return b""  # the terminal is gone; SIGHUP says so


def open_keyboard() -> Keyboard | None:
    """The keyboard on stdin; None where stdin is no terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    return Keyboard(sys.stdin.fileno())


def is_in_foreground(descriptor: int) -> bool:
    """Whether the terminal at ``descriptor`` is ours at the moment, and no other job's of the shell; of none, True."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True


def _set(descriptor: int, when: int, attributes: list[Any]) -> None:
    with _unstopped():
        try:
            termios.tcsetattr(descriptor, when, attributes)
        except termios.error:
            return  # the terminal is gone


@contextmanager
def _unstopped() -> Iterator[None]:
    """Whoever changes a terminal from the background is stopped by SIGTTOU: not while one's own mess is put right."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTTOU, before)
