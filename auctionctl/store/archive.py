"""Where a house puts logs that it no longer keeps in the store: a file each (:mod:`auctionctl.replica.export`).

Rule: a file is there whole or not at all, and stays; writing it a second time gives the same bytes. It is on the disk
before :meth:`Writing.finish` returns, and only then may the store forget the log.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from auctionctl.errors import StoreBrokenError, StoreFullError
from auctionctl.store.state_directory import make_private_directory, sync_directory

SUFFIX: Final = ".auction"
_UNFINISHED: Final = ".new"
_FILE_MODE: Final = 0o600


class Archive:
    """The files in ``directory``, which is made (mode 0700) when it is needed; a name is ASCII without a slash."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, name: str) -> Path:
        """Where the file called ``name`` is, or would be."""
        return self._directory / f"{name}{SUFFIX}"

    def holds(self, name: str) -> bool:
        """Whether it is there, and so is whole."""
        return self.path(name).is_file()

    def write(self, name: str) -> Writing:
        """Begin the file called ``name``. Raises StoreFullError or StoreBrokenError."""
        make_private_directory(self._directory)
        return Writing(self.path(name))


class Writing:
    """A file that comes into being, piece by piece; it has its name only after :meth:`finish`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(path.name + _UNFINISHED)
        with _disk(self._new):
            self._file: BinaryIO = open(  # noqa: SIM115 - closed by finish or abandon
                self._new, "wb", opener=lambda name, flags: os.open(name, flags, _FILE_MODE)
            )

    def add(self, pieces: Iterable[bytes]) -> None:
        """Write these behind what was written. Raises StoreFullError or StoreBrokenError."""
        with _disk(self._new):
            self._file.writelines(pieces)

    def finish(self) -> None:
        """Make it durable and give it its name."""
        with _disk(self._new):
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
def _disk(path: Path) -> Iterator[None]:
    """What the operating system says of a disk, as errors of the store: a full one can be mended, others are not."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFullError(f"no room left for {path}", hint="make room on that disk") from error
        raise StoreBrokenError(f"a write to {path} failed ({error.strerror})", hint="look at the disk") from error
