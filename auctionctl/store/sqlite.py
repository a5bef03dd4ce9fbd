"""A store in SQLite: the default, for a house of one instance.

Rule: one process, one connection, one thread; every commit is synced before it is answered; after a failed write or
sync nothing is retried. Source: DESIGN.md sections 9 and 10; sqlite.org: wal.html, pragma.html, rescode.html.

Entries are rows in the order of their arrival (why: :mod:`auctionctl.store`). Which positions are a log's is kept in
memory, 8 bytes an entry, read and checked when the store is opened.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import apsw

from auctionctl.errors import StoreBrokenError, StoreError, StoreFullError
from auctionctl.store.log_store import Append, LogStore, check_appends, check_name, check_time, extent
from auctionctl.store.state_directory import BALLAST_BYTES, Ballast, locked, make_private_directory

DATABASE_NAME: Final = "logs.sqlite3"
APPLICATION_ID: Final = 0x41756374  # "Auct"
LAYOUT_VERSION: Final = 2
# A checkpoint holds the next commit up: one of 2 MiB by 4 ms of CPU time, one of 8 MiB by 12 ms, one of 64 MiB by 100.
# Whoever works for so long at one go waits for the processor on a busy machine, there 65 ms for 8 MiB, and 15 for 2.
WAL_CAP_BYTES: Final = 2 * 1024 * 1024
# Below this a checkpoint costs two syncs and gains nothing.
MAINTAIN_FLOOR_BYTES: Final = 1024 * 1024
# Entries fetched at once: at most 4 MiB.
CHUNK_ENTRIES: Final = 256
# Written again at once when a store is opened that was not closed; SQLite's files take less than 128 KiB.
RENEWED_BYTES: Final = 64 * 1024
# Entries of removed logs that one call of maintain() takes away: some milliseconds.
SWEEP_ENTRIES: Final = 1_000

LAYOUT: Final = (
    "CREATE TABLE logs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE entries (position INTEGER PRIMARY KEY, log INTEGER NOT NULL, idx INTEGER NOT NULL,"
    " data BLOB NOT NULL) STRICT",
    # Rows of logs whose entries are nobody's any more, until the last of them is taken away.
    "CREATE TABLE removed (id INTEGER PRIMARY KEY) STRICT",
    # Apart from logs: a claim may come before the first entry, and logs are listed in the order of their first entries.
    "CREATE TABLE claims (log TEXT PRIMARY KEY, epoch INTEGER NOT NULL, instance TEXT NOT NULL) STRICT",
    "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), last_alive_ns INTEGER NOT NULL) STRICT",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {LAYOUT_VERSION}",
)

# Set, then read back: (pragma, value to set, value read). fullfsync is without effect outside macOS.
_SETTINGS: Final = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("fullfsync", 1, 1),
    ("trusted_schema", 0, 0),
)
# Set earlier than those, or by other means: (pragma, value read).
_SETTINGS_BEFORE: Final = (("locking_mode", "exclusive"), ("wal_autocheckpoint", 0))

_KEPT_HINT: Final = "end the process and look at the disk; every append that was answered is kept"


def sqlite_version() -> str:
    """The version of the library that the store runs on, such as ``3.51.3``."""
    return str(apsw.sqlite_lib_version())


class _Log:
    """One log: its row in ``logs``, and the position in ``entries`` of each of its entries, by index."""

    __slots__ = ("positions", "row")

    def __init__(self, row: int) -> None:
        self.row = row
        self.positions = array("q")


class SqliteStore(LogStore):
    """Logs in ``directory/logs.sqlite3``; see :class:`auctionctl.store.log_store.LogStore` for the promises.

    Beyond the contract: :meth:`maintain`, to be called when there is nothing to do, and :meth:`release_ballast`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        vfs: str | None = None,
        wal_cap_bytes: int = WAL_CAP_BYTES,
        ballast_target_bytes: int = BALLAST_BYTES,
        holder_pid: int | None = None,
    ) -> None:
        """Lock ``directory`` (created with mode 0700 if missing), open the database in it and check it.

        ``vfs`` names a registered SQLite VFS for the database's files, ``holder_pid`` the process that the lock names.
        Time: 0.6 s per million entries.

        :raises StoreLockedError: another process, or another store in this one, holds the directory
        :raises StoreFullError: no room to create the database
        :raises StoreError: loose modes, another application's or version's database, damage, settings not in force
        """
        self._trouble: str | None = None
        self._closed = False
        self._logs: dict[str, _Log] = {}
        self._removed: dict[int, array[int]] = {}
        self._next_position = 1
        self._next_row = 1
        self._last_alive_ns: int | None = None
        self._wal_pages = 0
        self._wal_cap_bytes = wal_cap_bytes
        self._path = directory / DATABASE_NAME
        with ExitStack() as resources:
            make_private_directory(directory)
            resources.enter_context(locked(directory, holder_pid))
            with self._opening():
                self._connection = apsw.Connection(str(self._path), vfs=vfs)
                resources.callback(self._close_connection)
                self._cursor = self._connection.cursor()
                self._configure()
                self._renew(vfs or "")
                self._load()
            self._page_bytes = int(self._connection.pragma("page_size"))
            self._wal_due_bytes = wal_cap_bytes
            self._ballast = Ballast(directory, ballast_target_bytes)
            self._resources = resources.pop_all()

    # The contract

    def append(self, appends: Sequence[Append], now_ns: int) -> None:
        """As the contract says; one transaction, one sync. CPU: 4 µs a row in batches of 100."""
        self._require_usable()
        check_time(now_ns)
        check_appends(appends, self._size_of)
        position = self._next_position
        opened: dict[str, _Log] = {}
        growing: list[_Log] = []
        rows: list[tuple[int, int, int, bytes]] = []
        with self._writing():
            self._cursor.execute("BEGIN IMMEDIATE")
            for name, expected_size, entries in appends:
                if not entries:
                    continue
                log = self._logs.get(name) or opened.get(name)
                if log is None:
                    log = opened[name] = self._insert(name)
                row, ahead = log.row, position - expected_size
                rows += [(ahead + index, row, index, data) for index, data in enumerate(entries, expected_size)]
                growing += [log] * len(entries)
                position += len(entries)
            self._cursor.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", rows)
            self._write_alive(now_ns)
            # The commit point: a crash before its sync returns leaves all of the group or nothing of it. From there on
            # it is durable: a crash loses the answer, not the entries. What follows only says so in memory.
            self._cursor.execute("COMMIT")
            self._logs.update(opened)
            for log, added in zip(growing, rows, strict=True):
                log.positions.append(added[0])
            self._next_position = position
            self._note_alive(now_ns)
        if self.wal_bytes >= self._wal_due_bytes:
            self._checkpoint_over_cap()

    def read(self, log: str, start: int = 0, limit: int | None = None) -> Iterator[bytes]:
        """As the contract says; 256 entries at a time, 1 µs each. No transaction stays open in between."""
        return self._iterate(log, extent(self.size(log), start, limit))

    def _iterate(self, log: str, indices: range) -> Iterator[bytes]:
        for first in range(indices.start, indices.stop, CHUNK_ENTRIES):
            self._require_usable()
            positions = self._logs[log].positions[first : min(first + CHUNK_ENTRIES, indices.stop)]
            marks = ",".join("?" * len(positions))
            try:
                rows: list[Any] = self._cursor.execute(
                    f"SELECT data FROM entries WHERE position IN ({marks}) ORDER BY position",  # noqa: S608 (only marks)
                    tuple(positions),
                ).fetchall()
            except apsw.Error as error:
                raise StoreError(f"log {log} cannot be read from entry {first} on: {error}") from error
            if len(rows) != len(positions):
                raise StoreError(f"log {log} has lost entries among {first} to {first + len(positions) - 1}")
            for (data,) in rows:
                yield data

    def size(self, log: str) -> int:
        """As the contract says; from memory."""
        self._require_usable()
        return self._size_of(log)

    def _size_of(self, log: str) -> int:
        found = self._logs.get(log)
        return 0 if found is None else len(found.positions)

    def logs(self) -> list[tuple[str, int]]:
        """As the contract says; from memory."""
        self._require_usable()
        return [(name, len(log.positions)) for name, log in self._logs.items()]

    def remove(self, log: str, expected_size: int) -> None:
        """As the contract says; one commit, whatever the size. :meth:`maintain` frees the space, bit by bit."""
        self._require_usable()
        check_appends([Append(log, expected_size, ())], self.size)
        found = self._logs.get(log)
        if found is None:
            return
        with self._writing():
            self._cursor.execute("BEGIN IMMEDIATE")
            self._cursor.execute("INSERT INTO removed VALUES (?)", (found.row,))
            self._cursor.execute("DELETE FROM logs WHERE id = ?", (found.row,))
            # The commit point: a crash before it leaves the whole log, a crash after it entries that belong to none.
            self._cursor.execute("COMMIT")
            del self._logs[log]
            self._removed[found.row] = found.positions

    def claim(self, log: str, instance: str) -> int:
        """As the contract says; one commit."""
        self._require_usable()
        check_name(log)
        check_name(instance)
        with self._writing():
            epochs: list[Any] = self._cursor.execute(
                "INSERT INTO claims VALUES (?, 1, ?)"
                " ON CONFLICT (log) DO UPDATE SET epoch = epoch + 1, instance = excluded.instance RETURNING epoch",
                (log, instance),
            ).fetchall()
        return int(epochs[0][0])

    def alive(self, now_ns: int) -> None:
        """As the contract says; one commit, or none if a later time is known."""
        self._require_usable()
        check_time(now_ns)
        with self._writing():
            self._write_alive(now_ns)
            self._note_alive(now_ns)

    def last_alive_ns(self) -> int | None:
        """As the contract says; from memory."""
        self._require_usable()
        return self._last_alive_ns

    def close(self) -> None:
        """As the contract says: closes the database and unlocks the directory."""
        if not self._closed:
            self._closed = True
            if self._trouble is not None:
                # Closing would copy the write-ahead log into the database: a retry after a failed sync.
                self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            self._resources.close()

    # Beyond the contract

    @property
    def wal_bytes(self) -> int:
        """How much of the write-ahead log the last commit left in use; a checkpoint lets it start again from 0."""
        return self._wal_pages * self._page_bytes

    @property
    def size_bytes(self) -> int:
        """How large the database and its write-ahead log are on disk."""
        wal = self._path.with_name(self._path.name + "-wal")
        return sum(path.stat().st_size for path in (self._path, wal) if path.exists())

    @property
    def ballast_bytes(self) -> int:
        """How much ballast there is: 0 after :meth:`release_ballast`, or where there was no room for it at opening."""
        return self._ballast.held_bytes

    def maintain(self) -> None:
        """Copy the write-ahead log into the database (a passive checkpoint), if it is over 1 MiB; sweep up a little.

        For idle moments: it holds the next commit up by some milliseconds, and spares it the longer wait that an
        append takes upon itself once the log has grown to its cap.

        :raises StoreFullError: no room for the database to grow; nothing is lost, reads and appends may still work
        :raises StoreBrokenError: durability is unknown; the process must end
        """
        self._require_usable()
        if self._removed:
            self._sweep()
        if self.wal_bytes >= MAINTAIN_FLOOR_BYTES:
            self._checkpoint()

    def release_ballast(self) -> int:
        """Give the ballast's blocks back to a full disk, to finish what must be finished; returns how many bytes.

        Made again when the store is next opened, where the disk has twice its size to spare.
        """
        self._require_usable()
        return self._ballast.release()

    # Opening

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except apsw.NotADBError as error:
            raise self._foreign_error() from error
        except apsw.FullError as error:
            raise StoreFullError(f"no room to open {self._path}", hint="make room on that disk") from error
        except (apsw.Error, OSError) as error:
            raise StoreError(
                f"cannot open {self._path}: {error}", hint="look at the disk, or restore a copy"
            ) from error

    def _configure(self) -> None:
        # Before anything is read: with an exclusive lock from the first access on, the index of the write-ahead log
        # is kept in this process's memory and not in a shared file.
        self._connection.pragma("locking_mode", "EXCLUSIVE")
        blank = self._identify()
        for pragma, value, _ in _SETTINGS:
            self._connection.pragma(pragma, value)
        # Takes the place of SQLite's own automatic checkpoint.
        self._connection.set_wal_hook(self._note_wal)
        for pragma, expected in (*_SETTINGS_BEFORE, *((pragma, read) for pragma, _, read in _SETTINGS)):
            found = self._connection.pragma(pragma)
            if found != expected:
                raise StoreError(f"{self._path}: {pragma} is {found!r} and cannot be made {expected!r}")
        if blank:
            self._cursor.execute("BEGIN IMMEDIATE")
            for statement in LAYOUT:
                self._cursor.execute(statement).fetchall()
            self._cursor.execute("COMMIT")

    def _renew(self, vfs: str) -> None:
        """Write once more, and sync, the whole write-ahead log and the page without which SQLite throws it away.

        After a failed sync the kernel may show what is not on the disk, and never will be: entries that are appended
        behind it would be lost with it, in spite of their own syncs. So nothing is appended to a log as it is found.
        The same bytes in the same places: a crash in the middle of it changes nothing.
        """
        log = self._path.with_name(f"{DATABASE_NAME}-wal")
        log_bytes = log.stat().st_size if log.exists() else 0
        if not log_bytes:
            return
        for path, kind, length in (
            (log, apsw.SQLITE_OPEN_WAL, log_bytes),
            (self._path, apsw.SQLITE_OPEN_MAIN_DB, int(self._connection.pragma("page_size"))),
        ):
            file = apsw.VFSFile(vfs, str(path), [kind | apsw.SQLITE_OPEN_READWRITE, 0])
            try:
                for start in range(0, length, RENEWED_BYTES):
                    file.xWrite(file.xRead(min(RENEWED_BYTES, length - start), start), start)
                file.xSync(apsw.SQLITE_SYNC_FULL)
            finally:
                file.xClose()

    def _identify(self) -> bool:
        """True for a database without anything in it. Changes nothing, lest it harm what is not ours."""
        application = self._connection.pragma("application_id")
        version = self._connection.pragma("user_version")
        ((tables,),) = self._cursor.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        if (application, version, tables) == (0, 0, 0):
            return True
        if application != APPLICATION_ID:
            raise self._foreign_error()
        if version != LAYOUT_VERSION:
            raise StoreError(
                f"{self._path} has layout {version}; this version of auctionctl knows layout {LAYOUT_VERSION}",
                hint="use the version of auctionctl that wrote it",
            )
        return False

    def _foreign_error(self) -> StoreError:
        return StoreError(f"{self._path} is no database of auctionctl", hint="choose another state directory")

    def _load(self) -> None:
        by_row: dict[int, _Log] = {}
        for row, name in self._cursor.execute("SELECT id, name FROM logs ORDER BY id"):
            self._logs[name] = by_row[row] = _Log(row)
        self._removed = {row: array("q") for (row,) in self._cursor.execute("SELECT id FROM removed")}
        self._next_row = max([*by_row, *self._removed], default=0) + 1
        position = 0
        for position, row, index in self._cursor.execute("SELECT position, log, idx FROM entries ORDER BY position"):
            if row in self._removed:
                self._removed[row].append(position)
                continue
            log = by_row.get(row)
            if log is None or index != len(log.positions):
                raise self._hole_error(row, index)
            log.positions.append(position)
        self._next_position = position + 1
        times_ns: list[Any] = self._cursor.execute("SELECT last_alive_ns FROM meta").fetchall()
        self._last_alive_ns = times_ns[0][0] if times_ns else None

    def _hole_error(self, row: int, index: int) -> StoreError:
        names = [name for name, log in self._logs.items() if log.row == row]
        which = names[0] if names else f"in row {row}, without a name,"
        return StoreError(
            f"log {which} of {self._path} has a hole before entry {index}",
            hint="restore the state directory from a copy; what is missing was once answered for",
        )

    def _close_connection(self) -> None:
        # Closing copies the write-ahead log into the database; where that fails the log stays, and nothing is lost.
        with suppress(apsw.Error, OSError):
            self._connection.close()

    # Writing

    def _require_usable(self) -> None:
        if self._trouble is not None:
            raise StoreBrokenError(f"durability is unknown since {self._trouble}", hint=_KEPT_HINT)
        if self._closed:
            raise StoreError("the store is closed")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Tell apart the three ends of a write: done; no room, and undone; unknown, and then nothing goes on."""
        # Pessimistic: also right for what leaves by another way, such as an interrupt from the keyboard.
        self._trouble = "a write was interrupted"
        try:
            yield
        except (apsw.Error, OSError) as error:
            if isinstance(error, apsw.FullError) and not self._connection.in_transaction:
                # SQLite itself has rolled back, which writes nothing.
                self._trouble = None
                raise StoreFullError(f"no room left for {self._path}", hint="make room on that disk") from error
            # A failed sync may have dropped the very pages that a second one would report as safe.
            self._trouble = f"a write to {self._path} failed ({error})"
            raise StoreBrokenError(f"durability is unknown since {self._trouble}", hint=_KEPT_HINT) from error
        self._trouble = None

    def _insert(self, name: str) -> _Log:
        # A row's number is not given twice: entries that are nobody's would be the new log's.
        row, self._next_row = self._next_row, self._next_row + 1
        self._cursor.execute("INSERT INTO logs VALUES (?, ?)", (row, name))
        return _Log(row)

    def _write_alive(self, now_ns: int) -> None:
        if self._last_alive_ns is None or now_ns > self._last_alive_ns:
            self._cursor.execute(
                "INSERT INTO meta VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET last_alive_ns = excluded.last_alive_ns",
                (now_ns,),
            )

    def _note_alive(self, now_ns: int) -> None:
        self._last_alive_ns = max(now_ns, self._last_alive_ns or 0)

    def _note_wal(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _sweep(self) -> None:
        """Take some entries of a removed log away, and its row with the last of them."""
        row, positions = next(iter(self._removed.items()))
        gone = positions[-SWEEP_ENTRIES:]
        with self._writing():
            self._cursor.execute("BEGIN IMMEDIATE")
            self._cursor.executemany("DELETE FROM entries WHERE position = ?", [(position,) for position in gone])
            if len(gone) == len(positions):
                self._cursor.execute("DELETE FROM removed WHERE id = ?", (row,))
            self._cursor.execute("COMMIT")
            del positions[-SWEEP_ENTRIES:]
            if not positions:
                del self._removed[row]

    def _checkpoint(self) -> None:
        with self._writing():
            # Passive, as a truncated log would have to grow again, and syncing a growing file is slow.
            written, copied = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._wal_pages = written - copied
        self._wal_due_bytes = self._wal_cap_bytes

    def _checkpoint_over_cap(self) -> None:
        try:
            self._checkpoint()
        except StoreFullError:
            # The append before it is durable and must say so. The next ones find out for themselves whether there is
            # room; until the log has grown by another cap they are not slowed down by trying this again.
            self._wal_due_bytes = self.wal_bytes + self._wal_cap_bytes
