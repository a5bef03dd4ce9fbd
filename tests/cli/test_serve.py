from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
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


def next_event(house: subprocess.Popen[bytes], event: str) -> dict[str, Any]:
    """The next object of this event on the house's output."""
    assert house.stdout is not None
    while line := house.stdout.readline():
        record: dict[str, Any] = json.loads(line)
        if record["event"] == event:
            return record
    raise AssertionError(house.stderr.read() if house.stderr else "")


def test_an_address_that_a_killed_house_has_left_counts_for_nothing_and_is_replaced(
    start_house: Start, home: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lots = ONE_LOT.replace("{timeout}", "1h")
    house = start_house(lots, "--json")
    serving_record = next_event(house, "serving")
    address_file = start_house.home / "run/house.address"
    monkeypatch.setenv("AUCTIONCTL_HOME", str(start_house.home))
    house.kill()
    house.wait(30)
    assert address_file.read_text().strip() == serving_record["address"]
    done = run("ls", "--key", "alice")
    assert (done.status, "none runs on this machine" in done.err) == (78, True), done.err
    # Its children end by themselves, and let go of the state.
    until(lambda: not is_locked(start_house.home / "state/house-house/lock"))
    again = next_event(start_house(lots, "--json"), "serving")
    assert address_file.read_text().strip() == again["address"] != serving_record["address"]


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline_s


def is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_what_has_been_closed_for_long_enough_is_archived_verifies_and_is_not_sold_again(
    start_house: Start, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lots = ONE_LOT.replace("{timeout}", "1s").replace("[house]", '[house]\nretention = "1s"')
    assert "retention" in lots
    house = start_house(lots, "--json")
    (auction,) = next_event(house, "serving")["auctions"]
    archived = next_event(house, "archived")
    assert (archived["id"], archived["listing"]) == (auction["id"], auction["listing"])
    address = (start_house.home / "run/house.address").read_text().strip()
    done = run("verify", archived["path"], "--house", address, "--json")
    assert (done.status, json.loads(done.out)["id"], json.loads(done.out)["end_reason"]) == (
        *(0, auction["id"], "cancelled"),
    )
    monkeypatch.setenv("AUCTIONCTL_HOME", str(start_house.home))
    assert json.loads(run("ls", "--key", "alice", "--json").out)["auctions"] == []
    house.terminate()
    assert house.wait(30) == 0
    assert next_event(start_house(lots, "--json", prepared=True), "serving")["auctions"] == []


def test_an_auction_that_a_seller_opens_at_the_last_moment_keeps_the_house_open(
    start_house: Start, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = start_house(ONE_LOT.replace("{timeout}", "500ms"), "--until-closed", "--json")
    next_event(house, "all_closed")
    # It will end after a moment, which is as long as it takes the seller to come; its house serves on meanwhile.
    house.send_signal(signal.SIGSTOP)
    monkeypatch.setenv("AUCTIONCTL_HOME", str(start_house.home))
    late = ("--item", "Late lot", "--starting-price", "1EUR", "--min-bidders", "2", "--start-timeout", "4s")
    opened = run("open", *late, "--key", "house", "--json")
    house.send_signal(signal.SIGCONT)
    assert opened.status == 0, opened.err
    record = next_event(house, "closed")
    assert (record["listing"], record["end_reason"]) == ("late-lot", "cancelled")
    next_event(house, "all_closed")
    assert house.wait(30) == 0


def test_a_house_that_is_to_archive_does_not_start_with_an_archive_that_it_cannot_use(start_house: Start) -> None:
    lots = ONE_LOT.replace("{timeout}", "1h")
    house = start_house(lots, "--json")
    next_event(house, "serving")
    house.terminate()
    assert house.wait(30) == 0
    directory = start_house.home / "state/house-house/archive"
    directory.mkdir()
    directory.chmod(0o755)
    path = start_house.home / "AUCTIONS.toml"
    path.write_text(path.read_text().replace("[house]", '[house]\nretention = "1s"'))
    house = start_house(lots, "--json", prepared=True)
    out, err = house.communicate(timeout=30)
    assert (house.returncode, b"serving" in out) == (78, False)
    assert f"archive directory {directory} has mode 0755" in json.loads(err)["error"]["message"]
    path.write_text(path.read_text().replace('retention = "1s"', ""))
    next_event(start_house(lots, "--json", prepared=True), "serving")


def test_a_hangup_has_everything_read_again(start_house: Start) -> None:
    lots = ONE_LOT.replace("{timeout}", "1h")
    start_house.prepare(lots)
    path = start_house.home / "AUCTIONS.toml"
    text = path.read_text()
    house = start_house(lots, "--json", prepared=True)
    next_event(house, "serving")
    lamp = '[[auction]]\nitem = "Lamp"\nstarting_price = "1EUR"\nstart_timeout = "100ms"\n'
    path.write_text(text.replace("verifiers = 1", "verifiers = 2") + lamp)
    house.send_signal(signal.SIGHUP)
    assert next_event(house, "restart_needed")["settings"] == ["verifiers"]
    reloaded = next_event(house, "reloaded")
    assert [(each["listing"], each["is_resumed"]) for each in reloaded["auctions"]] == [("lamp", False)]
    closed = next_event(house, "closed")
    assert (closed["listing"], closed["end_reason"], closed["winner"]) == ("lamp", "cancelled", None)
    path.write_text(text + "nonsense = 1\n")
    house.send_signal(signal.SIGHUP)
    kept = next_event(house, "settings_kept")
    assert f"{path}: auction 1 ('X'): unknown key 'nonsense'" in kept["reason"]
    path.write_text("[house]\nmax_concurrent_auctions = 1\n" + text.replace("[house]\n", "") + lamp.replace("L", "C"))
    house.send_signal(signal.SIGHUP)
    assert "more than max_concurrent_auctions" in next_event(house, "settings_kept")["reason"]
    house.terminate()
    assert next_event(house, "draining")
    assert house.wait(30) == 0


def test_a_sale_is_told_and_who_came_in_and_no_bid_is(fair: Any) -> None:
    fair.house.send_signal(signal.SIGHUP)
    events = []
    while not events or events[-1]["event"] != "reloaded":
        events.append(json.loads(fair.house.stdout.readline()))
    told = [(each["event"], each.get("name") or each.get("listing"), each.get("role")) for each in events]
    assert len(set(told)) == len(told)
    assert {("admitted", "alice", "bidder"), ("admitted", "bob", "bidder"), ("open", "quick", None)} < set(told)
    assert {event for event, _, _ in told} == {"admitted", "open", "closed", "reloaded"}
    (closed,) = (event for event in events if event["event"] == "closed")
    assert (closed["listing"], closed["winner"], closed["end_reason"]) == ("quick", "bob", "completed")
    assert closed["price"].endswith("EUR")


def await_silence(manager: socket.socket, silence_s: float) -> None:
    """Until nothing has come for so long."""
    manager.settimeout(silence_s)
    with suppress(TimeoutError):
        while True:
            manager.recv(500)
    manager.settimeout(30)


def test_a_service_manager_is_told_how_the_house_is(start_house: Start, tmp_path: Path) -> None:
    path = start_house.prepare(ONE_LOT.replace("{timeout}", "1h"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)

        def hear(word: bytes) -> None:
            while not manager.recv(500).startswith(word):
                pass

        house = start_house.start(path, "--json", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="500000")
        hear(b"READY=1")
        pids = next_event(house, "processes")
        environment = Path(f"/proc/{pids['house']}/environ")
        if os.access(environment, os.R_OK):  # on Linux, by root: nobody else may look into the house
            assert b"NOTIFY_SOCKET" not in environment.read_bytes()
        hear(b"STATUS=serving at auction://")
        for _ in range(3):
            hear(b"WATCHDOG=1")
        house.send_signal(signal.SIGHUP)
        hear(b"RELOADING=1\nMONOTONIC_USEC=")
        hear(b"READY=1")
        # A house that stands still is not vouched for.
        os.kill(pids["house"], signal.SIGSTOP)
        await_silence(manager, 2.0)
        os.kill(pids["house"], signal.SIGCONT)
        hear(b"WATCHDOG=1")
        # One that has died is started again, and ready again.
        os.kill(pids["house"], signal.SIGKILL)
        hear(b"STATUS=the house's process has died, and is being started again")
        hear(b"READY=1")
        assert next_event(house, "restarted")["process"] == "house"
        hear(b"STATUS=serving at auction://")
        hear(b"WATCHDOG=1")
        house.terminate()
        hear(b"STOPPING=1")
        assert house.wait(30) == 0


@pytest.mark.parametrize(
    ("bind", "hint"),
    [("203.0.113.7", "an address of this machine"), ("no-such-host.invalid", "an address of this machine")],
)
def test_a_host_that_is_not_ours_is_refused_with_advice(start_house: Start, bind: str, hint: str) -> None:
    path = start_house.prepare(ONE_LOT.replace("{timeout}", "1h"))
    house = start_house.start(path, "--bind", bind)
    _, err = house.communicate(timeout=60)
    assert house.returncode == 78
    assert f"cannot listen on {bind}".encode() in err
    assert hint.encode() in err


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


def test_a_reader_that_has_fallen_asleep_does_not_keep_a_gateway_from_being_replaced(
    start_house: Start, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = start_house.prepare(ONE_LOT.replace("{timeout}", "1h"))
    reader, writer = os.pipe()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    house = subprocess.Popen(
        [sys.executable, "-P", "-m", "auctionctl", "serve", str(path), "--json"],
        env=kept | {"AUCTIONCTL_HOME": str(start_house.home)},
        stdout=writer,
    )
    try:
        with open(reader, "rb", buffering=0, closefd=False) as lines:
            pids = json.loads(lines.readline())
            assert json.loads(lines.readline())["event"] == "serving"
        room = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
        os.write(writer, b"x" * room)
        os.kill(pids["gateway"], signal.SIGKILL)
        monkeypatch.setenv("AUCTIONCTL_HOME", str(start_house.home))
        assert len(json.loads(run("ls", "--key", "alice", "--json").out)["auctions"]) == 1
        house.terminate()
        assert house.wait(30) == 0
    finally:
        house.kill()
        house.wait()
        os.close(reader)
        os.close(writer)
