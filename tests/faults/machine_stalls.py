"""How long the machine itself stands still while a test times something, to be said beside what was measured.

A thread that wants hardly anything, to wake up and to sync one byte, is late only where nobody would have been in
time. Whoever reads that a bound was passed so knows where to look; the bound is the same either way.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType

PERIOD_S = 0.05


class MachineStalls:
    """A context; :attr:`longest_s` is the longest stall within it so far, the one that lasts still included."""

    def __init__(self, directory: Path) -> None:
        """``directory`` is on the disk that counts, such as the house's."""
        self._path = directory / "stalls"
        self._longest_s = 0.0
        self._begun_s = time.monotonic()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="stalls")

    @property
    def longest_s(self) -> float:
        return max(self._longest_s, time.monotonic() - self._begun_s - PERIOD_S)

    def __enter__(self) -> MachineStalls:
        self._begun_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            is_over = False
            while not is_over:
                is_over = self._is_over.wait(PERIOD_S)
                file.write(b".")
                os.fsync(file.fileno())
                self._longest_s = self.longest_s
                self._begun_s = time.monotonic()
