"""A disk that writes down what reaches it: an SQLite VFS over the real one, and every operation in its order.

Names count too: a file that was created is found again after a power cut only once its directory has been synced.
SQLite's own VFS does that with the first sync of a new journal or write-ahead log, and with a deletion if asked to.
"""

from __future__ import annotations

import itertools
import os
from typing import Any, NamedTuple

import apsw

_numbers = itertools.count()


class Create(NamedTuple):
    """From now on ``name`` leads to ``inode``, which is empty."""

    inode: int
    name: str


class Delete(NamedTuple):
    name: str


class Write(NamedTuple):
    inode: int
    offset: int
    data: bytes


class Truncate(NamedTuple):
    inode: int
    size: int


class Sync(NamedTuple):
    """Everything written to ``inode`` is durable."""

    inode: int


class FailedSync(NamedTuple):
    """The kernel has given up what was written to ``inode``: it is in the cache, and no later sync makes it durable."""

    inode: int


class SyncNames(NamedTuple):
    """Every name is durable."""


Operation = Create | Delete | Write | Truncate | Sync | FailedSync | SyncNames


class RecordingDisk(apsw.VFS):
    """The default VFS while it lasts, so that the salts of write-ahead logs come from ``seed`` too."""

    file_type: type[RecordingFile]

    def __init__(self, seed: int) -> None:
        self.vfs_name = f"recording-{next(_numbers)}"
        self.recorded: list[Operation] = []
        self.inodes: dict[str, int] = {}
        self._seed = seed
        super().__init__(self.vfs_name, base="unix", makedefault=True)
        apsw.randomness(0)

    def end(self) -> None:
        self.unregister()
        apsw.randomness(0)

    def xRandomness(self, numbytes: int) -> bytes:
        return self._seed.to_bytes(8, "big").ljust(numbytes, b"\0")[:numbytes]

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        if name is None:
            return apsw.VFSFile("unix", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        is_new = not os.path.exists(path)
        file = self.file_type(self, os.path.basename(path), name, flags)
        if is_new:
            self._create(os.path.basename(path))
        return file

    def _create(self, name: str) -> None:
        inode = self.inodes[name] = len([op for op in self.recorded if isinstance(op, Create)])
        self.recorded.append(Create(inode, name))

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        name = os.path.basename(filename)
        self.inodes.pop(name, None)
        self.recorded.append(Delete(name))
        if syncdir:
            self.recorded.append(SyncNames())


class RecordingFile(apsw.VFSFile):
    def __init__(self, disk: RecordingDisk, basename: str, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        self._name = basename
        is_journal = flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL)
        self._syncs_names = bool(is_journal and flags[0] & apsw.SQLITE_OPEN_CREATE)

    @property
    def inode(self) -> int:
        return self._disk.inodes[self._name]

    def xWrite(self, data: Any, offset: int) -> None:
        super().xWrite(data, offset)
        self._disk.recorded.append(Write(self.inode, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._disk.recorded.append(Truncate(self.inode, newsize))

    def xSync(self, flags: int) -> None:
        # Not passed on: this disk is as durable as it says it is, and a recording needs no real syncs.
        self._disk.recorded.append(Sync(self.inode))
        if self._syncs_names:
            self._syncs_names = False
            self._disk.recorded.append(SyncNames())


RecordingDisk.file_type = RecordingFile


class QuietDisk(apsw.VFS):
    """The real disk without its syncs: for what is only looked at, and thrown away."""

    def __init__(self) -> None:
        self.vfs_name = f"quiet-{next(_numbers)}"
        super().__init__(self.vfs_name, base="unix")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return QuietFile("unix", name, flags)


class QuietFile(apsw.VFSFile):
    def xSync(self, flags: int) -> None:
        """As if done."""
