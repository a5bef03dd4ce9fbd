"""Where a house puts logs that it no longer keeps in the store: a file each (:mod:`auctionctl.replica.export`).

Rule: a file is there whole or not at all, and stays; writing it a second time gives the same bytes. It is on the disk
before :meth:`Writing.finish` returns, and only then may the store forget the log. Whatever fails here is an
ArchiveError: the store still has the log, and the house can go on without its archive.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from auctionctl.errors import ArchiveError, StoreError
from auctionctl.store.state_directory import make_private_directory, sync_directory

SUFFIX: Final = ".auction"
_UNFINISHED: Final = ".new"
_FILE_MODE: Final = 0o600
_NAME: Final = "archive directory"


class Archive:
    """The files in ``directory``, which is made (mode 0700) when it is needed; a name is ASCII without a slash."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, name: str) -> Path:
        """Where the file called ``name`` is, or would be."""
        return self._directory / f"{name}{SUFFIX}"

    def check(self) -> None:
        """Raise ArchiveError if what is there under the directory's name can hold no files of ours; make nothing."""
        if not os.path.lexists(self._directory):
            return
        self._make()
        if not os.access(self._directory, os.R_OK | os.W_OK | os.X_OK):
            raise ArchiveError(
                f"{_NAME} {self._directory} cannot be written to",
                hint=f"see whose it is, and on which disk: ls -ld {shlex.quote(str(self._directory))}",
            )

    def holds(self, name: str) -> bool:
        """Whether it is there, and so is whole. Raises ArchiveError if that cannot be seen."""
        path = self.path(name)
        with _disk(path, "look for"):
            try:
                return stat.S_ISREG(path.stat().st_mode)
            except (FileNotFoundError, NotADirectoryError):
                return False

    def write(self, name: str) -> Writing:
        """Begin the file called ``name``. Raises ArchiveError."""
        self._make()
        with _disk(self._directory, "make durable"):
            # Also where it was there: an earlier attempt may have failed between making it and making that durable.
            sync_directory(self._directory.parent)
        return Writing(self.path(name))

    def _make(self) -> None:
        try:
            make_private_directory(self._directory, _NAME)
        except StoreError as error:
            raise ArchiveError(str(error), hint=error.hint) from error


class Writing:
    """A file that comes into being, piece by piece; it has its name only after :meth:`finish`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(path.name + _UNFINISHED)
        with _disk(self._new, "open"):
            self._file: BinaryIO = open(  # noqa: SIM115 - closed by finish or abandon
                self._new, "wb", opener=lambda name, flags: os.open(name, flags, _FILE_MODE)
            )

    def add(self, pieces: Iterable[bytes]) -> None:
        """Write these behind what was written. Raises ArchiveError."""
        with _disk(self._new, "write"):
            self._file.writelines(pieces)

    def finish(self) -> None:
        """Make it durable and give it its name. Raises ArchiveError."""
        with _disk(self._new, "finish"):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            # The commit point: a crash before it leaves a file that is begun anew, a crash after it the whole one.
            self._new.replace(self._path)
            sync_directory(self._path.parent)

    def abandon(self) -> None:
        """Leave nothing of it, as far as the disk allows; what it does not is replaced by the next attempt."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._new.unlink(missing_ok=True)


@contextmanager
def _disk(path: Path, what: str) -> Iterator[None]:
    """What the operating system says of a disk, as an error of the archive; ``what`` was being done to ``path``."""
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"cannot {what} {path}: {error.strerror}", hint="look at that disk") from error
