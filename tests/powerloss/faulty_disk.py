"""A recording disk on which one operation fails, chosen by its number; and what became of it nevertheless."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import apsw
from recording import FailedSync, RecordingDisk, RecordingFile


class Kind(Enum):
    """What is asked of a disk."""

    OPEN = "open"
    READ = "read"
    WRITE = "write"
    TRUNCATE = "truncate"
    SYNC = "sync"
    DELETE = "delete"


class Effect(Enum):
    """What a failed operation has done all the same."""

    NOTHING = "nothing"
    ALL = "all of it"
    PART = "a part of it"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which an operation fails: the code of SQLite that says so, and what it did before."""

    name: str
    code: int
    effect: Effect

    @property
    def is_full(self) -> bool:
        return self.code == apsw.SQLITE_FULL

    def error(self) -> Exception:
        if self.is_full:
            return apsw.FullError("put in")
        error = apsw.CantOpenError("put in") if self.code == apsw.SQLITE_CANTOPEN else apsw.IOError("put in")
        error.extendedresult = self.code
        return error


FAULTS: dict[Kind, tuple[Fault, ...]] = {
    Kind.OPEN: (Fault("cannot open", apsw.SQLITE_CANTOPEN, Effect.NOTHING),),
    Kind.READ: (Fault("EIO", apsw.SQLITE_IOERR_READ, Effect.NOTHING),),
    Kind.WRITE: (
        Fault("EIO", apsw.SQLITE_IOERR_WRITE, Effect.NOTHING),
        Fault("EIO, but written", apsw.SQLITE_IOERR_WRITE, Effect.ALL),
        Fault("EIO, half written", apsw.SQLITE_IOERR_WRITE, Effect.PART),
        Fault("ENOSPC", apsw.SQLITE_FULL, Effect.NOTHING),
        Fault("ENOSPC, but written", apsw.SQLITE_FULL, Effect.ALL),
        Fault("short write", apsw.SQLITE_FULL, Effect.PART),
    ),
    Kind.TRUNCATE: (
        Fault("EIO", apsw.SQLITE_IOERR_TRUNCATE, Effect.NOTHING),
        Fault("EIO, but truncated", apsw.SQLITE_IOERR_TRUNCATE, Effect.ALL),
    ),
    Kind.SYNC: (
        Fault("failed", apsw.SQLITE_IOERR_FSYNC, Effect.NOTHING),
        Fault("failed, but synced", apsw.SQLITE_IOERR_FSYNC, Effect.ALL),
    ),
    Kind.DELETE: (
        Fault("EIO", apsw.SQLITE_IOERR_DELETE, Effect.NOTHING),
        Fault("EIO, but deleted", apsw.SQLITE_IOERR_DELETE, Effect.ALL),
    ),
}
"""Every way in which an operation fails here. To SQLite a short write is a full disk."""


class FaultyDisk(RecordingDisk):
    """``kinds`` is everything that was asked of it, in order; the operation with the number ``at`` has the ``fault``.

    A disk that is full stays so until :meth:`make_room`.
    """

    def __init__(self, seed: int, at: int | None = None, fault: Fault | None = None) -> None:
        super().__init__(seed)
        self.kinds: list[Kind] = []
        self.has_failed = False
        self._at = at
        self._fault = fault
        self._is_full = False

    def make_room(self) -> None:
        self._is_full = False

    def ask(self, kind: Kind, whole: Callable[[], Any], part: Callable[[], object] | None = None) -> Any:
        """Do ``whole``, unless it is the turn of the fault."""
        self.kinds.append(kind)
        if self._is_full and kind is Kind.WRITE:
            raise apsw.FullError("still full")
        if len(self.kinds) - 1 != self._at or self._fault is None:
            return whole()
        self.has_failed = True
        self._is_full = self._fault.is_full
        if self._fault.effect is Effect.ALL:
            whole()
        elif self._fault.effect is Effect.PART or kind is Kind.SYNC:
            assert part is not None
            part()
        raise self._fault.error()

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return self.ask(Kind.OPEN, lambda: super(FaultyDisk, self).xOpen(name, flags))

    def xDelete(self, filename: str, syncdir: bool) -> None:
        if os.path.exists(filename):
            self.ask(Kind.DELETE, lambda: super(FaultyDisk, self).xDelete(filename, syncdir))
        else:
            super().xDelete(filename, syncdir)


class FaultyFile(RecordingFile):
    _disk: FaultyDisk

    def xRead(self, amount: int, offset: int) -> bytes:
        return self._disk.ask(Kind.READ, lambda: super(FaultyFile, self).xRead(amount, offset))

    def xWrite(self, data: Any, offset: int) -> None:
        content = bytes(data)
        write = super().xWrite
        self._disk.ask(Kind.WRITE, lambda: write(content, offset), lambda: write(content[: len(content) // 2], offset))

    def xTruncate(self, newsize: int) -> None:
        self._disk.ask(Kind.TRUNCATE, lambda: super(FaultyFile, self).xTruncate(newsize))

    def xSync(self, flags: int) -> None:
        self._disk.ask(
            Kind.SYNC,
            lambda: super(FaultyFile, self).xSync(flags),
            lambda: self._disk.recorded.append(FailedSync(self.inode)),
        )


FaultyDisk.file_type = FaultyFile
