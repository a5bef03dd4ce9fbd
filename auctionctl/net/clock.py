"""The house's clock: wall time at the start, monotonic from then on (DESIGN.md section 7)."""

from __future__ import annotations

import time


class Clock:
    """Never goes back while the process lives, whatever is done to the wall clock."""

    __slots__ = ("_offset_ns",)

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._offset_ns + time.monotonic_ns()
