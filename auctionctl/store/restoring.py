"""A store made from a backup, in the place of the one that is there.

Rule: the new database is whole and on the disk before it takes the place of the old one, in a single step, under the
lock of the state directory; the old one keeps another name, and is never deleted. What fails before that step leaves
everything as it was. A database that can be read is whole without its write-ahead log before that log goes.
Source: DESIGN.md section 9, rename(2), link(2); sqlite.org: wal.html.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from auctionctl.errors import StoreError
from auctionctl.store.backup_file import Backup
from auctionctl.store.cluster_mark import check_not_in_cluster
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import DATABASE_NAME, SqliteStore
from auctionctl.store.state_directory import locked, make_private_directory, sync_directory

ENTRIES_A_COMMIT: Final = 500
_LOG_NAME: Final = f"{DATABASE_NAME}-wal"


@dataclass(frozen=True, slots=True)
class Restoring:
    """A state directory that is held, to be restored or left as it is.

    ``lacking`` is how many entries its store has that the backup lacks; None if it cannot be read, for the reason in
    ``trouble``. ``log_is_needed`` says that a store which can be read is not whole without its write-ahead log.
    """

    lacking: int | None
    trouble: str
    log_is_needed: bool
    _directory: Path
    _backup: Backup

    def put(self, aside: Path) -> bool:
        """Put the backup's logs in the place of the store, which is in ``aside`` afterwards; False if there was none.

        Raises StoreError if a disk fails, BackupError for a backup that is damaged: then nothing has changed.
        """
        if self.log_is_needed:
            raise StoreError(
                f"the write-ahead log of {self._directory / DATABASE_NAME} cannot be copied into it",
                hint="nothing has changed; look at that disk, or move this state elsewhere before restoring",
            )
        with _beside(self._directory) as building:
            _build(building, self._backup)
            return _replace(self._directory, building / DATABASE_NAME, aside)


@contextmanager
def restoring(directory: Path, backup: Backup) -> Iterator[Restoring]:
    """Hold the state ``directory``, compare its store, if there is one, with ``backup``, and perhaps restore it.

    Raises StoreLockedError if somebody else holds it, StoreError if it cannot be used,
    ConfigurationError if a cluster has the logs.
    """
    was_there = directory.exists()
    try:
        make_private_directory(directory)
        check_not_in_cluster(directory, "restore its stream there, see auctionctl-cluster(7): nats stream restore")
        with locked(directory):
            yield _compare(directory, backup)
    except OSError as error:
        raise StoreError(
            f"cannot restore {directory}: {(error.strerror or '').lower()}",
            hint="nothing has changed; look at that disk",
        ) from error
    finally:
        if not was_there and not (directory / DATABASE_NAME).exists():
            _take_away(directory)


def _compare(directory: Path, backup: Backup) -> Restoring:
    found = _files(directory)
    if not found:
        return Restoring(0, "", False, directory, backup)
    with _beside(directory) as place:
        # Under other names: whatever SQLite thinks of these files, none of them loses its own.
        for path in found:
            os.link(path, place / path.name)
        try:
            store = SqliteStore(place, ballast_target_bytes=0)
        except StoreError as error:
            return Restoring(None, str(error).replace(str(place), str(directory)), False, directory, backup)
        try:
            lacking, trouble = _count(store, backup)
        finally:
            # Copies the log into the database, which is the old one itself, and takes the log's name here away.
            store.close()
        return Restoring(lacking, trouble, (place / _LOG_NAME).exists(), directory, backup)


def _count(store: SqliteStore, backup: Backup) -> tuple[int | None, str]:
    """How many entries the backup lacks, or why that cannot be said."""
    try:
        return sum(_lacking(store, log, size, backup) for log, size in store.logs()), ""
    except StoreError as error:
        return None, str(error)


def _lacking(store: SqliteStore, log: str, size: int, backup: Backup) -> int:
    same = 0
    for ours, theirs in zip(store.read(log), backup.read(log), strict=False):
        if ours != theirs:
            break
        same += 1
    return size - same


def _files(directory: Path) -> list[Path]:
    """The files of the store in ``directory``."""
    return [directory / name for name in (DATABASE_NAME, _LOG_NAME) if (directory / name).exists()]


@contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    """A private directory beside ``directory``, on its disk, for as long as it is needed."""
    place = Path(tempfile.mkdtemp(prefix=".restoring-", dir=directory.parent))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _take_away(directory: Path) -> None:
    """What was made for nothing; whatever else has got in there meanwhile stays."""
    with suppress(OSError):
        (directory / "lock").unlink(missing_ok=True)
        directory.rmdir()


def _build(directory: Path, backup: Backup) -> None:
    store = SqliteStore(directory, ballast_target_bytes=0)
    try:
        for log in backup.logs():
            start, reading = 0, backup.read(log)
            while entries := tuple(_some(reading)):
                store.append([Append(log, start, entries)], backup.label.last_alive_ns)
                start += len(entries)
    finally:
        store.close()
    if (directory / _LOG_NAME).exists():
        raise StoreError(
            f"what was restored could not be copied from its write-ahead log into {DATABASE_NAME}",
            hint="nothing has changed; look at that disk",
        )


def _some(reading: Iterator[bytes]) -> Iterator[bytes]:
    return islice(reading, ENTRIES_A_COMMIT)


def _replace(directory: Path, new: Path, aside: Path) -> bool:
    here = _files(directory)
    if here:
        aside.mkdir(0o700)
    try:
        for path in here:
            os.link(path, aside / path.name)
        if here:
            sync_directory(aside)
            sync_directory(aside.parent)
        # It would be taken for the new database's. A crash right here leaves the old one, which is whole without it, or
        # which nobody could open; both files are aside and on the disk.
        (directory / _LOG_NAME).unlink(missing_ok=True)
        # The commit point: before it the old store is there, after it the new one.
        new.replace(directory / DATABASE_NAME)
    except OSError:
        for path in here:
            if not path.exists():
                os.link(aside / path.name, path)
        if here:
            shutil.rmtree(aside, ignore_errors=True)
        raise
    sync_directory(directory)
    return bool(here)
