"""Signals as something to select on: no handler runs in between, so none can be missed and nothing is interrupted.

Rule: the interpreter's own handler writes the number into a socket pair, and that is all that a signal does.
Source: signal.set_wakeup_fd in the Python library reference.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Final

MAX_SIGNALS_A_TURN: Final = 64


class Signals:
    """While this context is entered, each of ``numbers`` makes it readable. For the main thread alone."""

    def __init__(self, numbers: Sequence[signal.Signals]) -> None:
        self._numbers = numbers
        self._before: list[tuple[signal.Signals, signal._HANDLER]] = []
        self._wakeup_before = -1

    def __enter__(self) -> Signals:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        self._before = [(number, signal.signal(number, _note)) for number in self._numbers]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._ours.close()
        self._theirs.close()

    def fileno(self) -> int:
        """For a selector."""
        return self._ours.fileno()

    def take(self) -> list[signal.Signals]:
        """Those of our signals that have come since the last call, in order."""
        try:
            data = self._ours.recv(MAX_SIGNALS_A_TURN)
        except BlockingIOError:
            return []
        return [signal.Signals(number) for number in data if number in self._numbers]


def has_terminal() -> bool:
    """Whether this process has a controlling terminal, which a hang-up takes away."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _note(number: int, frame: FrameType | None) -> None:
    """The number is in the socket pair already: nothing is left to do."""
