"""One workload, run again and again on a disk that fails once, each time at another operation or in another way.

After a fault the store is as its contract says: full, unchanged, and fit to go on once there is room; or broken, and
then it touches the disk no more. Either way, after a power cut it holds what had been answered. Whoever opens a broken
store again on the same machine, where the kernel may show what is not on the disk, loses nothing from there on either.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crash_states import CrashState, Disk, Mode
from faulty_disk import Fault, FaultyDisk, Kind
from loss_checkers import Laboratory, LostError, check_content, without_epochs
from workload import Call, Content, Recording, content_of

from auctionctl.errors import StoreBrokenError, StoreError, StoreFullError
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import SqliteStore

SEED = 11
WAL_CAP_BYTES = 24 * 1024
A, B, C = "registry", "auction/" + "b" * 64, "auction/" + "c" * 64
AT_THE_FAULT = (Mode.KEPT, Mode.DROPPED, Mode.MIXED)
AFTERWARDS = (Mode.DROPPED, Mode.MIXED)


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the workload: what it does to a store, and what that then holds."""

    name: str
    do: Callable[[SqliteStore], object]
    then: Callable[[Content], Content]


def append(now_ns: int, *shares: tuple[str, int, int]) -> Step:
    """Each share is a log, its size so far, and how many bytes its next entry has."""
    group = [Append(log, size, (random.Random(f"{log}/{size}").randbytes(length),)) for log, size, length in shares]

    def then(content: Content) -> Content:
        for share in group:
            content = content.with_entries(share.log, share.entries)
        return content.with_alive(now_ns)

    return Step("append", lambda store: store.append(group, now_ns), then)


def claim(log: str) -> Step:
    return Step(
        "claim",
        lambda store: store.claim(log, "house"),
        lambda content: content.with_claim(log, content.epoch(log) + 1),
    )


def same(content: Content) -> Content:
    return content


STEPS = (
    append(10, (A, 0, 300)),
    append(11, (A, 1, 40), (B, 0, 9_000)),
    claim(B),
    Step("alive", lambda store: store.alive(15), lambda content: content.with_alive(15)),
    append(16, (B, 1, 5_000), (C, 0, 100), (A, 2, 200)),
    Step("read", lambda store: content_of(store, ()), same),
    append(17, (A, 3, 9_000)),
    Step("remove", lambda store: store.remove(B, 2), lambda content: content.without(B)),
    Step("maintain", lambda store: store.maintain(), same),
    append(18, (C, 1, 60)),
    Step("close", lambda store: store.close(), same),
    append(20, (B, 0, 2_000), (A, 4, 10)),
    claim(B),
    append(21, (C, 2, 7_000)),
)


class FaultRun:
    """The workload on ``disk``, in a fresh directory. What was lost is a LostError or a TornError."""

    def __init__(self, disk: FaultyDisk, directory: Path, laboratory: Laboratory | None) -> None:
        self._disk = disk
        self._directory = directory
        self._laboratory = laboratory
        self._content = Content()
        self._store: SqliteStore | None = None

    def run(self) -> None:
        try:
            for step in STEPS:
                after = step.then(self._content)
                try:
                    self._do(step, after)
                except StoreError as error:
                    self._look_at(step, after, error)
                    self._disk.make_room()
                    if isinstance(error, StoreBrokenError) and self._has_happened(after):
                        self._content = after
                    else:
                        self._do(step, after)
                    self._cut_power(self._content, self._content, AFTERWARDS)
        finally:
            if self._store is not None:
                self._store.close()
        self._cut_power(self._content, self._content, AFTERWARDS)

    def _do(self, step: Step, after: Content) -> None:
        self._open()
        assert self._store is not None
        result = step.do(self._store)
        if step.name == "close":
            self._store = None
        elif step.name == "claim":
            # One that broke the store may have been made.
            assert isinstance(result, int)
            if result <= self._content.epoch(B):
                raise LostError(f"epoch {result} was given twice")
            after = after.with_claim(B, result)
        self._content = after
        self._require_it_says_so()

    def _open(self) -> None:
        if self._store is None:
            self._store = SqliteStore(
                self._directory, vfs=self._disk.vfs_name, wal_cap_bytes=WAL_CAP_BYTES, ballast_target_bytes=0
            )

    def _look_at(self, step: Step, after: Content, error: StoreError) -> None:
        """What has to hold after a step that failed, now and after a power cut."""
        if isinstance(error, StoreBrokenError):
            self._require_silence()
            self._cut_power(self._content, after)
        elif isinstance(error, StoreFullError):
            self._require_it_says_so()
            # A disk that wrote what it refused may bring back the whole group, and never a part of it.
            self._cut_power(self._content, after)
        else:
            assert self._store is None or step.name == "read", "only opening and reading fail without consequences"
            self._cut_power(self._content, self._content)

    def _has_happened(self, after: Content) -> bool:
        """Open the store that broke, at once, and see what has become of its last call. Of a claim nobody can see."""
        self._store = None
        self._open()
        assert self._store is not None
        found = content_of(self._store, ())
        if found not in (without_epochs(self._content), without_epochs(after)):
            raise LostError("a store that broke is opened again with something else in it")
        return found == without_epochs(after) and after.epochs == self._content.epochs

    def _require_it_says_so(self) -> None:
        if self._store is not None:
            sizes = [(name, len(entries)) for name, entries in self._content.logs]
            if self._store.logs() != sizes or self._store.last_alive_ns() != self._content.last_alive_ns:
                raise LostError("the store does not say what it holds")

    def _require_silence(self) -> None:
        """A broken store does nothing more to the disk, not even when it is closed."""
        assert self._store is not None
        written = len(self._disk.recorded)
        for call in (lambda store: store.alive(10**6), lambda store: store.append([], 10**6), SqliteStore.maintain):
            try:
                call(self._store)
            except StoreBrokenError:
                continue
            raise LostError("a broken store goes on")
        self._store.close()
        if len(self._disk.recorded) != written:
            raise LostError("a broken store has touched the disk again")

    def _cut_power(self, before: Content, after: Content, modes: tuple[Mode, ...] = AT_THE_FAULT) -> None:
        if self._laboratory is None:
            return
        done = len(self._disk.recorded)
        recording = Recording(SEED, self._disk.recorded, [Call("", 0, before), Call("", done + 1, after)])
        disk = Disk()
        for operation in self._disk.recorded:
            disk.do(operation)
        for number, mode in enumerate(modes):
            files = disk.after_power_cut(mode, random.Random(f"{SEED}/{done}/{number}"))
            state = CrashState(number, done, mode, files)
            self._laboratory.check(state, lambda store, _place, state=state: check_content(store, recording, state))


def operations(directory: Path) -> list[Kind]:
    """Everything that the workload asks of a disk, in order."""
    disk = FaultyDisk(SEED)
    try:
        FaultRun(disk, directory, None).run()
        return disk.kinds
    finally:
        disk.end()


def run_with(at: int, fault: Fault, directory: Path, laboratory: Laboratory) -> None:
    """The workload with one fault."""
    disk = FaultyDisk(SEED, at, fault)
    try:
        FaultRun(disk, directory, laboratory).run()
        assert disk.has_failed, "the fault was never reached"
    finally:
        disk.end()
