"""``doctor`` finds what is wrong and what mends it, changes nothing, and soon ends."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.checks.findings import State
from auctionctl.cli.checks.house_checks import _judge_clock, resolve
from auctionctl.cli.checks.machine_checks import _check_version, check_libraries
from auctionctl.errors import UnreachableError
from auctionctl.keys.signing import SecretKey
from auctionctl.store.state_directory import locked

IDENTITY = SecretKey(bytes(32)).identity.text


@pytest.fixture
def port() -> Iterator[int]:
    """One that is taken, by a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def ready(run: Any, home: Path) -> Path:
    """A home that ``init`` has made, with a house port of its own."""
    run("init", "--house")
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    (home / "config/house.toml").write_text(f"port = {free}\n")
    return home


def examined(run: Any, *arguments: object) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit status, and the findings by subject."""
    done = run("doctor", *arguments, "--json")
    return done.status, {each["subject"]: each for each in json.loads(done.out)["findings"]}


def test_a_sound_machine_without_a_house_has_nothing_wrong(run: Any, ready: Path) -> None:
    status, found = examined(run)
    assert status == 0
    assert {subject for subject, each in found.items() if each["state"] != "ok"} == {"house"}
    assert found["house"]["state"] == "warning"
    assert {"Python", "SQLite", "libzmq", "configuration", "keys", "state", "house.toml"} <= set(found)
    assert "nothing wrong, 1 warning" in run("doctor").err


def test_a_machine_on_which_nothing_was_made_yet_is_told_how_to_begin(run: Any, home: Path) -> None:
    status, found = examined(run)
    assert status == 0
    assert "auctionctl init" in found["directories"]["remedy"]
    assert not home.exists()


def test_with_a_running_house_everything_is_ok(fair: Any) -> None:
    done = fair.run("doctor", "--json", "--key", "alice")
    findings = {each["subject"]: each for each in json.loads(done.out)["findings"]}
    assert done.status == 0, done.out
    assert "knows the key and answers in" in findings["house"]["finding"]
    assert findings["clock"]["state"] == "ok"
    assert "runs as process" in findings["house house"]["finding"]
    assert findings["address house"]["state"] == "ok"


def test_a_key_that_the_house_does_not_know_is_found(fair: Any) -> None:
    done = fair.run("doctor", "--json", "--key", "mallory")
    findings = {each["subject"]: each for each in json.loads(done.out)["findings"]}
    assert done.status == 78
    assert "does not know this key" in findings["house"]["finding"]
    assert "allow add" in findings["house"]["remedy"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("127.0.0.1:{port}", "no house answered"),
        ("127.0.0.1:1", "connection refused"),
        ("no-such-name.invalid:8888", "does not resolve"),
    ],
)
def test_a_house_that_cannot_be_reached_is_found_soon(
    run: Any, ready: Path, port: int, place: str, message: str
) -> None:
    began = time.monotonic()
    status, found = examined(run, "--house", f"auction://{IDENTITY}@{place.format(port=port)}")
    assert status == 78
    assert message in found["house"]["finding"]
    assert found["house"]["remedy"]
    assert time.monotonic() - began < 20


def test_a_name_server_that_does_not_answer_is_not_waited_for() -> None:
    done = threading.Event()

    def never(*arguments: object, **options: object) -> Any:
        done.wait(60)
        return []

    with pytest.raises(UnreachableError, match="no answer within 2 s"):
        resolve("example", 1, never)
    done.set()
    assert "127.0.0.1" in resolve("127.0.0.1", 1)


def test_directories_and_states_that_others_can_use_are_wrong(run: Any, ready: Path) -> None:
    (ready / "state/house-fair").mkdir()
    (ready / "state/house-fair").chmod(0o755)
    (ready / "state").chmod(0o777)
    status, found = examined(run)
    assert status == 78
    assert found["state"]["remedy"] == f"run: chmod go-w {ready / 'state'}"
    assert found["house fair"]["remedy"] == f"run: chmod 700 {ready / 'state/house-fair'}"
    assert (ready / "state").stat().st_mode & 0o777 == 0o777


def test_who_holds_a_house_and_what_it_takes_is_told(run: Any, ready: Path) -> None:
    directory = ready / "state/house-fair"
    directory.mkdir(0o700)
    (directory / "logs.sqlite3").write_bytes(bytes(2500))
    with locked(directory):
        finding = examined(run)[1]["house fair"]["finding"]
        assert f"runs as process {os.getpid()}; 2.5 kB in {directory}" in finding
    assert "does not run" in examined(run)[1]["house fair"]["finding"]


def test_what_a_killed_house_left_behind_is_told(run: Any, ready: Path) -> None:
    (ready / "run").mkdir(0o700)
    (ready / "run/fair.address").write_text(f"auction://{IDENTITY}@h:1\n")
    status, found = examined(run)
    assert status == 0
    assert found["address fair"]["state"] == "warning"
    assert f"rm {ready / 'run/fair.address'}" in found["address fair"]["remedy"]


def test_a_port_taken_by_another_is_told(run: Any, ready: Path, port: int) -> None:
    (ready / "config/house.toml").write_text(f"port = {port}\n")
    found = examined(run)[1][f"port {port}"]
    assert found["state"] == "warning"
    assert f"lsof -i :{port}" in found["remedy"]


@pytest.mark.parametrize("bind", ["192.0.2.1", "no-such-name.invalid", "[2001:db8::1]"])
def test_an_address_that_is_not_ours_is_wrong(run: Any, ready: Path, bind: str) -> None:
    (ready / "config/house.toml").write_text(f'bind = "{bind}"\nport = 8899\n')
    status, found = examined(run)
    assert status == 78
    assert "set bind in house.toml" in found["port 8899"]["remedy"]


def test_the_mistakes_in_files_are_among_the_findings(run: Any, ready: Path) -> None:
    (ready / "config/config.toml").write_text("nonsense")
    (ready / "config/keys/default.key").chmod(0o644)
    status, found = examined(run)
    assert status == 78
    assert "expected '='" in found["config.toml"]["finding"]
    assert "chmod 600" in found["keys/default.key"]["remedy"]
    assert found["house"]["state"] == "wrong"


def test_a_clock_that_is_off_is_wrong() -> None:
    assert _judge_clock(5_000_000_000, 1_000_000).state is State.OK
    late = _judge_clock(5_500_000_000, 1_000_000)
    assert late.state is State.WRONG
    assert "5.500 s behind the house's" in late.message
    assert "ahead of" in _judge_clock(-6_000_000_000, 0).message


def test_a_library_that_is_too_old_is_wrong() -> None:
    assert all(finding.state is State.OK for finding in check_libraries())
    assert _check_version("x", "3.51.2", (3, 51, 3), "r").state is State.WRONG
    assert _check_version("x", "3.51.3", (3, 51, 3), "r").state is State.OK
    assert _check_version("x", "4.0.0rc1", (3, 51), "r").state is State.OK


def test_a_terminal_shows_each_finding_with_its_remedy(run: Any, ready: Path) -> None:
    done = run("doctor", "-o", "table")
    assert "→ choose one: auctionctl context add NAME ADDR --use\n" in done.out
