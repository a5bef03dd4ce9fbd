"""What a disk may hold after a power cut: from a recording, at any boundary between two operations.

The rule: what was synced is there. Of what was written since, each write is independently kept, dropped or torn at
sectors of 512 bytes, and may reach the disk in another order. A sector holds what the cache held of it at some moment:
the cache is what is written to the disk, so two writes to one sector never come apart within it. Names that were not
synced (files created, files deleted) are independently kept or dropped as well. A file is as long as the sectors of
it that were kept, or longer, with zeros at its end.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from recording import Create, Delete, FailedSync, Operation, Sync, SyncNames, Truncate, Write

SECTOR_BYTES = 512


class Mode(Enum):
    """How the power cut treats what was not synced."""

    KEPT = "kept"  # all of it is there: the process was killed, not the power
    DROPPED = "dropped"  # none of it is there
    LAST_TORN = "last torn"  # all of it but some sectors of the last write
    LATE = "late"  # the later part of it is there, the earlier one is not
    MIXED = "mixed"  # each write kept, dropped or torn, in order
    REORDERED = "reordered"  # as mixed, and in any order


@dataclass(frozen=True, slots=True)
class Change:
    """One write or truncation in the cache: what each touched sector held after it, and how long the file was."""

    sectors: tuple[tuple[int, bytes], ...]
    size: int
    cut: bool


@dataclass(slots=True)
class Inode:
    """A file as it is for sure, as it is in the cache, and the changes between the two: those that a sync makes
    durable, and those that a failed sync has given up, which may be on the disk or not for ever after."""

    durable: bytes = b""
    cache: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)
    given_up: list[Change] = field(default_factory=list)


class Disk:
    """The disk after some of the operations of a recording."""

    def __init__(self) -> None:
        self._inodes: dict[int, Inode] = {}
        self._names: dict[str, int] = {}
        self._pending_names: list[Create | Delete] = []

    def do(self, operation: Operation) -> None:
        match operation:
            case Create():
                self._inodes[operation.inode] = Inode()
                self._pending_names.append(operation)
            case Delete():
                self._pending_names.append(operation)
            case Write(inode, offset, data):
                self._write(self._inodes[inode], offset, data)
            case Truncate(inode, size):
                file = self._inodes[inode]
                del file.cache[size:]
                file.pending.append(Change((), size, cut=True))
            case Sync(inode):
                _sync(self._inodes[inode])
            case FailedSync(inode):
                file = self._inodes[inode]
                file.given_up += file.pending
                file.pending.clear()
            case SyncNames():
                _name(self._names, self._pending_names)
                self._pending_names.clear()

    def _write(self, file: Inode, offset: int, data: bytes) -> None:
        end = offset + len(data)
        if end > len(file.cache):
            file.cache.extend(bytes(end - len(file.cache)))
        file.cache[offset:end] = data
        touched = range(offset // SECTOR_BYTES, -(-end // SECTOR_BYTES))
        sectors = tuple(
            (number, bytes(file.cache[number * SECTOR_BYTES : (number + 1) * SECTOR_BYTES])) for number in touched
        )
        file.pending.append(Change(sectors, len(file.cache), cut=False))

    @property
    def is_clean(self) -> bool:
        """Whether a power cut now can have one outcome only."""
        return not self._pending_names and not any(file.pending or file.given_up for file in self._inodes.values())

    def after_power_cut(self, mode: Mode, random_: random.Random) -> dict[str, bytes]:
        """The files that are there afterwards."""
        names = dict(self._names)
        _name(names, [change for change in self._pending_names if _is_kept(mode, random_)])
        return {name: _content(self._inodes[inode], mode, random_) for name, inode in names.items()}


def _name(names: dict[str, int], changes: Sequence[Create | Delete]) -> None:
    for change in changes:
        if isinstance(change, Create):
            names[change.name] = change.inode
        else:
            names.pop(change.name, None)


def _is_kept(mode: Mode, random_: random.Random) -> bool:
    return mode in (Mode.KEPT, Mode.LAST_TORN) or (mode is not Mode.DROPPED and random_.random() < 0.5)


def _sync(file: Inode) -> None:
    """What is pending is durable, over what was given up; the rest of that stays as unsure as it was."""
    if not file.given_up:
        file.durable = bytes(file.cache) if file.pending else file.durable
    else:
        durable = _with(file.durable, file.pending)[: len(file.cache)]
        file.durable = durable + bytes(len(file.cache) - len(durable))
        written = {number for change in file.pending for number, _ in change.sectors}
        left = (tuple(sector for sector in change.sectors if sector[0] not in written) for change in file.given_up)
        file.given_up = [Change(sectors, 0, cut=False) for sectors in left if sectors]
    file.pending.clear()


def _content(file: Inode, mode: Mode, random_: random.Random) -> bytes:
    if mode is Mode.KEPT:
        return bytes(file.cache)
    changes = [*file.given_up, *file.pending]
    content = _with(file.durable, _survivors(changes, mode, random_))
    if changes and mode in (Mode.MIXED, Mode.REORDERED) and random_.random() < 0.25:
        # The length of a file may be durable before what is in it.
        content += bytes(max(0, changes[-1].size - len(content)))
    return content


def _with(durable: bytes, changes: Sequence[Change]) -> bytes:
    content = bytearray(durable)
    for change in changes:
        if change.cut:
            del content[change.size :]
        for number, sector in change.sectors:
            start = number * SECTOR_BYTES
            if start > len(content):
                content.extend(bytes(start - len(content)))
            content[start : start + len(sector)] = sector
    return bytes(content)


def _survivors(pending: Sequence[Change], mode: Mode, random_: random.Random) -> list[Change]:
    match mode:
        case Mode.KEPT:
            return list(pending)
        case Mode.DROPPED:
            return []
        case Mode.LAST_TORN:
            return [*pending[:-1], *(_torn(change, random_) for change in pending[-1:])]
        case Mode.LATE:
            return list(pending[random_.randint(0, len(pending)) :])
        case Mode.MIXED | Mode.REORDERED:
            survivors = [_torn(change, random_) if random_.random() < 0.4 else change for change in pending]
            survivors = [change for change in survivors if random_.random() < 0.67]
            if mode is Mode.REORDERED:
                random_.shuffle(survivors)
            return survivors


def _torn(change: Change, random_: random.Random) -> Change:
    return Change(tuple(sector for sector in change.sectors if random_.random() < 0.5), change.size, change.cut)


@dataclass(frozen=True, slots=True)
class CrashState:
    """The files after a power cut behind ``done`` operations; ``number`` says both, the boundary and the mode."""

    number: int
    done: int
    mode: Mode
    files: dict[str, bytes]


MODES = tuple(Mode)


def crash_states(
    recorded: Sequence[Operation], seed: int, modes_a_boundary: int = len(MODES), only: int | None = None
) -> Iterator[CrashState]:
    """Every boundary of a recording, each in some of the modes, in turn; where nothing was unsynced, once.

    A state depends on the recording, the seed and its number alone; ``only`` is the number of the one that is wanted.
    """
    disk = Disk()
    for done in range(len(recorded) + 1):
        for place in range(1 if disk.is_clean else modes_a_boundary):
            mode = (done + seed + place * (len(MODES) // modes_a_boundary)) % len(MODES)
            number = done * len(MODES) + mode
            if only in (None, number):
                random_ = random.Random(f"{seed}/{number}")
                yield CrashState(number, done, MODES[mode], disk.after_power_cut(MODES[mode], random_))
        if done < len(recorded):
            disk.do(recorded[done])
