"""What is backed up extends what was: a backup that contradicts its house, running or stopped, is refused and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.backup_sources import Nothing, stopped_house
from auctionctl.errors import ConfigurationError, StoreLockedError
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import RoleChanged, encode_registry_event, kind_of
from auctionctl.store.backup_file import BackupLabel, open_backup, write_backup
from auctionctl.store.cluster_mark import ClusterMark
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import SqliteStore
from auctionctl.store.state_directory import locked, make_private_directory
from auctionctl.tlog.entry import Entry, decode, encode

Logs = dict[str, list[bytes]]


@pytest.fixture
def logs(sold: Any, home: Path) -> Logs:
    """The logs of a stopped house that has sold a lot; its state and its key are on this machine."""
    write_key(key_path(home / "config/keys", "house"), sold.house.key, created="2026-01-31T12:00:00Z")
    store = SqliteStore(home / "state/house-house", ballast_target_bytes=0)
    store.append([Append(log, 0, tuple(entries)) for log, entries in sold.house.entries.items()], 17)
    store.close()
    return dict(sold.house.entries)


def content(path: Path) -> Logs:
    with open_backup(path) as backup:
        return {name: list(backup.read(name)) for name in backup.logs()}


def write(path: Path, house: str, logs: Logs) -> bytes:
    write_backup(path, BackupLabel(house, 20, 17), logs.items())
    return path.read_bytes()


def test_a_file_that_contradicts_the_house_is_refused_and_kept(run: Any, sold: Any, logs: Logs, tmp_path: Path) -> None:
    name, house = next(name for name in logs if name != "registry"), sold.house.key.identity.text
    wrong = [
        (logs | {name: [*logs[name], b"more"]}, f"has {len(logs[name])} entries there"),
        (logs | {name: [*logs[name][:2], b"other"]}, "has others among its first 3 entries"),
        (logs | {"registry": [b"other"]}, "has others among its first 1 entries"),
        (logs | {"auction/" + "0" * 64: [b"x"]}, "the house has never announced it"),
    ]
    for number, (held, said) in enumerate(wrong):
        before = write(tmp_path / f"{number}", house, held)
        done = run("backup", tmp_path / f"{number}")
        assert done.status == 7, said
        assert said in done.err
        assert "auctionctl restore" in done.err
        assert (tmp_path / f"{number}").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["0", "1", "2", "3"]


def test_a_house_that_runs_is_read_on_from_what_the_backup_holds(fair: Any, tmp_path: Path) -> None:
    done = fair.run("backup", tmp_path / "b", "--key", "alice", "--json")
    assert done.status == 0, done.err
    record = json.loads(done.out)
    assert record["source"] == fair.address
    assert (record["logs"], record["missing"]) == (3, [])
    assert record["entries"] == record["new_entries"]
    held = content(tmp_path / "b")
    assert next(iter(held)) == "registry"
    (quick,) = (name for name, entries in held.items() if name != "registry" and len(entries) > 3)
    house = record["house"]
    write(tmp_path / "older", house, held | {quick: held[quick][:2]})
    record = json.loads(fair.run("backup", tmp_path / "older", "--house", fair.address, "--key", "bob", "--json").out)
    assert record["new_entries"] == len(held[quick]) - 2
    assert content(tmp_path / "older") == held


def test_a_file_that_contradicts_a_house_that_runs_is_refused_and_kept(fair: Any, tmp_path: Path) -> None:
    house = json.loads(fair.run("backup", tmp_path / "b", "--key", "alice", "--json").out)["house"]
    held = content(tmp_path / "b")
    registry = held["registry"]
    signing = SecretKey(bytes([42]) * 32).identity.signing  # alice
    renamed = RoleChanged(signing, "alicia", "bidder")
    more = encode(Entry(kind_of(renamed), decode(registry[-1]).time_ns, encode_registry_event(renamed)))
    wrong = {
        "longer": ([*registry, more], "a log of the house is not what it was"),
        "other": ([registry[0].replace(b"alice", b"alicf"), *registry[1:]], "a log of the house is not what it was"),
        "damaged": ([b"other"], "the backup does not hold by itself: registry: entry 0"),
    }
    for name, (entries, said) in wrong.items():
        before = write(tmp_path / name, house, held | {"registry": entries})
        done = fair.run("backup", tmp_path / name, "--key", "alice")
        assert (done.status, said in done.err) == (7, True), done.err
        assert (tmp_path / name).read_bytes() == before


def test_the_state_of_a_house_in_a_cluster_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "state")
    ClusterMark(tmp_path / "state").keep(7, "id")
    with (
        pytest.raises(ConfigurationError, match="are in a cluster") as caught,
        stopped_house(tmp_path / "state", SecretKey(b"h" * 32).identity, Nothing(), lambda _done, _total: None),
    ):
        raise AssertionError
    assert "while it runs" in caught.value.hint
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["cluster", "lock"]
    # While it runs, whoever asks is sent there instead.
    with (
        locked(tmp_path / "state"),
        pytest.raises(StoreLockedError),
        stopped_house(tmp_path / "state", SecretKey(b"h" * 32).identity, Nothing(), lambda _done, _total: None),
    ):
        raise AssertionError
