"""Virtual time: what happens when, one thing after another.

Rule: the order of things at one instant is the order in which they were asked for, so that one seed is one history.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any, Final

SECOND_NS: Final = 1_000_000_000
MILLISECOND_NS: Final = 1_000_000
START_NS: Final = 1_767_225_580 * SECOND_NS
"""20 s before midnight, UTC: in the midst of most histories, what was said of somebody becomes older by a day."""


class Timeline:
    """True time, in nanoseconds since the Unix epoch; nobody in the simulation reads it, but for those who make it."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.count = 0
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()

    def at(self, at_ns: int, action: Callable[..., None], *arguments: Any) -> None:
        """Call ``action`` at ``at_ns``, or now if that has passed."""
        heapq.heappush(self._heap, (max(at_ns, self.now_ns), next(self._numbers), action, arguments))

    def after(self, wait_ns: int, action: Callable[..., None], *arguments: Any) -> None:
        """Call ``action`` so much later."""
        heapq.heappush(self._heap, (self.now_ns + wait_ns, next(self._numbers), action, arguments))

    def run(self, until_ns: int) -> None:
        """Let everything happen that is due before ``until_ns``."""
        heap = self._heap
        while heap and heap[0][0] < until_ns:
            self.now_ns, _, action, arguments = heapq.heappop(heap)
            self.count += 1
            action(*arguments)
        self.now_ns = until_ns
