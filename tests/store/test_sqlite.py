"""The SQLite store over the real disk: what opening checks, what the files are, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from auctionctl.errors import StoreError, StoreLockedError
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import (
    APPLICATION_ID,
    DATABASE_NAME,
    LAYOUT_VERSION,
    MAINTAIN_FLOOR_BYTES,
    SWEEP_ENTRIES,
    WAL_CAP_BYTES,
    SqliteStore,
)
from auctionctl.store.state_directory import BALLAST_BYTES

A, B = "auction/a", "auction/b"
BIG = b"x" * 16_000


def opened(directory: Path, **sizes: int) -> SqliteStore:
    return SqliteStore(directory, **{"ballast_target_bytes": 0, **sizes})


def edit(directory: Path, *statements: str) -> None:
    """Change a closed database behind the store's back."""
    connection = apsw.Connection(str(directory / DATABASE_NAME))
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.close()


def test_the_settings_are_in_force_after_opening_and_after_opening_again(tmp_path: Path) -> None:
    for _ in range(2):
        store = opened(tmp_path)
        store.append([Append("registry", store.size("registry"), (b"x",))], 1)
        asked = {
            pragma: store._connection.pragma(pragma)
            for pragma in (
                "journal_mode", "synchronous", "fullfsync", "locking_mode", "wal_autocheckpoint",
                "trusted_schema", "application_id", "user_version",
            )
        }  # fmt: skip
        assert asked == {
            "journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "locking_mode": "exclusive",
            "wal_autocheckpoint": 0, "trusted_schema": 0, "application_id": APPLICATION_ID,
            "user_version": LAYOUT_VERSION,
        }  # fmt: skip
        store.close()


def test_there_is_no_shared_index_of_the_write_ahead_log(tmp_path: Path) -> None:
    for size in range(2):
        store = opened(tmp_path)
        store.append([Append(A, size, (b"x",))], 1)
        assert {path.name for path in tmp_path.iterdir()} == {"lock", DATABASE_NAME, f"{DATABASE_NAME}-wal"}
        store.close()
    assert {path.name for path in tmp_path.iterdir()} == {"lock", DATABASE_NAME}


def test_a_second_store_over_the_same_directory_is_refused_until_the_first_is_closed(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(StoreLockedError, match=f"{tmp_path} is in use by process {os.getpid()}"):
        opened(tmp_path)
    store.append([Append(A, 0, (b"still mine",))], 1)
    store.close()
    again = opened(tmp_path)
    assert list(again.read(A)) == [b"still mine"]
    again.close()


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (("PRAGMA application_id = 7",), "is no database of auctionctl"),
        (("CREATE TABLE t (x)",), "is no database of auctionctl"),
        (("PRAGMA user_version = 3",), "is no database of auctionctl"),
    ],
    ids=["application", "tables", "version"],
)
def test_a_database_of_another_application_is_refused_and_left_alone(
    tmp_path: Path, statements: tuple[str, ...], message: str
) -> None:
    edit(tmp_path, *statements)
    before = (tmp_path / DATABASE_NAME).read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match=message) as caught:
            opened(tmp_path)
        assert caught.value.hint == "choose another state directory"
    assert (tmp_path / DATABASE_NAME).read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    content = b"Dear diary, " * 1000
    (tmp_path / DATABASE_NAME).write_bytes(content)
    with pytest.raises(StoreError, match="is no database of auctionctl"):
        opened(tmp_path)
    assert (tmp_path / DATABASE_NAME).read_bytes() == content


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    opened(tmp_path).close()
    edit(tmp_path, f"PRAGMA user_version = {LAYOUT_VERSION + 1}")
    before = (tmp_path / DATABASE_NAME).read_bytes()
    with pytest.raises(StoreError, match=f"layout {LAYOUT_VERSION + 1}") as caught:
        opened(tmp_path)
    assert "version of auctionctl that wrote it" in caught.value.hint
    assert (tmp_path / DATABASE_NAME).read_bytes() == before


def test_a_directory_in_the_place_of_the_database_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).mkdir()
    with pytest.raises(StoreError, match="cannot open"):
        opened(tmp_path)


def test_a_hole_is_found_at_opening_and_names_the_log(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.append([Append(A, 0, (b"0", b"1")), Append(B, 0, (b"0", b"1", b"2"))], 1)
    store.close()
    edit(tmp_path, "DELETE FROM entries WHERE data = x'31' AND log = 2")
    with pytest.raises(StoreError, match=rf"log {B} of .* has a hole before entry 2"):
        opened(tmp_path)


def test_entries_of_a_log_without_a_name_are_found_at_opening(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.append([Append(A, 0, (b"0",)), Append(B, 0, (b"0",))], 1)
    store.close()
    edit(tmp_path, f"DELETE FROM logs WHERE name = '{B}'")
    with pytest.raises(StoreError, match="log in row 2, without a name,"):
        opened(tmp_path)


def test_an_entry_that_vanishes_under_the_store_is_noticed_by_the_read(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.append([Append(A, 0, (b"0", b"1", b"2"))], 1)
    store._connection.execute("DELETE FROM entries WHERE idx = 1")
    with pytest.raises(StoreError, match=f"log {A} has lost entries among 0 to 2"):
        list(store.read(A))
    store._connection.execute("DROP TABLE entries")
    with pytest.raises(StoreError, match=f"log {A} cannot be read from entry 0 on"):
        list(store.read(A))
    store.close()


def test_opening_takes_up_a_database_whose_creation_was_cut_short(tmp_path: Path) -> None:
    edit(tmp_path, "PRAGMA journal_mode = WAL")
    assert (tmp_path / DATABASE_NAME).stat().st_size > 0
    store = opened(tmp_path)
    store.append([Append(A, 0, (b"0",))], 1)
    store.close()


def test_a_refused_opening_leaves_the_directory_unlocked(tmp_path: Path) -> None:
    edit(tmp_path, "CREATE TABLE t (x)")
    with pytest.raises(StoreError, match="no database of auctionctl"):
        opened(tmp_path)
    (tmp_path / DATABASE_NAME).unlink()
    opened(tmp_path).close()


def test_maintaining_lets_the_write_ahead_log_start_again_instead_of_growing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    wal = tmp_path / f"{DATABASE_NAME}-wal"
    sizes = []
    group = (BIG,) * (MAINTAIN_FLOOR_BYTES // len(BIG) + 1)
    for round_ in range(4):
        store.append([Append(A, round_ * len(group), group)], round_)
        assert store.wal_bytes > MAINTAIN_FLOOR_BYTES
        store.maintain()
        assert store.wal_bytes == 0
        sizes.append(wal.stat().st_size)
    # Some slack, as the tree's inner pages are written along.
    assert max(sizes) < 1.1 * sizes[0]
    store.close()


def test_the_write_ahead_log_is_held_to_its_cap_without_anybody_maintaining_it(tmp_path: Path) -> None:
    cap_bytes = 300_000
    store = opened(tmp_path, wal_cap_bytes=cap_bytes)
    for size in range(200):
        store.append([Append(A, size, (BIG,))], size)
        assert store.wal_bytes < cap_bytes
    assert (tmp_path / f"{DATABASE_NAME}-wal").stat().st_size < 2 * cap_bytes
    store.close()
    store = opened(tmp_path)
    assert sum(entry == BIG for entry in store.read(A)) == 200
    store.close()


def test_a_default_store_has_a_cap_and_ballast_of_real_blocks(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    assert store._wal_cap_bytes == WAL_CAP_BYTES
    assert store.ballast_bytes == BALLAST_BYTES
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= BALLAST_BYTES
    assert store.release_ballast() == BALLAST_BYTES
    assert store.ballast_bytes == 0
    assert not (tmp_path / "ballast").exists()
    assert store.release_ballast() == 0
    store.append([Append(A, 0, (b"the last word",))], 1)
    store.close()
    store = SqliteStore(tmp_path)
    assert store.ballast_bytes == BALLAST_BYTES
    store.close()


_APPENDER = """
import sys
from pathlib import Path
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import SqliteStore

store = SqliteStore(Path(sys.argv[1]), ballast_target_bytes=0, wal_cap_bytes=200_000)
group = 0
while True:
    name = b"%d " % group
    store.append([
        Append("a", 3 * group, tuple(name + b"a" * 300 for _ in range(3))),
        Append("b", 2 * group, tuple(name + b"b" * 300 for _ in range(2))),
        Append(f"new/{group}", 0, (name,)),
    ], group)
    print(group, flush=True)
    group += 1
"""


def test_a_kill_in_the_middle_of_appends_loses_nothing_acknowledged_and_leaves_no_part_of_a_group(
    tmp_path: Path,
) -> None:
    # This keeps the kernel's page cache, so it says nothing of syncs: those are watched in test_sqlite_faults.py.
    for acknowledgements in (1, 40, 230):
        directory = tmp_path / str(acknowledgements)
        with subprocess.Popen(
            [sys.executable, "-c", _APPENDER, str(directory)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            heard = [process.stdout.readline() for _ in range(acknowledgements)]
            with pytest.raises(StoreLockedError, match=f"in use by process {process.pid}"):
                opened(directory)
            process.send_signal(signal.SIGKILL)
            heard += process.stdout.read().splitlines()
        assert process.returncode == -signal.SIGKILL
        acknowledged = int(heard[-1]) + 1

        store = opened(directory)
        groups = store.size("a") // 3
        # The one under way may be there or not, but whole.
        assert groups in (acknowledged, acknowledged + 1)
        assert store.logs() == [
            ("a", 3 * groups), ("b", 2 * groups), *((f"new/{group}", 1) for group in range(groups))
        ]  # fmt: skip
        assert list(store.read("a")) == [b"%d " % group + b"a" * 300 for group in range(groups) for _ in range(3)]
        assert list(store.read("b")) == [b"%d " % group + b"b" * 300 for group in range(groups) for _ in range(2)]
        assert store.last_alive_ns() == groups - 1
        store.append([Append("a", 3 * groups, (b"on",))], groups)
        store.close()


def rows(directory: Path, table: str) -> int:
    connection = apsw.Connection(str(directory / DATABASE_NAME))
    ((count,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    connection.close()
    return int(count)


@pytest.mark.parametrize("rounds_before_a_restart", [0, 1, 2])
def test_the_entries_of_a_removed_log_are_swept_up_bit_by_bit_even_over_a_restart(
    tmp_path: Path, rounds_before_a_restart: int
) -> None:
    size = 2 * SWEEP_ENTRIES + 1
    store = opened(tmp_path)
    store.append([Append(A, 0, (b"a",) * size), Append(B, 0, (b"b",) * 5)], 1)
    store.remove(A, size)
    for _ in range(rounds_before_a_restart):
        store.maintain()
    store.append([Append(B, 5, (b"b",))], 2)
    store.close()
    assert rows(tmp_path, "entries") == size + 6 - rounds_before_a_restart * SWEEP_ENTRIES
    store = opened(tmp_path)
    for _ in range(3 - rounds_before_a_restart):
        store.maintain()
    assert list(store.read(B)) == [b"b"] * 6
    store.append([Append(A, 0, (b"anew",))], 3)
    store.close()
    assert (rows(tmp_path, "entries"), rows(tmp_path, "removed"), rows(tmp_path, "logs")) == (7, 0, 2)


def test_a_new_log_never_takes_the_place_of_a_removed_one(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.append([Append(A, 0, (b"a",) * 3)], 1)
    store.remove(A, 3)
    store.close()
    store = opened(tmp_path)
    store.append([Append(B, 0, (b"b",))], 2)
    assert list(store.read(B)) == [b"b"]
    store.close()
    store = opened(tmp_path)
    assert store.logs() == [(B, 1)]
    store.close()
