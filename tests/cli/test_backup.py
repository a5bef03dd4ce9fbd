"""A backup holds every log of a house, verified, is extended by the next one, and never contradicts itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.store.backup_file import BackupLabel, open_backup, write_backup
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import SqliteStore
from auctionctl.store.state_directory import locked

Logs = dict[str, list[bytes]]


@pytest.fixture
def logs(sold: Any, home: Path) -> Logs:
    """The logs of a stopped house that has sold a lot; its state and its key are on this machine."""
    write_key(key_path(home / "config/keys", "house"), sold.house.key, created="2026-01-31T12:00:00Z")
    fill(home, sold.house.entries)
    return dict(sold.house.entries)


def fill(home: Path, logs: Logs, now_ns: int = 17) -> None:
    store = SqliteStore(home / "state/house-house", ballast_target_bytes=0)
    sizes = dict(store.logs())
    store.append([Append(log, sizes.get(log, 0), tuple(new[sizes.get(log, 0) :])) for log, new in logs.items()], now_ns)
    store.close()


def content(path: Path) -> Logs:
    with open_backup(path) as backup:
        return {name: list(backup.read(name)) for name in backup.logs()}


def auction_in(logs: Logs) -> str:
    return next(name for name in logs if name != "registry")


def write(path: Path, house: str, logs: Logs) -> bytes:
    write_backup(path, BackupLabel(house, 20, 17), logs.items())
    return path.read_bytes()


def test_a_stopped_house_is_read_from_its_state_which_stays_as_it_is(
    run: Any, home: Path, logs: Logs, tmp_path
) -> None:
    state = home / "state/house-house"
    before = sorted(os.listdir(state))
    done = run("backup", tmp_path / "b")
    assert done.status == 0, done.err
    assert content(tmp_path / "b") == logs
    assert next(iter(content(tmp_path / "b"))) == "registry"
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(state)) == before
    count = sum(map(len, logs.values()))
    assert f"entries  {count}, {count} of them new" in done.out


def test_the_next_one_adds_what_is_new(run: Any, home: Path, sold: Any, tmp_path: Path) -> None:
    write_key(key_path(home / "config/keys", "house"), sold.house.key, created="2026-01-31T12:00:00Z")
    name = auction_in(sold.house.entries)
    fill(home, sold.house.entries | {name: sold.house.entries[name][:3]})
    assert run("backup", tmp_path / "b").status == 0
    fill(home, sold.house.entries)
    record = json.loads(run("backup", tmp_path / "b", "--json").out)
    assert record["new_entries"] == len(sold.house.entries[name]) - 3
    assert record["source"] == str(home / "state/house-house")
    assert content(tmp_path / "b") == sold.house.entries
    assert json.loads(run("backup", tmp_path / "b", "--json").out)["new_entries"] == 0


def test_a_file_of_another_house_or_of_nobody_is_refused_and_kept(run: Any, logs: Logs, tmp_path: Path) -> None:
    before = write(tmp_path / "b", "auc1another", {})
    done = run("backup", tmp_path / "b")
    assert (done.status, "of another house" in done.err) == (7, True)
    assert (tmp_path / "b").read_bytes() == before
    (tmp_path / "text").write_text("mine")
    assert run("backup", tmp_path / "text").status == 78
    assert (tmp_path / "text").read_text() == "mine"


def test_a_log_that_the_house_has_archived_meanwhile_stays_in_the_backup(
    run: Any, home: Path, logs: Logs, tmp_path: Path
) -> None:
    assert run("backup", tmp_path / "b").status == 0
    name = auction_in(logs)
    store = SqliteStore(home / "state/house-house", ballast_target_bytes=0)
    store.remove(name, len(logs[name]))
    store.close()
    record = json.loads(run("backup", tmp_path / "b", "--json").out)
    assert (record["new_entries"], record["missing"], record["left_out"]) == (0, [], [])
    assert content(tmp_path / "b") == logs
    done = run("backup", tmp_path / "fresh", "--json")
    assert json.loads(done.out)["missing"] == [name.partition("/")[2]]
    assert "archived them" in done.err


def test_a_log_that_does_not_verify_is_left_out_and_said(run: Any, home: Path, sold: Any, tmp_path: Path) -> None:
    write_key(key_path(home / "config/keys", "house"), sold.house.key, created="2026-01-31T12:00:00Z")
    name = auction_in(sold.house.entries)
    fill(home, sold.house.entries | {name: [*sold.house.entries[name], b"damage"]})
    done = run("backup", tmp_path / "b", "--json")
    assert done.status == 7
    (left_out,) = json.loads(done.out)["left_out"]
    assert left_out["log"] == name
    assert f"warning: {name} does not verify" in done.err
    assert list(content(tmp_path / "b")) == ["registry"]


def test_a_house_that_has_nothing_or_is_being_started_is_not_backed_up(
    run: Any, home: Path, logs: Logs, tmp_path
) -> None:
    with locked(home / "state/house-house"):
        assert run("backup", tmp_path / "b").status == 8
    SqliteStore(home / "state/house-empty", ballast_target_bytes=0).close()
    assert run("backup", tmp_path / "b", "--name", "empty").status == 3
    done = run("backup", tmp_path / "b", "--name", "nowhere")
    assert done.status == 78, "no state of that name, and no house that runs"
    assert not (tmp_path / "b").exists()
    assert run("backup", tmp_path / "no" / "b").status == 78
