"""A store in memory, for tests and the market.

Rule: the contract of :mod:`auctionctl.store.log_store` to the letter, except that "durable" lasts as long as this
object does. Source: DESIGN.md section 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auctionctl.errors import StoreError
from auctionctl.store.log_store import Append, LogStore, check_appends, check_name, check_time, extent


class MemoryStore(LogStore):
    """Logs in lists; see :class:`auctionctl.store.log_store.LogStore` for what each method promises."""

    def __init__(self) -> None:
        self._entries: dict[str, list[bytes]] = {}
        self._epochs: dict[str, int] = {}
        self._last_alive_ns: int | None = None
        self._closed = False

    def append(self, appends: Sequence[Append], now_ns: int) -> None:
        """As the contract says."""
        self._require_open()
        check_time(now_ns)
        check_appends(appends, self.size)
        for share in appends:
            if share.entries:
                self._entries.setdefault(share.log, []).extend(share.entries)
        self.alive(now_ns)

    def read(self, log: str, start: int = 0, limit: int | None = None) -> Iterator[bytes]:
        """As the contract says."""
        indices = extent(self.size(log), start, limit)
        return self._iterate(log, indices)

    def _iterate(self, log: str, indices: range) -> Iterator[bytes]:
        for index in indices:
            self._require_open()
            yield self._entries[log][index]

    def size(self, log: str) -> int:
        """As the contract says."""
        self._require_open()
        return len(self._entries.get(log, ()))

    def logs(self) -> list[tuple[str, int]]:
        """As the contract says."""
        self._require_open()
        return [(log, len(entries)) for log, entries in self._entries.items()]

    def remove(self, log: str, expected_size: int) -> None:
        """As the contract says."""
        check_appends([Append(log, expected_size, ())], self.size)
        self._entries.pop(log, None)

    def claim(self, log: str, instance: str) -> int:
        """As the contract says."""
        self._require_open()
        check_name(log)
        check_name(instance)
        self._epochs[log] = self._epochs.get(log, 0) + 1
        return self._epochs[log]

    def alive(self, now_ns: int) -> None:
        """As the contract says."""
        self._require_open()
        check_time(now_ns)
        self._last_alive_ns = max(now_ns, self._last_alive_ns or 0)

    def last_alive_ns(self) -> int | None:
        """As the contract says."""
        self._require_open()
        return self._last_alive_ns

    def close(self) -> None:
        """As the contract says."""
        self._closed = True

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")
