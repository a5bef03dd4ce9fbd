"""The directory that holds a house's state: private, locked by one process, with ballast for a full disk.

Rule: whoever cannot have it alone does not have it at all. The lock is ``flock`` on the file ``lock`` in it, which the
kernel lets go when its holder ends, however it ends; the pid inside is for people only. Source: DESIGN.md section 9,
flock(2).
"""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from auctionctl.errors import StoreError, StoreLockedError

BALLAST_BYTES = 8 * 1024 * 1024
IDENTITY_NAME = "identity"
"""The file in a state directory that says whose it is, for as long as it has served."""


def make_private_directory(directory: Path, name: str = "state directory") -> None:
    """Create ``directory`` with mode 0700 (and what leads to it), durably; accept it if it is there and private.

    ``name`` is what errors call it.

    :raises StoreError: it cannot be created, is no directory, or others have access to it
    """
    try:
        if not directory.is_dir():
            missing = [path for path in (directory, *directory.parents) if not path.exists()]
            directory.parent.mkdir(parents=True, exist_ok=True)
            directory.mkdir(mode=0o700)
            # A crash must not take away the name under which acknowledged entries lie.
            for path in missing:
                sync_directory(path.parent)
        mode = directory.stat().st_mode & 0o777
    except OSError as error:
        raise StoreError(f"cannot use {name} {directory}: {error.strerror}") from error
    if mode & 0o077:
        raise StoreError(
            f"{name} {directory} has mode {mode:04o}: others have access to it",
            hint=f"chmod 700 {shlex.quote(str(directory))}",
        )


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` durable. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(directory: Path, holder_pid: int | None = None) -> Iterator[None]:
    """Hold ``directory`` alone among all processes that ask, this one included.

    ``holder_pid`` is what others are told: the process to speak to, where that is not this one.

    :raises StoreLockedError: somebody holds it; names the directory and the holder's pid
    :raises StoreError: the lock file cannot be opened
    """
    path = directory / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _locked_error(directory, os.pread(descriptor, 32, 0)) from error
        os.ftruncate(descriptor, 0)
        # On a full disk the pid may be missing: the lock holds all the same.
        with suppress(OSError):
            os.pwrite(descriptor, b"%d\n" % (holder_pid or os.getpid()), 0)
        yield
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
    finally:
        # The file stays: whoever unlinked it would let two processes lock two files of one name.
        os.close(descriptor)


def _locked_error(directory: Path, content: bytes) -> StoreLockedError:
    pid = content.strip()
    if pid.isdigit():
        return StoreLockedError(
            f"state directory {directory} is in use by process {int(pid)}",
            hint=f"see what it is with: ps -p {int(pid)}",
        )
    return StoreLockedError(
        f"state directory {directory} is in use by another process",
        hint=f"find it with: lsof {shlex.quote(str(directory / 'lock'))}",
    )


class Ballast:
    """Real blocks in the file ``ballast``, held so that there is something to let go of when the disk is full."""

    def __init__(self, directory: Path, target_bytes: int) -> None:
        """Keep what is there, or fill it up to ``target_bytes`` where the disk has at least twice that left.

        Never fails: a house without ballast runs. How much there is, is in :attr:`held_bytes`.
        """
        self._path = directory / "ballast"
        self.held_bytes = self._measured_bytes()
        if self.held_bytes < target_bytes:
            self._fill(target_bytes)

    def release(self) -> int:
        """Give the blocks back to the file system; returns how many bytes that were."""
        released_bytes = self.held_bytes
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self.held_bytes = self._measured_bytes()
        return released_bytes - self.held_bytes

    def _measured_bytes(self) -> int:
        try:
            status = self._path.stat()
        except OSError:
            return 0
        # A sparse file would be long and hold nothing.
        return min(status.st_size, status.st_blocks * 512)

    def _fill(self, target_bytes: int) -> None:
        try:
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < 2 * target_bytes:
                # Entries need the last room more than the ballast does.
                return
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError:
            return
        try:
            # Random, so that a file system that compresses or shares blocks allocates them too.
            with open(descriptor, "wb") as file:
                file.write(os.urandom(target_bytes))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            # Half a ballast on a disk without room for it does nobody any good.
            self.release()
        else:
            self.held_bytes = target_bytes
