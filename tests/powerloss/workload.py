"""A seeded workload on a real SqliteStore over a recording disk, and what the store has to hold after each call.

Each call changes a store as a whole or not at all, so after a power cut the store is what it was behind the last call
that had returned, or behind the one that was under way.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from recording import Operation, RecordingDisk

from auctionctl.store.log_store import Append, LogStore
from auctionctl.store.sqlite import SqliteStore

CALLS = 40
WAL_CAP_BYTES = 48 * 1024
LOGS = ("registry", *(f"auction/{digit * 64}" for digit in "abcdef"))


@dataclass(frozen=True, slots=True)
class Content:
    """What a store holds: entries by log, in the order of the first ones; epochs by log; and until when it lived."""

    logs: tuple[tuple[str, tuple[bytes, ...]], ...] = ()
    epochs: tuple[tuple[str, int], ...] = ()
    last_alive_ns: int | None = None

    def with_entries(self, log: str, entries: tuple[bytes, ...]) -> Content:
        logs = dict(self.logs)
        if entries:
            logs[log] = logs.get(log, ()) + entries
        return replace(self, logs=tuple(logs.items()))

    def without(self, log: str) -> Content:
        return replace(self, logs=tuple((name, entries) for name, entries in self.logs if name != log))

    def with_claim(self, log: str, epoch: int) -> Content:
        return replace(self, epochs=tuple(sorted((dict(self.epochs) | {log: epoch}).items())))

    def with_alive(self, now_ns: int) -> Content:
        return replace(self, last_alive_ns=max(now_ns, self.last_alive_ns or 0))

    def epoch(self, log: str) -> int:
        return dict(self.epochs).get(log, 0)

    def size(self, log: str) -> int:
        return len(dict(self.logs).get(log, ()))


def content_of(store: LogStore, epochs: Sequence[tuple[str, int]]) -> Content:
    """What ``store`` says that it holds; epochs cannot be read."""
    logs = tuple((name, tuple(store.read(name))) for name, _ in store.logs())
    return Content(logs, tuple(epochs), store.last_alive_ns())


@dataclass(frozen=True, slots=True)
class Call:
    """One call to the store, answered when ``done`` operations had been done; then it held ``content``."""

    what: str
    done: int
    content: Content


@dataclass(slots=True)
class Recording:
    """A workload that was recorded. The first call is the opening of an empty store."""

    seed: int
    operations: list[Operation] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def candidates(self, done: int) -> tuple[Call, Call]:
        """The last call that had been answered behind ``done`` operations, and the one that was under way, if any."""
        answered = [number for number, call in enumerate(self.calls) if call.done <= done]
        last = answered[-1] if answered else 0
        return self.calls[last], self.calls[min(last + 1, len(self.calls) - 1)]


def record(seed: int, directory: Path, calls: int = CALLS) -> Recording:
    """Run the workload of ``seed`` in ``directory``, which is fresh."""
    disk = RecordingDisk(seed)
    try:
        return _Run(seed, directory, disk).run(calls)
    finally:
        disk.end()


class _Run:
    def __init__(self, seed: int, directory: Path, disk: RecordingDisk) -> None:
        self._random = random.Random(seed)
        self._directory = directory
        self._disk = disk
        self._now_ns = 1_000
        self._content = Content()
        self._recording = Recording(seed, disk.recorded)
        self._store = self._open()
        self._returned("open")

    def _open(self) -> SqliteStore:
        # With caps of several sizes, so that checkpoints come at different places.
        cap_bytes = WAL_CAP_BYTES * self._random.randint(1, 3)
        return SqliteStore(self._directory, vfs=self._disk.vfs_name, wal_cap_bytes=cap_bytes, ballast_target_bytes=0)

    def _returned(self, what: str) -> None:
        self._recording.calls.append(Call(what, len(self._disk.recorded), self._content))

    def run(self, calls: int) -> Recording:
        steps = (self._append, self._claim, self._alive, self._remove, self._maintain, self._reopen)
        for _ in range(calls):
            self._now_ns += self._random.randint(0, 5)
            (step,) = self._random.choices(steps, (62, 10, 12, 6, 7, 3))
            step()
        self._store.close()
        self._returned("close")
        return self._recording

    def _append(self) -> None:
        group = []
        content = self._content
        for log in self._random.sample(LOGS, self._random.choice((1, 1, 2, 3, 5))):
            entries = tuple(self._entry() for _ in range(self._random.choice((1, 1, 2, 8))))
            group.append(Append(log, content.size(log), entries))
            content = content.with_entries(log, entries)
        self._store.append(group, self._now_ns)
        self._content = content.with_alive(self._now_ns)
        self._returned("append")

    def _entry(self) -> bytes:
        length = self._random.choice((0, 40, 200, 200, 380, 380, 2_000, 9_000))
        return self._random.randbytes(length)

    def _claim(self) -> None:
        log = self._random.choice(LOGS)
        self._content = self._content.with_claim(log, self._content.epoch(log) + 1)
        assert self._store.claim(log, "house") == self._content.epoch(log)
        self._returned("claim")

    def _alive(self) -> None:
        self._store.alive(self._now_ns)
        self._content = self._content.with_alive(self._now_ns)
        self._returned("alive")

    def _remove(self) -> None:
        if self._content.logs:
            log, entries = self._random.choice(self._content.logs)
            self._store.remove(log, len(entries))
            self._content = self._content.without(log)
            self._returned("remove")
            self._maintain()

    def _maintain(self) -> None:
        self._store.maintain()
        self._returned("maintain")

    def _reopen(self) -> None:
        self._store.close()
        self._returned("close")
        self._store = self._open()
        self._returned("open")
