"""What has to hold of a store after a power cut, whatever the disk did with what was not synced."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from crash_states import CrashState
from house_workload import HouseRecording, go_on, recover
from recording import QuietDisk
from workload import LOGS, Call, Content, Recording, content_of

from auctionctl.errors import StoreError
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import SqliteStore

LATER_NS = 10**9


class LostError(AssertionError):
    """Something that had been answered is not there, or is not what it was."""


class TornError(AssertionError):
    """What is there is no whole number of calls."""


class Laboratory:
    """Where states are opened and looked at: a fresh directory each, thrown away afterwards."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = itertools.count()
        self._disk = QuietDisk()

    def close(self) -> None:
        self._disk.unregister()

    def lay_out(self, state: CrashState) -> Path:
        directory = self._directory / f"state-{next(self._numbers)}"
        directory.mkdir(mode=0o700)
        for name, content in state.files.items():
            (directory / name).write_bytes(content)
        return directory

    def open(self, directory: Path) -> SqliteStore:
        try:
            return SqliteStore(directory, vfs=self._disk.vfs_name, ballast_target_bytes=0)
        except StoreError as error:
            raise LostError(f"the store does not open: {error}") from error

    def check(self, state: CrashState, check: Callable[[SqliteStore, Path], None]) -> None:
        """LostError or TornError, as ``check`` says, if the store of ``state`` does not keep what had been promised."""
        directory = self.lay_out(state)
        try:
            store = self.open(directory)
            try:
                check(store, directory)
            finally:
                store.close()
        finally:
            shutil.rmtree(directory)


def check_content(store: SqliteStore, recording: Recording, state: CrashState) -> None:
    """The store is as one of the two calls left it, gives no epoch twice, and goes on from there."""
    answered, under_way = recording.candidates(state.done)
    try:
        found = content_of(store, ())
    except StoreError as error:
        raise LostError(f"the store cannot be read: {error}") from error
    call = _call_of(found, answered, under_way)
    for log, given in answered.content.epochs:
        epoch = store.claim(log, "afterwards")
        if epoch <= given:
            raise LostError(f"epoch {epoch} of {log}, after {given} had been given")
    log = LOGS[state.number % len(LOGS)]
    store.append([Append(log, call.content.size(log), (b"after the power cut",))], LATER_NS)
    expected = call.content.with_entries(log, (b"after the power cut",)).with_alive(LATER_NS)
    if content_of(store, ()) != without_epochs(expected):
        raise LostError("an append after the power cut changed something else")


def _call_of(found: Content, answered: Call, under_way: Call) -> Call:
    for call in (under_way, answered):
        if found == without_epochs(call.content):
            return call
    here = dict(found.logs)
    for log, entries in answered.content.logs:
        is_going = under_way.content.size(log) < len(entries)
        if not is_going and here.get(log, ())[: len(entries)] != entries:
            raise LostError(f"{log} has {len(here.get(log, ()))} entries; {len(entries)} had been answered")
    if (found.last_alive_ns or 0) < (answered.content.last_alive_ns or 0):
        raise LostError(f"alive until {found.last_alive_ns}; {answered.content.last_alive_ns} had been answered")
    sizes = {log: len(entries) for log, entries in found.logs}
    raise TornError(f"a part of a call ({under_way.what}) is there: {sizes}, alive until {found.last_alive_ns}")


def without_epochs(content: Content) -> Content:
    """What can be read of it."""
    return Content(content.logs, (), content.last_alive_ns)


def check_house(
    store: SqliteStore, directory: Path, recording: HouseRecording, state: CrashState, staging: ModuleType
) -> None:
    """Every log passes recovery, and everything that the house had said by then still holds; then it goes on."""
    try:
        recovered = recover(recording.house, store, directory)
    except StoreError as error:
        raise LostError(f"the house does not recover: {error}") from error
    if recovered.quarantined:
        raise TornError(f"logs do not hold: {recovered.quarantined}")
    for head in recording.heads:
        if head.done <= state.done and recovered.head(head.log, head.size) != head.root:
            raise LostError(f"{head.log} has another head at {head.size} entries than the one that was signed")
    for receipt in recording.receipts:
        if receipt.done <= state.done:
            log = recovered.logs[receipt.log]
            if log.commands.get(receipt.command) != receipt.index or log.times_ns[receipt.index] != receipt.time_ns:
                raise LostError(f"a command that was entry {receipt.index} of {receipt.log} is not there any more")
    go_on(recovered, recording.house, store, staging)
