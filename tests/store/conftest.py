"""A disk that fails on command: an SQLite VFS over the real one, which also writes down what reaches the disk."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

sys.path.append(str(Path(__file__).parent))

_numbers = itertools.count()


class FaultyDisk(apsw.VFS):
    """Passes everything on, and records ``(operation, file)``, where file is ``database`` or ``wal``.

    Set ``fault``: it is called with (operation, file) before each write and sync, and whatever it raises happens.
    ``pragma_answers`` overrides what a pragma says.
    """

    def __init__(self) -> None:
        self.vfs_name = f"faulty-{next(_numbers)}"
        self.operations: list[tuple[str, str]] = []
        self.fault: Callable[[str, str], None] | None = None
        self.pragma_answers: dict[str, str] = {}
        super().__init__(self.vfs_name, base="")

    def xOpen(self, name, flags):
        return FaultyFile(self, name, flags)

    def reached(self, operation: str, file: str) -> None:
        if self.fault is not None:
            self.fault(operation, file)
        self.operations.append((operation, file))


class FaultyFile(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name, flags) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._file = "wal" if flags[0] & apsw.SQLITE_OPEN_WAL else "database"

    def xWrite(self, data, offset):
        self._disk.reached("write", self._file)
        super().xWrite(data, offset)

    def xSync(self, flags):
        self._disk.reached("sync", self._file)
        super().xSync(flags)

    def xFileControl(self, op, ptr):
        if op == apsw.SQLITE_FCNTL_PRAGMA:
            pragma = apsw.VFSFcntlPragma(ptr)
            if pragma.name in self._disk.pragma_answers:
                pragma.result = self._disk.pragma_answers[pragma.name]
                return True
        return super().xFileControl(op, ptr)


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    made = FaultyDisk()
    yield made
    made.unregister()
