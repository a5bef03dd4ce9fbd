"""A backup takes the place of a store in one step; what was there keeps another name; what fails changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auctionctl.errors import BackupError, ConfigurationError, StoreError, StoreLockedError
from auctionctl.store import restoring as module
from auctionctl.store.backup_file import Backup, BackupLabel, open_backup, write_backup
from auctionctl.store.cluster_mark import ClusterMark
from auctionctl.store.log_store import Append
from auctionctl.store.restoring import ENTRIES_A_COMMIT, restoring
from auctionctl.store.sqlite import DATABASE_NAME, SqliteStore
from auctionctl.store.state_directory import locked, make_private_directory

A, B = "registry", "auction/" + "b" * 64
LOGS = {A: [b"a0", b"a1"], B: [b"%d" % number for number in range(2 * ENTRIES_A_COMMIT + 1)]}


@pytest.fixture
def backup(tmp_path: Path):
    write_backup(tmp_path / "backup", BackupLabel("auc1house", 20, 17), LOGS.items())
    with open_backup(tmp_path / "backup") as found:
        yield found


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "home" / "house-x"


def filled(state: Path, logs: dict[str, list[bytes]]) -> Path:
    store = SqliteStore(state, ballast_target_bytes=0)
    store.append([Append(name, 0, tuple(entries)) for name, entries in logs.items()], 99)
    store.close()
    return state


def content(state: Path) -> dict[str, list[bytes]]:
    store = SqliteStore(state, ballast_target_bytes=0)
    try:
        return {name: list(store.read(name)) for name, _ in store.logs()}
    finally:
        store.close()


def restored(state: Path, backup: Backup) -> bool:
    with restoring(state, backup) as found:
        return found.put(state.parent / "aside")


def lacking_of(state: Path, backup: Backup) -> int | None:
    with restoring(state, backup) as found:
        return found.lacking


def names(state: Path) -> list[str]:
    return sorted(os.listdir(state.parent))


def test_where_nothing_was_there_is_what_the_backup_holds(state: Path, backup: Backup) -> None:
    assert not restored(state, backup)
    assert content(state) == LOGS
    assert names(state) == ["house-x"]
    store = SqliteStore(state, ballast_target_bytes=0)
    assert store.last_alive_ns() == 17, "and not until now: what is lost is a gap"
    assert store.logs() == [(name, len(entries)) for name, entries in LOGS.items()]
    store.close()


def test_what_was_there_is_set_aside_and_the_rest_of_the_directory_stays(state: Path, backup: Backup) -> None:
    before = {A: [b"a0", b"other"]}
    filled(state, before)
    (state / "identity").write_text("auc1house")
    assert restored(state, backup)
    assert content(state) == LOGS
    assert (state / "identity").read_text() == "auc1house"
    assert content(state.parent / "aside") == before
    assert names(state) == ["aside", "house-x"]


@pytest.mark.parametrize(
    ("logs", "lacking"),
    [
        ({}, 0),
        ({A: [b"a0"]}, 0),
        (LOGS, 0),
        ({A: [b"a0", b"a1", b"a2", b"a3"]}, 2),
        ({A: [b"other", b"a1"]}, 2),
        ({A: [b"a0", b"other"], "auction/" + "c" * 64: [b"c"] * 3}, 4),
    ],
    ids=["nothing", "a beginning", "the same", "more", "other", "another log"],
)
def test_entries_that_the_backup_lacks_are_counted(state: Path, backup: Backup, logs, lacking: int) -> None:
    assert lacking_of(filled(state, logs), backup) == lacking
    assert content(state) == logs


def test_a_state_without_a_store_lacks_nothing(state: Path, backup: Backup) -> None:
    state.mkdir(mode=0o700, parents=True)
    assert lacking_of(state, backup) == 0
    assert os.listdir(state) == ["lock"]


def test_a_store_that_cannot_be_read_is_set_aside_with_its_log(state: Path, backup: Backup) -> None:
    filled(state, {A: [b"a0"]})
    (state / DATABASE_NAME).write_bytes(b"damaged" * 1_000)
    (state / f"{DATABASE_NAME}-wal").write_bytes(b"a log")
    with restoring(state, backup) as found:
        assert found.lacking is None
        assert found.trouble == f"{state / DATABASE_NAME} is no database of auctionctl"
        assert found.put(state.parent / "aside")
    assert content(state) == LOGS
    aside = state.parent / "aside"
    assert {path.name: path.read_bytes() for path in aside.iterdir()} == {
        DATABASE_NAME: b"damaged" * 1_000,
        f"{DATABASE_NAME}-wal": b"a log",
    }


def test_a_state_that_somebody_holds_is_left_alone(state: Path, backup: Backup) -> None:
    filled(state, {A: [b"a0"]})
    with locked(state), pytest.raises(StoreLockedError):
        restored(state, backup)
    assert content(state) == {A: [b"a0"]}
    assert names(state) == ["house-x"]


def test_a_store_that_was_not_closed_is_compared_with_all_that_it_holds(state: Path, backup: Backup) -> None:
    """What a crash left: entries that are in the write-ahead log alone."""
    left_by_a_crash(state)
    assert lacking_of(state, backup) == 1
    assert restored(state, backup)
    assert content(state) == LOGS
    assert content(state.parent / "aside") == {A: [b"a0", b"a1", b"acknowledged"]}


def test_a_state_that_is_only_compared_is_left_as_it_was(state: Path, backup: Backup) -> None:
    filled(state, {A: [b"a0", b"other"]})
    assert lacking_of(state, backup) == 1
    assert content(state) == {A: [b"a0", b"other"]}
    assert names(state) == ["house-x"]
    new = state.with_name("house-y")
    assert lacking_of(new, backup) == 0
    assert names(state) == ["house-x"]


class Crash(BaseException):
    """The end of the process, as far as that can be had in a test: nothing is put back."""


def left_by_a_crash(state: Path) -> None:
    store = SqliteStore(state, ballast_target_bytes=0)
    store.append([Append(A, 0, (b"a0", b"a1", b"acknowledged"))], 1)
    crashed = {path.name: path.read_bytes() for path in state.iterdir()}
    store.close()
    for name, data in crashed.items():
        (state / name).write_bytes(data)


def test_a_crash_right_before_the_single_step_leaves_the_old_store_whole(
    state: Path, backup: Backup, monkeypatch
) -> None:
    left_by_a_crash(state)

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(Crash):
            restored(state, backup)
    assert not (state / f"{DATABASE_NAME}-wal").exists()
    assert content(state) == {A: [b"a0", b"a1", b"acknowledged"]}


class Uncopied(SqliteStore):
    """Closed on a disk on which the write-ahead log cannot be copied into the database."""

    def close(self) -> None:
        self._trouble = "put in"
        super().close()


def test_a_store_that_needs_its_log_is_not_replaced(state: Path, backup: Backup, monkeypatch) -> None:
    left_by_a_crash(state)
    before = stored(state)
    with monkeypatch.context() as patch:
        patch.setattr(module, "SqliteStore", Uncopied)
        with pytest.raises(StoreError, match=r"the write-ahead log of .* cannot be copied into it"):
            restored(state, backup)
    assert stored(state).keys() == before.keys()
    assert names(state) == ["house-x"]
    assert content(state) == {A: [b"a0", b"a1", b"acknowledged"]}


def test_a_new_store_that_needs_its_log_does_not_take_the_place_of_the_old_one(
    state: Path, backup: Backup, monkeypatch
) -> None:
    monkeypatch.setattr(module, "SqliteStore", Uncopied)
    with pytest.raises(StoreError, match="could not be copied from its write-ahead log"):
        restored(state, backup)
    assert names(state) == []


@pytest.mark.parametrize("was_there", [True, False])
def test_a_backup_that_turns_out_damaged_changes_nothing(
    state: Path, backup: Backup, monkeypatch, was_there: bool
) -> None:
    if was_there:
        filled(state, {A: [b"a0"]})
    whole = Backup.read

    def read(self: Backup, log: str):
        yield from whole(self, log)
        if log == B:
            raise BackupError("for the test")

    monkeypatch.setattr(Backup, "read", read)
    with pytest.raises(BackupError, match="for the test"):
        restored(state, backup)
    assert names(state) == (["house-x"] if was_there else [])
    if was_there:
        assert content(state) == {A: [b"a0"]}


@pytest.mark.parametrize("step", ["mkdir", "link", "unlink", "replace"])
def test_a_disk_that_fails_at_any_step_changes_nothing(state: Path, backup: Backup, monkeypatch, step: str) -> None:
    filled(state, {A: [b"a0"]})
    (state / DATABASE_NAME).write_bytes(b"damaged" * 1_000)
    (state / f"{DATABASE_NAME}-wal").write_bytes(b"a log")
    before = stored(state)

    def failing(*_: object, **__: object) -> None:
        raise OSError(5, "put in")

    if step == "link":
        monkeypatch.setattr(module.os, "link", failing)
    else:
        monkeypatch.setattr(module, "_replace", with_failing(step, failing, monkeypatch))
    with pytest.raises(StoreError, match=r"cannot restore .*put in"):
        restored(state, backup)
    monkeypatch.undo()
    assert stored(state) == before
    assert names(state) == ["house-x"]


def stored(state: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in state.iterdir() if path.name != "lock"}


def with_failing(step: str, failing, monkeypatch):
    """The last step of a restoration, on a disk on which one of its operations fails."""
    whole = module._replace

    def replace(directory: Path, new: Path, aside: Path) -> bool:
        with monkeypatch.context() as patch:
            patch.setattr(Path, step, failing)
            return whole(directory, new, aside)

    return replace


def test_the_state_of_a_house_in_a_cluster_is_not_given_a_file_of_logs(tmp_path: Path) -> None:
    state = tmp_path / "state"
    make_private_directory(state)
    ClusterMark(state).keep(7, "id")
    with pytest.raises(ConfigurationError, match="are in a cluster") as caught, restoring(state, None):  # type: ignore[arg-type]
        raise AssertionError
    assert "nats stream restore" in caught.value.hint
    assert [path.name for path in state.iterdir()] == ["cluster"]
