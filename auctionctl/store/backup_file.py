"""A backup: all logs of a house in one file, a SQLite database in the layout of the store.

Rule: a file is there whole or not at all, and has its name only once it is on the disk. One table more than a store has
says whose logs they are, and when they were taken; the epochs of claims are not among them. What the entries say is
for others to check (:mod:`auctionctl.replica.house_logs`). Source: sqlite.org: uri.html, pragma.html.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import apsw

from auctionctl.errors import BackupError, NotFoundError
from auctionctl.store.log_store import check_name
from auctionctl.store.sqlite import APPLICATION_ID, LAYOUT, LAYOUT_VERSION
from auctionctl.store.state_directory import sync_directory

FILE_MODE: Final = 0o600
_TABLE: Final = (
    "CREATE TABLE backup (id INTEGER PRIMARY KEY CHECK (id = 1), house TEXT NOT NULL, taken_ns INTEGER NOT NULL) STRICT"
)
_SETTINGS: Final = (("journal_mode", "OFF"), ("synchronous", "OFF"), ("trusted_schema", 0))
_DAMAGED_HINT: Final = "take another backup, or another copy of this one"


@dataclass(frozen=True, slots=True)
class BackupLabel:
    """Whose logs they are (text of the identity), when they were taken, and until when the house was alive by then."""

    house: str
    taken_ns: int
    last_alive_ns: int


@dataclass(frozen=True, slots=True)
class _Extent:
    """Where the entries of a log lie: ``size`` rows in one piece."""

    row: int
    first_position: int
    size: int


class Backup:
    """A backup that is open for reading; ``label`` says whose it is."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection
        with self._reading():
            self.label = self._read_label()
            self._extents = self._read_extents()

    def logs(self) -> Mapping[str, int]:
        """Name and size of every log, in the order in which they stand there."""
        return {name: extent.size for name, extent in self._extents.items()}

    def read(self, log: str) -> Iterator[bytes]:
        """The entries of ``log`` in order; none if it is not there. Raises BackupError for damage, while iterating."""
        extent = self._extents.get(log)
        if extent is None:
            return
        with self._reading():
            rows = self._connection.execute(
                "SELECT log, idx, data FROM entries WHERE position >= ? ORDER BY position LIMIT ?",
                (extent.first_position, extent.size),
            )
            count = 0
            for row, index, data in rows:
                if (row, index) != (extent.row, count):
                    raise self._damaged(f"log {log} has a hole before entry {count}")
                count += 1
                yield data
            if count != extent.size:
                raise self._damaged(f"log {log} has lost entries")

    def _read_label(self) -> BackupLabel:
        tables = {name for (name,) in self._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if self._connection.pragma("application_id") != APPLICATION_ID or "backup" not in tables:
            raise BackupError(f"{self._path} is no backup of a house", hint="one is made with: auctionctl backup FILE")
        version = self._connection.pragma("user_version")
        if version != LAYOUT_VERSION:
            raise BackupError(
                f"{self._path} has layout {version}; this version of auctionctl knows layout {LAYOUT_VERSION}",
                hint="use the version of auctionctl that wrote it",
            )
        labels: list[Any] = self._connection.execute(
            "SELECT house, taken_ns, last_alive_ns FROM backup, meta"
        ).fetchall()
        if len(labels) != 1:
            raise self._damaged("it does not say whose it is")
        # Of a file from anywhere, whose tables need not be as strict as ours.
        match labels[0]:
            case (str(house), int(taken_ns), int(last_alive_ns)):
                return BackupLabel(house, taken_ns, last_alive_ns)
        raise self._damaged("it does not say whose it is, and of when")

    def _read_extents(self) -> dict[str, _Extent]:
        rows = self._connection.execute(
            "SELECT name, id, min(position), count(*) FROM logs JOIN entries ON log = logs.id GROUP BY id ORDER BY id"
        )
        return {name: _Extent(row, first, size) for name, row, first, size in rows}

    def _damaged(self, how: str) -> BackupError:
        return BackupError(f"{self._path} is damaged: {how}", hint=_DAMAGED_HINT)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except apsw.NotADBError as error:
            raise BackupError(f"{self._path} is no backup of a house", hint=_DAMAGED_HINT) from error
        except apsw.Error as error:
            raise self._damaged(str(error)) from error


@contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """The backup at ``path``, which is not changed, and beside which nothing is made.

    Raises NotFoundError if there is nothing, BackupError for what is no backup, is damaged or cannot be read.
    """
    if not path.exists():
        raise NotFoundError(f"there is no file {path}", hint="one is made with: auctionctl backup FILE")
    # Immutable: SQLite then looks for no log beside the file, and takes no lock.
    uri = f"file:{quote(str(path.absolute()))}?immutable=1"
    try:
        connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    except apsw.Error as error:
        raise BackupError(f"cannot open {path}: {error}", hint="give a file that you may read") from error
    try:
        yield Backup(path, connection)
    finally:
        connection.close()


def write_backup(path: Path, label: BackupLabel, logs: Iterable[tuple[str, Iterable[bytes]]]) -> None:
    """Put these logs at ``path``, in this order, in place of what is there; mode 0600.

    Raises BackupError, and what the iteration of ``logs`` raises; then nothing has changed, and nothing is left over.
    """
    path = Path(os.path.realpath(path))
    new = path.with_name(f".{path.name}.{os.urandom(6).hex()}.new")
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
        _fill(new, label, logs)
        descriptor = os.open(new, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        # The commit point: before it the old file is there, after it the new one, whole and on the disk.
        new.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise BackupError(
            f"cannot write {path}: {(error.strerror or '').lower()}", hint="choose a place where you may write"
        ) from error
    except apsw.Error as error:
        raise BackupError(f"cannot write {path}: {error}", hint="look at that disk, and at the room on it") from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def _fill(path: Path, label: BackupLabel, logs: Iterable[tuple[str, Iterable[bytes]]]) -> None:
    """Without a journal or syncs: nobody sees the file before the whole of it is synced."""
    connection = apsw.Connection(str(path))
    try:
        for pragma, value in _SETTINGS:
            connection.pragma(pragma, value)
        connection.execute("BEGIN")
        for statement in (*LAYOUT, _TABLE):
            connection.execute(statement).fetchall()
        connection.execute("INSERT INTO backup VALUES (1, ?, ?)", (label.house, label.taken_ns))
        connection.execute("INSERT INTO meta VALUES (1, ?)", (label.last_alive_ns,))
        position = 1
        for row, (name, entries) in enumerate(logs, 1):
            check_name(name)
            connection.execute("INSERT INTO logs VALUES (?, ?)", (row, name))
            for index, data in enumerate(entries):
                connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?)", (position, row, index, data))
                position += 1
        connection.execute("COMMIT")
    finally:
        connection.close()
