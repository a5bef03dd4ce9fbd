"""The contract that every store of logs keeps.

Rule: what a method promises holds when it returns, not later; a method that raises has changed nothing, unless it
raises :class:`StoreBrokenError`. ``tests/conformance/test_log_store.py`` holds every back end to each sentence here.
Source: DESIGN.md section 9.

A log is named by printable ASCII text (``registry``, ``auction/<64 hex digits>``); its entries are opaque bytes with
indices 0, 1, 2, … and are never changed. A log exists from its first entry on, until it is removed as a whole.

Concurrency: one process, one thread, one writer. Nothing here may be called from two threads. Times are integers, in
nanoseconds since 1970, and come from the caller: a store reads no clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from auctionctl.errors import SizeConflictError, StoreError
from auctionctl.tlog import append

ENTRY_BYTES_MAX = 16 * 1024
NAME_CHARACTERS_MAX = 128
TIME_NS_MAX = 2**63 - 1

Append = append.Append
"""One log's share of a group commit."""

_NAME = re.compile(rf"[\x21-\x7e]{{1,{NAME_CHARACTERS_MAX}}}")


class LogStore(Protocol):
    """Durable logs. Every method raises :class:`StoreBrokenError` once the store is broken, except :meth:`close`."""

    def append(self, appends: Sequence[Append], now_ns: int) -> None:
        """Append to several logs in one group commit.

        Durability: every entry is durable when this returns. All or nothing: after an error, and after a crash at any
        instant, either the whole sequence is there or none of it. Compare-and-swap: each log must have exactly
        ``expected_size`` entries when its turn comes (a log may come twice), or nothing at all is appended. In the
        same commit ``now_ns`` becomes the durable last-alive time, unless that is later already.

        :raises SizeConflictError: a log has another size than expected
        :raises StoreFullError: no room; the store can still be read, and appended to once there is room. On a disk that
            keeps what it refused, a crash before the next commit may bring the group back, the whole of it
        :raises StoreBrokenError: durability is unknown; the process must end
        :raises StoreError: an entry, a name or the time is outside its bounds
        """
        ...

    def read(self, log: str, start: int = 0, limit: int | None = None) -> Iterator[bytes]:
        """The entries of ``log`` from index ``start`` on, at most ``limit``, in index order.

        The extent is fixed by the call: entries appended later are not included. Reading takes a bounded part of the
        log into memory at a time, and appends may come in between. A log that does not exist has no entries.

        :raises StoreError: ``start`` or ``limit`` is negative, or (while iterating) the log cannot be read
        """
        ...

    def size(self, log: str) -> int:
        """How many entries ``log`` has; 0 if it does not exist. Costs no input or output."""
        ...

    def logs(self) -> list[tuple[str, int]]:
        """Name and size of every log, in the order of their first appends. Costs no input or output."""
        ...

    def remove(self, log: str, expected_size: int) -> None:
        """Forget ``log`` and all of its entries, ``expected_size`` of them; claims of it are kept.

        Durable on return: either all of it is there, or nothing of it. What it took up on the disk is free for other
        entries some time later. For whoever has put the log elsewhere first. Errors: as for :meth:`append`.
        """
        ...

    def claim(self, log: str, instance: str) -> int:
        """Claim ``log`` for an instance of the house; returns the epoch: 1 + the highest ever given for that log.

        Durable on return, so an epoch is never given twice. The log need not exist, and does not come to exist.
        Errors: as for :meth:`append`.
        """
        ...

    def alive(self, now_ns: int) -> None:
        """Make ``now_ns`` the durable last-alive time, unless that is later already. Errors: as for :meth:`append`."""
        ...

    def last_alive_ns(self) -> int | None:
        """The latest time ever given to :meth:`append` or :meth:`alive`; None if there was none."""
        ...

    def close(self) -> None:
        """Give everything back. Harmless when repeated; every other call then raises :class:`StoreError`."""
        ...


def check_name(name: str) -> None:
    """Refuse a name of a log or an instance that is not 1 to 128 printable ASCII characters without spaces.

    :raises StoreError: it is not
    """
    if _NAME.fullmatch(name) is None:
        raise StoreError(f"{name!r} is no name: 1 to {NAME_CHARACTERS_MAX} printable ASCII characters are")


def check_time(now_ns: int) -> None:
    """Refuse a time that does not fit 63 bits, with :class:`StoreError`."""
    if not 0 <= now_ns <= TIME_NS_MAX:
        raise StoreError(f"time {now_ns} ns is out of bounds")


def check_appends(appends: Sequence[Append], size_of: Callable[[str], int]) -> None:
    """Everything that must hold before a group is written: names, bounds, and the compare-and-swap of each log.

    :raises SizeConflictError: a log has another size than expected
    :raises StoreError: a name or an entry is out of bounds
    """
    sizes: dict[str, int] = {}
    for log, expected_size, entries in appends:
        size = sizes.get(log)
        if size is None:
            size = size_of(log)
            if not size:
                check_name(log)
        if size != expected_size:
            raise SizeConflictError(log, expected=expected_size, actual=size)
        for data in entries:
            if len(data) > ENTRY_BYTES_MAX:
                raise StoreError(f"an entry of {len(data)} bytes for log {log}: over {ENTRY_BYTES_MAX}")
        sizes[log] = size + len(entries)


def extent(size: int, start: int, limit: int | None) -> range:
    """The indices that ``read(log, start, limit)`` covers in a log of ``size`` entries.

    :raises StoreError: ``start`` or ``limit`` is negative
    """
    if start < 0 or (limit is not None and limit < 0):
        raise StoreError(f"entries from {start}, at most {limit}: neither can be negative")
    return range(start, size if limit is None else min(size, start + limit))
