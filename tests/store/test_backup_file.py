"""A backup is one file in the layout of the store, there whole or not at all, and read without a trace beside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from auctionctl.errors import BackupError, NotFoundError
from auctionctl.store.backup_file import BackupLabel, open_backup, write_backup
from auctionctl.store.sqlite import DATABASE_NAME, SqliteStore

LABEL = BackupLabel("auc1house", 20, 17)
A, B = "registry", "auction/" + "b" * 64
LOGS = {A: [b"a0", b"", b"a2"], B: [b"x" * 9_000] * 300}


def written(path: Path, logs: dict[str, list[bytes]] = LOGS, label: BackupLabel = LABEL) -> Path:
    write_backup(path, label, ((name, iter(entries)) for name, entries in logs.items()))
    return path


def content(path: Path) -> dict[str, list[bytes]]:
    with open_backup(path) as backup:
        return {name: list(backup.read(name)) for name in backup.logs()}


def changed(path: Path, *statements: str) -> Path:
    connection = apsw.Connection(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return path


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path / "a backup?.sqlite3")
    assert content(path) == LOGS
    with open_backup(path) as backup:
        assert backup.label == LABEL
        assert dict(backup.logs()) == {A: 3, B: 300}
        assert list(backup.logs()) == [A, B]
        assert list(backup.read("auction/other")) == []
        reads = backup.read(A), backup.read(B)
        assert [next(reads[0]), next(reads[1]), next(reads[0])] == [b"a0", b"x" * 9_000, b""]
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [path.name]


def test_it_is_a_store_in_all_but_its_name(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    shutil.copy(written(tmp_path / "b"), state / DATABASE_NAME)
    store = SqliteStore(state, ballast_target_bytes=0)
    assert {name: list(store.read(name)) for name, _ in store.logs()} == LOGS
    assert store.last_alive_ns() == LABEL.last_alive_ns
    store.close()


def test_it_is_replaced_in_one_step_or_not_at_all(tmp_path: Path) -> None:
    path = written(tmp_path / "b")
    before = path.read_bytes()

    def failing() -> Iterator[bytes]:
        yield b"one"
        raise BackupError("for the test")

    with pytest.raises(BackupError, match="for the test"):
        write_backup(path, LABEL, [(A, failing())])
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["b"]
    written(path, {A: [b"new"]}, BackupLabel("auc1house", 30, 29))
    assert content(path) == {A: [b"new"]}


def test_a_link_stays_and_leads_to_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere" / "b")
    written(link)
    assert link.is_symlink()
    assert content(tmp_path / "elsewhere" / "b") == LOGS


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"cannot write .*no such file"):
        written(tmp_path / "nowhere" / "b")
    (tmp_path / "directory").mkdir()
    with pytest.raises(BackupError, match="cannot write"):
        written(tmp_path / "directory")
    assert os.listdir(tmp_path) == ["directory"]


def test_what_is_no_backup_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError), open_backup(tmp_path / "nothing"):
        pass
    text = tmp_path / "text"
    text.write_bytes(b"no database" * 100)
    state = tmp_path / "state"
    SqliteStore(state, ballast_target_bytes=0).close()
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    for path in (text, state / DATABASE_NAME, empty):
        before = path.read_bytes()
        with pytest.raises(BackupError, match="is no backup of a house"), open_backup(path):
            pass
        assert path.read_bytes() == before
    with pytest.raises(BackupError), open_backup(tmp_path):
        pass


def test_one_of_another_layout_is_left_to_its_own_version(tmp_path: Path) -> None:
    path = changed(written(tmp_path / "b"), "PRAGMA user_version = 1")
    with pytest.raises(BackupError, match="has layout 1"), open_backup(path):
        pass


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entries WHERE position = 2",
        "DELETE FROM entries WHERE position = 1",
        "UPDATE entries SET idx = 9 WHERE position = 2",
        "UPDATE entries SET log = 2 WHERE position = 2",
        "UPDATE entries SET log = 1 WHERE position = 200",
    ],
)
def test_a_hole_is_found(tmp_path: Path, statement: str) -> None:
    path = changed(written(tmp_path / "b"), statement)
    with pytest.raises(BackupError, match="is damaged"):
        content(path)


def test_a_time_that_is_no_number_is_damage(tmp_path: Path) -> None:
    path = changed(
        written(tmp_path / "b"),
        "DROP TABLE meta; CREATE TABLE meta (id, last_alive_ns); INSERT INTO meta VALUES (1, 'once')",
    )
    with pytest.raises(BackupError, match="does not say whose it is, and of when"), open_backup(path):
        pass


def test_one_that_does_not_say_whose_it_is_is_damaged(tmp_path: Path) -> None:
    path = changed(written(tmp_path / "b"), "DELETE FROM backup")
    with pytest.raises(BackupError, match="does not say whose it is"), open_backup(path):
        pass


@pytest.mark.parametrize("at", [100, 5_000, 40_000, 1_000_000])
def test_damaged_pages_are_an_error_and_no_crash(tmp_path: Path, at: int) -> None:
    path = written(tmp_path / "b")
    data = bytearray(path.read_bytes())
    data[at : at + 4_096] = b"\xff" * 4_096
    path.write_bytes(data)
    with suppress(BackupError):
        assert content(path) != LOGS, "entries are bytes, and what they say is for others to check"
