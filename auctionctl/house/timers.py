"""Deadlines by key, the next one first; setting a key again moves it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator


class Timers:
    """A heap whose outdated items are skipped when they surface: O(log n) a change. Keys are bytes, times ns."""

    __slots__ = ("_at_ns", "_heap")

    def __init__(self) -> None:
        self._at_ns: dict[bytes, int] = {}
        self._heap: list[tuple[int, bytes]] = []

    def set(self, key: bytes, at_ns: int | None) -> None:
        """``key`` is due at ``at_ns``, or not at all any more."""
        if at_ns is None:
            self._at_ns.pop(key, None)
        elif self._at_ns.get(key) != at_ns:
            self._at_ns[key] = at_ns
            heapq.heappush(self._heap, (at_ns, key))

    def next_ns(self) -> int | None:
        """When the first is due, or None."""
        heap = self._heap
        while heap and self._at_ns.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def take_due(self, now_ns: int) -> Iterator[bytes]:
        """Remove and yield every key that is due, by time."""
        while (at_ns := self.next_ns()) is not None and at_ns <= now_ns:
            _, key = heapq.heappop(self._heap)
            del self._at_ns[key]
            yield key
