"""A backup is checked as if it came from a stranger, and takes the place of a state only if nothing is lost by it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey
from auctionctl.store.backup_file import BackupLabel, open_backup, write_backup
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import SqliteStore
from auctionctl.store.state_directory import locked
from auctionctl.tlog.entry import decode

REPLACED = "replaced-house-"


@pytest.fixture
def logs(sold: Any, home: Path) -> dict[str, list[bytes]]:
    """The logs of a house that has sold a lot, whose key is on this machine; its state is not."""
    write_key(key_path(home / "config/keys", "house"), sold.house.key, created="2026-01-31T12:00:00Z")
    (home / "state").mkdir()
    return dict(sold.house.entries)


@pytest.fixture
def file(logs: dict[str, list[bytes]], sold: Any, tmp_path: Path) -> Path:
    return backed_up(tmp_path / "b", sold.house, logs)


DAY_NS = 24 * 3_600 * 10**9


@pytest.mark.parametrize(
    ("times_ns", "why"),
    [
        ((5, -1), "and has an entry of"),
        ((5, -(2**61)), "and has an entry of"),
        ((5, 2 * DAY_NS), "and that it was taken at"),
        ((2**62, 2**62 - 1), "which is still to come"),
    ],
    ids=["before the last entry", "long before", "after it was taken", "in the future"],
)
def test_a_time_until_which_no_house_can_have_been_alive_changes_nothing(
    run: Any, sold, logs, tmp_path: Path, *, times_ns: tuple[int, int], why: str
) -> None:
    """Of the taking of the backup, and of the house's last sign of life, from its last entry on."""
    last_ns = max(decode(data).time_ns for entries in logs.values() for data in entries)
    label = BackupLabel(sold.house.key.identity.text, *(last_ns + each for each in times_ns))
    write_backup(tmp_path / "odd", label, logs.items())
    done = run("restore", tmp_path / "odd")
    assert done.status == 7, done.err
    assert why in done.err
    assert "nothing was changed" in done.err
    assert not list(tmp_path.rglob("house-house"))


def backed_up(path: Path, house: Any, logs: dict[str, list[bytes]]) -> Path:
    write_backup(path, BackupLabel(house.key.identity.text, house.now_ns + 5, house.now_ns), logs.items())
    return path


def fill(state: Path, logs: dict[str, list[bytes]]) -> None:
    store = SqliteStore(state, ballast_target_bytes=0)
    store.append([Append(name, 0, tuple(entries)) for name, entries in logs.items()], 1)
    store.close()


def content(state: Path) -> tuple[dict[str, list[bytes]], int | None]:
    store = SqliteStore(state, ballast_target_bytes=0)
    try:
        return {name: list(store.read(name)) for name, _ in store.logs()}, store.last_alive_ns()
    finally:
        store.close()


def states(home: Path) -> list[str]:
    return sorted(name for name in os.listdir(home / "state"))


def test_what_was_restored_is_what_was_backed_up_and_it_says_up_to_when(run: Any, home: Path, file, logs, sold) -> None:
    done = run("restore", file)
    assert done.status == 0, done.err
    state = home / "state/house-house"
    assert content(state) == (logs, sold.house.now_ns)
    assert (state / "identity").read_text().strip() == sold.house.key.identity.text
    assert states(home) == ["house-house"]
    assert f"entries   {sum(map(len, logs.values()))}, all verified" in done.out
    assert "up to     2023-11-14T" in done.out
    assert "the house is as it was at 2023-11-14T" in done.err


def test_a_state_that_the_backup_extends_is_set_aside(run: Any, home: Path, file, logs) -> None:
    state = home / "state/house-house"
    fill(state, {"registry": logs["registry"][:1]})
    done = run("restore", file, "--json")
    assert done.status == 0, done.err
    record = json.loads(done.out)
    assert (record["lacking"], record["entries"]) == (0, sum(map(len, logs.values())))
    assert content(state)[0] == logs
    assert content(Path(record["set_aside"]))[0] == {"registry": logs["registry"][:1]}
    assert [name.startswith(REPLACED) for name in states(home)] == [False, True]


def test_a_state_with_entries_that_the_backup_lacks_is_replaced_only_when_forced(
    run: Any, home: Path, sold, logs, tmp_path: Path
) -> None:
    state = home / "state/house-house"
    fill(state, logs)
    name = next(name for name in logs if name != "registry")
    file = backed_up(tmp_path / "older", sold.house, logs | {name: logs[name][:-2]})
    done = run("restore", file)
    assert done.status == 78
    assert "holds 2 entries that the backup lacks" in done.err
    assert "--force" in done.err
    assert content(state)[0] == logs
    assert states(home) == ["house-house"]
    done = run("restore", file, "--force", "--json")
    assert done.status == 0, done.err
    record = json.loads(done.out)
    assert record["lacking"] == 2
    assert content(state)[0] == logs | {name: logs[name][:-2]}
    assert content(Path(record["set_aside"]))[0] == logs


def test_a_state_that_cannot_be_read_is_replaced_only_when_forced(run: Any, home: Path, file, logs) -> None:
    state = home / "state/house-house"
    state.mkdir(mode=0o700)
    (state / "logs.sqlite3").write_bytes(b"damaged" * 1_000)
    done = run("restore", file)
    assert done.status == 78
    assert "cannot be compared" in done.err
    assert "is no database of auctionctl" in done.err
    done = run("restore", file, "--force")
    assert done.status == 0, done.err
    assert content(state)[0] == logs
    (aside,) = (name for name in states(home) if name.startswith(REPLACED))
    assert (home / "state" / aside / "logs.sqlite3").read_bytes() == b"damaged" * 1_000


def test_a_house_that_runs_is_left_alone(run: Any, home: Path, file, logs) -> None:
    state = home / "state/house-house"
    fill(state, {"registry": logs["registry"][:1]})
    with locked(state):
        assert run("restore", file, "--force").status == 8
    assert content(state)[0] == {"registry": logs["registry"][:1]}


@pytest.mark.parametrize("log", ["registry", "auction"])
def test_a_log_that_breaks_a_rule_changes_nothing(run: Any, home: Path, sold, logs, log: str) -> None:
    name = next(name for name in logs if name.startswith(log))
    forged = logs[name][-1][:-1] + bytes([logs[name][-1][-1] ^ 1])
    file = backed_up(home / "forged", sold.house, logs | {name: [*logs[name][:-1], forged]})
    done = run("restore", file)
    assert done.status == 7, done.err
    assert states(home) == []


def test_a_bid_without_its_signature_changes_nothing(run: Any, home: Path, sold, logs, tmp_path: Path) -> None:
    name = next(name for name in logs if name != "registry")
    index = next(index for index, data in enumerate(logs[name]) if b"bid" in data[:10])
    entries = list(logs[name])
    entries[index] = entries[index][:-1] + bytes([entries[index][-1] ^ 1])
    done = run("restore", backed_up(tmp_path / "forged", sold.house, logs | {name: entries}))
    assert done.status == 7
    assert "1 of the 2 logs" in done.err
    assert "not signed by the key in it" in done.err
    assert states(home) == []


def test_a_backup_of_another_house_changes_nothing(run: Any, home: Path, file, logs) -> None:
    write_key(key_path(home / "config/keys", "other"), SecretKey(bytes([9]) * 32), created="2026-01-31T12:00:00Z")
    (home / "config/house.toml").write_text('key = "other"\n')
    done = run("restore", file)
    assert done.status == 7
    assert "is a backup of another house" in done.err
    assert states(home) == []


def test_a_second_state_under_one_key_is_not_made(run: Any, home: Path, file, logs) -> None:
    assert run("restore", file).status == 0
    done = run("restore", file, "--name", "second")
    assert done.status == 78
    assert "second house under it" in done.err
    assert states(home) == ["house-house"]


def test_what_is_no_backup_changes_nothing(run: Any, home: Path, logs, tmp_path: Path) -> None:
    assert run("restore", tmp_path / "nothing").status == 3
    (tmp_path / "text").write_text("text")
    assert run("restore", tmp_path / "text").status == 78
    assert states(home) == []


def test_auctions_that_the_house_had_archived_are_said_to_be_missing(
    run: Any, home: Path, sold, logs, tmp_path: Path
) -> None:
    file = backed_up(tmp_path / "archived", sold.house, {"registry": logs["registry"]})
    done = run("restore", file, "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["missing"] == [sold.auction.hex()]
    assert "state/house-house/archive" in done.err
    with open_backup(file) as backup:
        assert list(backup.logs()) == ["registry"]
