"""What a program of somebody else writes on the side, line by line: read so that it neither fills nor stops us.

Rule: of the lines that come within a second MAX_LINES are told, and of the rest how many they were; a line is cut
at MAX_LINE_BYTES. What is told is foreign text: whoever shows it makes it safe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

MAX_LINES: Final = 20
MAX_LINE_BYTES: Final = 1_024
SPAN_S: Final = 1.0


class Remarks:
    """``tell`` is told every line, without its end."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._partial = b""
        self._began_s = float("-inf")
        self._told = 0
        self._left_out = 0

    def receive(self, data: bytes, now_s: float) -> None:
        """Some bytes, lines or parts of lines, at ``now_s`` of a clock that never goes back."""
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = self._partial + lines[0]
            self._partial = b""
            for line in lines:
                self._heard(line, now_s)
        self._partial = (self._partial + rest)[:MAX_LINE_BYTES]

    def end(self, now_s: float) -> None:
        """Nothing more comes: what has no end of its own ends here."""
        partial, self._partial = self._partial, b""
        if partial:
            self._heard(partial, now_s)
        self._tell_left_out()

    def _heard(self, line: bytes, now_s: float) -> None:
        text = line[:MAX_LINE_BYTES].decode(errors="replace").rstrip()
        if not text:
            return
        if now_s - self._began_s >= SPAN_S:
            self._tell_left_out()
            self._began_s, self._told = now_s, 0
        if self._told == MAX_LINES:
            self._left_out += 1
            return
        self._told += 1
        self._tell(text)

    def _tell_left_out(self) -> None:
        left_out, self._left_out = self._left_out, 0
        if left_out:
            self._tell(f"({left_out} lines more)")
