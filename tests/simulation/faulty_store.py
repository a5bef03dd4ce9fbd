"""A store in memory whose owner it may fail: full for a while, failing once, broken, broken after it has written.

Rule: what it says it did it did; what it raises is what :mod:`auctionctl.store.log_store` says it may raise. It
outlives the house's process; :meth:`FaultyStore.reopen` is what the next one does.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

from auctionctl.errors import StoreBrokenError, StoreFullError
from auctionctl.store.log_store import Append
from auctionctl.store.memory import MemoryStore

Durable = Callable[[Sequence[Append]], None]


class Failure(enum.Enum):
    """How the next append fails."""

    REFUSED = "refused"
    BROKEN_LOST = "broken_lost"
    BROKEN_KEPT = "broken_kept"


class FaultyStore(MemoryStore):
    """``on_durable`` is told of every append that took place, ``on_room`` whenever something was written."""

    def __init__(self, on_durable: Durable, on_room: Callable[[], None]) -> None:
        super().__init__()
        self.is_full = False
        self._is_broken = False
        self._on_durable = on_durable
        self._on_room = on_room
        self._next: Failure | None = None

    def fail_next(self, failure: Failure) -> None:
        """The next append fails like this."""
        self._next = failure

    def reopen(self) -> None:
        """Another process looks at what is there."""
        self._is_broken = False
        self._next = None

    def append(self, appends: Sequence[Append], now_ns: int) -> None:
        """As the contract says, unless it is to fail."""
        self._require_whole()
        failure, self._next = self._next, None
        if self.is_full or failure is Failure.REFUSED:
            raise StoreFullError("no room")
        if failure is Failure.BROKEN_LOST:
            self._break()
        super().append(appends, now_ns)
        self._on_durable(appends)
        if failure is Failure.BROKEN_KEPT:
            self._break()

    def alive(self, now_ns: int) -> None:
        """As the contract says, unless it is full or broken."""
        self._require_whole()
        if self.is_full:
            raise StoreFullError("no room")
        super().alive(now_ns)
        self._on_room()

    def _break(self) -> None:
        self._is_broken = True
        raise StoreBrokenError("a sync failed")

    def _require_whole(self) -> None:
        if self._is_broken:
            raise StoreBrokenError("a sync failed before")
