"""``run/NAME.address``: where a house on this machine is reached, while it serves and no longer.

Rule: a house holds a lock on its file, which the kernel lets go however the house ends; an address whose file nobody
holds is that of a house which was killed, and counts for nothing. The file is locked before it gets its name.
Source: flock(2), rename(2).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from auctionctl.client.files import PRIVATE_MODE, make_private_directories
from auctionctl.client.paths import ADDRESS_SUFFIX, Paths
from auctionctl.errors import ConfigurationError

if TYPE_CHECKING:
    from auctionctl.wire.address import HouseAddress


class AddressFile:
    """The file of one house, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    @property
    def is_published(self) -> bool:
        """Whether an address stands there, by us."""
        return self._descriptor >= 0

    def publish(self, address: HouseAddress) -> None:
        """Say that the house is at ``address``, in place of whatever stands there. Raises ConfigurationError."""
        make_private_directories(self._path.parent)
        new = self._path.with_name(f".{self._path.name}.{os.urandom(6).hex()}.new")
        try:
            self._descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            os.write(self._descriptor, address.text.encode() + b"\n")
            new.replace(self._path)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise ConfigurationError(f"cannot write {self._path}: {(error.strerror or '').lower()}") from error

    def withdraw(self) -> None:
        """Take away what was published. What another has put there meanwhile is not ours to take."""
        if self._descriptor < 0:
            return
        with contextlib.suppress(OSError):
            if os.path.samestat(self._path.stat(), os.fstat(self._descriptor)):
                self._path.unlink()
        os.close(self._descriptor)
        self._descriptor = -1


@contextmanager
def published_address(paths: Paths, house: str) -> Iterator[AddressFile]:
    """The file of ``house`` while it serves; afterwards it is gone."""
    file = AddressFile(paths.address_file(house))
    try:
        yield file
    finally:
        file.withdraw()


def running_houses(paths: Paths) -> list[Path]:
    """The address files of the houses that run on this machine, by name."""
    found = sorted(paths.run.glob(f"[!.]*{ADDRESS_SUFFIX}")) if os.path.isdir(paths.run) else []
    return [path for path in found if _is_held(path)]


def _is_held(path: Path) -> bool:
    """Whether somebody holds the lock; a file that cannot be asked is for whoever reads it to complain of."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
