"""What the SQLite store does when the disk does not do what it should. The disk is real, the faults are put in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from auctionctl.errors import StoreBrokenError, StoreError, StoreFullError
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import MAINTAIN_FLOOR_BYTES, SqliteStore

A, B = "auction/a", "auction/b"
BIG = b"x" * 16_000


def opened(directory: Path, disk=None, **sizes: int) -> SqliteStore:
    return SqliteStore(directory, vfs=disk and disk.vfs_name, ballast_target_bytes=0, **sizes)


def once(operation: str, file: str, error: Callable[[], Exception]) -> Callable[[str, str], None]:
    """A fault that happens the first time that ``operation`` reaches ``file``, and never again."""
    left = [error]

    def fault(op: str, on: str) -> None:
        if left and (op, on) == (operation, file):
            raise left.pop()()

    return fault


def always(operation: str, error: Callable[[], Exception]) -> Callable[[str, str], None]:
    def fault(op: str, _on: str) -> None:
        if op == operation:
            raise error()

    return fault


def io_error(extended: int) -> Callable[[], Exception]:
    def make() -> Exception:
        error = apsw.IOError("put in")
        error.extendedresult = extended
        return error

    return make


def full() -> Exception:
    return apsw.FullError("put in")


def assert_refuses_everything(store: SqliteStore) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.append([Append(A, 1, (b"again",))], 9),
        lambda: store.append([], 9),
        lambda: store.read(A),
        lambda: store.size(A),
        store.logs,
        lambda: store.claim(A, "one"),
        lambda: store.alive(9),
        store.last_alive_ns,
        store.maintain,
        store.release_ballast,
    ]
    for call in calls:
        with pytest.raises(StoreBrokenError, match="durability is unknown"):
            call()


def test_an_append_has_been_synced_when_it_returns(tmp_path: Path, disk) -> None:
    store = opened(tmp_path, disk)
    store.append([Append(A, 0, (b"a",))], 1)
    for size in range(1, 4):
        disk.operations.clear()
        store.append([Append(A, size, (b"a",)), Append(B, size - 1, (b"b",))], size)
        assert ("write", "wal") in disk.operations
        assert disk.operations[-1] == ("sync", "wal")
        # One sync a group, however many logs are in it.
        assert disk.operations.count(("sync", "wal")) == 1
        assert ("sync", "database") not in disk.operations
    for call in (lambda: store.claim(A, "one"), lambda: store.alive(100)):
        disk.operations.clear()
        call()
        assert disk.operations[-1] == ("sync", "wal")
    store.close()


def test_being_alive_at_a_time_known_already_writes_nothing(tmp_path: Path, disk) -> None:
    store = opened(tmp_path, disk)
    store.alive(5)
    disk.operations.clear()
    store.alive(5)
    store.alive(4)
    assert disk.operations == []
    store.close()


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("sync", io_error(apsw.SQLITE_IOERR_FSYNC)),
        ("write", io_error(apsw.SQLITE_IOERR_WRITE)),
        ("write", lambda: apsw.CorruptError("put in")),
        ("sync", lambda: OSError(5, "put in")),
    ],
    ids=["sync", "write", "corrupt", "operating system"],
)
@pytest.mark.parametrize("call", ["append", "claim", "alive"])
def test_after_one_failed_write_or_sync_nothing_is_tried_again(
    tmp_path: Path, disk, operation: str, error: Callable[[], Exception], call: str
) -> None:
    store = opened(tmp_path, disk)
    store.append([Append(A, 0, (b"acknowledged",))], 1)
    disk.fault = once(operation, "wal", error)
    calls: dict[str, Callable[[], object]] = {
        "append": lambda: store.append([Append(A, 1, (b"unknown",))], 2),
        "claim": lambda: store.claim(A, "one"),
        "alive": lambda: store.alive(2),
    }
    with pytest.raises(StoreBrokenError, match="put in") as caught:
        calls[call]()
    assert "every append that was answered is kept" in caught.value.hint
    disk.operations.clear()
    assert_refuses_everything(store)
    store.close()
    assert disk.operations == []
    with pytest.raises(StoreBrokenError):
        store.size(A)

    store = opened(tmp_path)
    assert next(store.read(A)) == b"acknowledged"
    assert list(store.read(A, 1)) in ([], [b"unknown"])
    assert store.size(A) == len(list(store.read(A)))
    store.close()


def test_a_read_under_way_ends_when_the_store_breaks(tmp_path: Path, disk) -> None:
    store = opened(tmp_path, disk)
    store.append([Append(A, 0, (b"a",) * 300)], 1)
    reading = store.read(A)
    for _ in range(256):
        next(reading)
    disk.fault = once("sync", "wal", io_error(apsw.SQLITE_IOERR_FSYNC))
    with pytest.raises(StoreBrokenError):
        store.alive(2)
    with pytest.raises(StoreBrokenError):
        next(reading)
    store.close()


@pytest.mark.parametrize("big", [1, 400], ids=["small group", "group larger than the page cache"])
def test_a_full_disk_appends_nothing_and_later_appends_work(tmp_path: Path, disk, big: int) -> None:
    store = opened(tmp_path, disk, wal_cap_bytes=2**40)
    store.append([Append(A, 0, (b"a0",))], 1)
    disk.fault = always("write", full)
    group = [Append(A, 1, (BIG,) * big), Append(B, 0, (b"b0",))]
    for _ in range(3):
        with pytest.raises(StoreFullError, match="no room left"):
            store.append(group, 2)
        with pytest.raises(StoreFullError):
            store.claim(A, "one")
        with pytest.raises(StoreFullError):
            store.alive(2)
        assert store.logs() == [(A, 1)]
        assert list(store.read(A)) == [b"a0"]
        assert store.last_alive_ns() == 1
    disk.fault = None
    store.append(group, 3)
    store.append([Append(B, 1, (b"b1",))], 4)
    assert store.claim(A, "one") == 1
    store.close()

    store = opened(tmp_path)
    assert store.logs() == [(A, 1 + big), (B, 2)]
    assert list(store.read(A, 1)) == [BIG] * big
    assert list(store.read(B)) == [b"b0", b"b1"]
    assert store.last_alive_ns() == 4
    store.close()


def test_a_database_that_cannot_have_another_page_appends_nothing_and_goes_on_later(tmp_path: Path) -> None:
    # Here it is the insertion that finds no room, and not the commit.
    store = opened(tmp_path)
    store.append([Append(A, 0, (b"a0",))], 1)
    unlimited = store._connection.pragma("max_page_count")
    store._connection.pragma("max_page_count", store._connection.pragma("page_count"))
    names = [f"auction/{number:064x}" for number in range(200)]
    group = [Append(name, 0, (b"small",)) for name in names] + [Append(A, 1, (BIG,))]
    with pytest.raises(StoreFullError):
        store.append(group, 2)
    with pytest.raises(StoreFullError):
        [store.claim(name, "one") for name in names]
    assert store.logs() == [(A, 1)]
    store._connection.pragma("max_page_count", unlimited)
    store.append(group, 3)
    assert store.logs() == [(A, 2), *((name, 1) for name in names)]
    store.close()


@pytest.mark.parametrize("writes_that_fit", range(1, 8))
def test_a_disk_that_fills_up_within_a_group_leaves_no_part_of_it(tmp_path: Path, disk, writes_that_fit: int) -> None:
    store = opened(tmp_path, disk)
    store.append([Append(A, 0, (b"a0",))], 1)
    left = [writes_that_fit]

    def fault(operation: str, _file: str) -> None:
        if operation == "write":
            left[0] -= 1
            if left[0] < 0:
                raise full()

    disk.fault = fault
    with pytest.raises(StoreFullError):
        store.append([Append(A, 1, (BIG, BIG)), Append(B, 0, (BIG,))], 2)
    # As after a crash: another process, which has only the files.
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    store.close()
    copy = tmp_path / "copy"
    copy.mkdir(mode=0o700)
    for name, content in files.items():
        (copy / name).write_bytes(content)
    store = opened(copy)
    assert store.logs() == [(A, 1)]
    assert store.last_alive_ns() == 1
    store.close()


def test_an_interrupt_in_the_middle_of_a_commit_breaks_the_store(tmp_path: Path, disk) -> None:
    store = opened(tmp_path, disk)
    store.append([Append(A, 0, (b"a",))], 1)
    disk.fault = once("write", "wal", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        store.append([Append(A, 1, (b"b",))], 2)
    assert_refuses_everything(store)
    store.close()
    store = opened(tmp_path)
    assert list(store.read(A)) in ([b"a"], [b"a", b"b"])
    store.close()


def test_a_failed_sync_of_the_database_in_a_checkpoint_breaks_the_store_and_loses_nothing(tmp_path: Path, disk) -> None:
    store = opened(tmp_path, disk, wal_cap_bytes=2**40)
    store.append([Append(A, 0, (BIG,) * 100)], 1)
    disk.fault = once("sync", "database", io_error(apsw.SQLITE_IOERR_FSYNC))
    with pytest.raises(StoreBrokenError):
        store.maintain()
    assert_refuses_everything(store)
    store.close()
    store = opened(tmp_path)
    assert list(store.read(A)) == [BIG] * 100
    store.close()


def test_no_room_for_a_checkpoint_is_said_and_appends_go_on(tmp_path: Path, disk) -> None:
    store = opened(tmp_path, disk, wal_cap_bytes=2**40)
    store.append([Append(A, 0, (BIG,) * 100)], 1)

    def fault(operation: str, file: str) -> None:
        if (operation, file) == ("write", "database"):
            raise full()

    disk.fault = fault
    with pytest.raises(StoreFullError):
        store.maintain()
    store.append([Append(A, 100, (b"more",))], 2)
    disk.fault = None
    store.maintain()
    assert store.wal_bytes == 0
    assert store.size(A) == 101
    store.close()


def test_an_append_that_passes_the_cap_without_room_for_a_checkpoint_is_still_acknowledged(
    tmp_path: Path, disk
) -> None:
    cap_bytes = 200_000
    store = opened(tmp_path, disk, wal_cap_bytes=cap_bytes)
    refused = 0

    def fault(operation: str, file: str) -> None:
        nonlocal refused
        if (operation, file) == ("write", "database"):
            refused += 1
            raise full()

    disk.fault = fault
    for size in range(60):
        store.append([Append(A, size, (BIG,))], size)
    assert store.wal_bytes > 4 * cap_bytes
    # Tried once for each cap's worth of growth, and not at every append.
    assert 3 <= refused <= store.wal_bytes // cap_bytes
    disk.fault = None
    store.maintain()
    for size in range(60, 65):
        store.append([Append(A, size, (BIG,))], size)
    assert store.wal_bytes < cap_bytes
    store.close()
    store = opened(tmp_path)
    assert list(store.read(A)) == [BIG] * 65
    store.close()


def test_no_room_to_create_the_database_is_said_and_leaves_the_directory_unlocked(tmp_path: Path, disk) -> None:
    disk.fault = always("write", full)
    with pytest.raises(StoreFullError, match="no room to open"):
        opened(tmp_path, disk)
    disk.fault = None
    store = opened(tmp_path, disk)
    assert store.logs() == []
    store.close()


@pytest.mark.parametrize(
    ("pragma", "answer"),
    [("journal_mode", "delete"), ("synchronous", "1"), ("locking_mode", "normal"), ("fullfsync", "0")],
)
def test_a_setting_that_is_not_in_force_is_noticed(tmp_path: Path, disk, pragma: str, answer: str) -> None:
    disk.pragma_answers[pragma] = answer
    with pytest.raises(StoreError, match=f"{pragma} is"):
        opened(tmp_path, disk)
    disk.pragma_answers.clear()
    opened(tmp_path, disk).close()


def test_maintaining_a_short_log_costs_no_input_or_output(tmp_path: Path, disk) -> None:
    store = opened(tmp_path, disk)
    store.append([Append(A, 0, (b"a",))], 1)
    disk.operations.clear()
    store.maintain()
    assert disk.operations == []
    assert 0 < store.wal_bytes < MAINTAIN_FLOOR_BYTES
    store.close()
