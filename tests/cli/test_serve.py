from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.demo import free_port

ONE_LOT = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "X"
starting_price = "1EUR"
min_bidders = 2
start_timeout = "{timeout}"
"""


Start = Any


def serving(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    while b"serving" not in (line := process.stdout.readline()):
        assert line, process.stderr.read() if process.stderr else ""


def test_a_house_ends_when_every_auction_has(start_house: Start) -> None:
    process = start_house(ONE_LOT.replace("{timeout}", "500ms"), "--until-closed")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert b"every auction has ended" in out


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_the_house_and_all_its_processes(start_house: Start, number: int, status: int) -> None:
    process = start_house(ONE_LOT.replace("{timeout}", "1h"), "--json")
    assert process.stdout is not None
    pids: dict[str, Any] = {}
    while (record := json.loads(process.stdout.readline()))["event"] != "serving":
        pids = record
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == status
    for pid in (pids["house"], pids["gateway"], *pids["verifiers"]):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not list((start_house.home / "run").iterdir())


def test_a_house_that_is_started_again_resumes_its_auctions(start_house: Start) -> None:
    lots = ONE_LOT.replace("{timeout}", "1h")
    news = []
    for _ in range(2):
        process = start_house(lots)
        assert process.stdout is not None
        news.append(process.stdout.readline().split())
        serving(process)
        process.terminate()
        process.communicate(timeout=30)
    assert news[0][:3] == news[1][:3]
    assert (news[0][3], news[1][3]) == (b"new", b"resumed")


def test_a_second_house_on_the_same_state_is_refused(start_house: Start) -> None:
    lots = ONE_LOT.replace("{timeout}", "1h")
    serving(start_house(lots))
    second = start_house(lots)
    _, err = second.communicate(timeout=30)
    assert second.returncode == 8, err
    assert b"in use by process" in err


def test_nobody_reading_does_not_stop_an_auction(start_house: Start) -> None:
    process = start_house(ONE_LOT.replace("{timeout}", "1500ms"), "--until-closed")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    assert process.wait(30) == 0


def test_a_house_without_a_key_says_how_to_make_one(program: Any, tmp_path: Path) -> None:
    path = tmp_path / "A.toml"
    path.write_text(ONE_LOT.format(port=1, timeout="1h"))
    done = program("serve", path)
    assert done.status == 3
    assert "auctionctl keygen house" in done.err


def test_a_wrong_allow_list_is_found_before_anything_starts(start_house: Start) -> None:
    lots = ONE_LOT.replace("{timeout}", "1h")
    start_house.prepare(lots)
    (start_house.home / "config/allow").write_text("nonsense\n")
    process = start_house(lots, prepared=True)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 78
    assert b"line 1" in err
    assert not (start_house.home / "state").exists()


def test_an_empty_allow_list_is_said(start_house: Start) -> None:
    lots = ONE_LOT.replace("{timeout}", "500ms")
    start_house.prepare(lots)
    (start_house.home / "config/allow").unlink()
    process = start_house(lots, "--until-closed", prepared=True)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"auctionctl allow add" in err


def test_a_house_begins_without_lots_on_the_settings_of_its_house_file(start_house: Start) -> None:
    start_house.prepare(ONE_LOT.replace("{timeout}", "1h"))
    port = free_port()
    (start_house.home / "config/house.toml").write_text(f"port = {port}\nverifiers = 1\n")
    house = start_house.start("--json")
    assert house.stdout is not None
    while (record := json.loads(house.stdout.readline()))["event"] != "serving":
        pass
    assert record["auctions"] == []
    assert record["address"].endswith(f"@127.0.0.1:{port}")


def test_a_settings_file_that_was_named_has_to_be_there(program: Any, tmp_path: Path) -> None:
    done = program("serve", "--config", tmp_path / "none.toml")
    assert done.status == 3
    assert "none.toml" in done.err


def test_an_option_that_is_wrong_is_a_wrong_command_line(program: Any) -> None:
    done = program("serve", "--bind", "a b")
    assert done.status == 2
    assert "--bind: 'a b' is no host" in done.err
