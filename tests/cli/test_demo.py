from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pytest

from auctionctl.cli import demo as module
from auctionctl.cli.demo import Sale, _write_progress, _write_results
from auctionctl.cli.output import Form
from auctionctl.replica.audit import audit
from auctionctl.replica.export import decode_export
from auctionctl.tlog.note import is_signed_alone
from auctionctl.views.auction_row import row_of

from .conftest import processes_with


def test_three_lots_end_as_told_and_every_log_verifies(program: Any, tmp_path: Path, corner: Path) -> None:
    keep = tmp_path / "kept"
    done = program("demo", "--duration", "3s", "--seed", "7", "--keep", keep, "--json", TMPDIR=str(corner))
    assert done.status == 0, done.err
    result = json.loads(done.out.splitlines()[-1])
    assert result["schema"] == "auctionctl.demo/1"
    watch, sketch, plate = result["auctions"]
    assert (watch["item"], watch["end_reason"]) == ("Gold watch, 1962", "completed")
    assert watch["price"]["minor"] >= 80_000
    assert (sketch["end_reason"], sketch["winner"], sketch["price"]) == ("reserve_not_met", None, None)
    assert (plate["end_reason"], plate["winner"], plate["extensions"] >= 1) == ("completed", "charlie", True)
    assert all(auction["verified"] and auction["bids"] > 0 for auction in result["auctions"])
    assert result["seconds"] > 3
    for auction in result["auctions"]:
        path = keep / f"{auction['id']}.auction"
        assert program("verify", path).status == 0
        assert is_signed_alone(decode_export(path.read_bytes()).checkpoint), "a plain note, which any verifier reads"
    assert list((keep / "state/receipts").glob("*/*.tlog-proof"))
    assert "Gold watch" in done.err
    assert "?" not in done.err.splitlines(), "a line of nothing"
    assert processes_with(str(keep)) == []
    assert os.listdir(corner) == []


def spawn(corner: Path, *arguments: str) -> Any:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AUCTIONCTL_", "COLUMNS"))}
    return pexpect.spawn(
        sys.executable,
        ["-P", "-m", "auctionctl", "demo", *arguments],
        env=environment | {"TMPDIR": str(corner), "TERM": "xterm-256color"},
        dimensions=(14, 110),
        timeout=40,
        encoding="utf-8",
    )


def test_on_a_terminal_it_is_a_board_and_then_a_table(corner: Path) -> None:
    child = spawn(corner, "--duration", "3s")
    child.expect("reserve not met")
    child.expect_exact("\x1b[?1049l")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "Gold watch, 1962" in child.before
    assert child.before.count("verified") == 3
    assert os.listdir(corner) == []
    assert processes_with(str(corner)) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ended_in_the_middle_it_leaves_nothing(corner: Path, number: int, status: int) -> None:
    child = spawn(corner, "--duration", "1m")
    child.expect("0:59|0:58|0:57")
    assert processes_with(str(corner)) != []
    if number == signal.SIGINT:
        child.sendintr()
    else:
        child.kill(number)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == status
    assert os.listdir(corner) == []
    deadline_s = time.monotonic() + 20
    while processes_with(str(corner)) and time.monotonic() < deadline_s:
        pass
    assert processes_with(str(corner)) == []


def test_a_bidder_that_dies_ends_the_demo_with_its_last_words(
    run: Any, corner: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from auctionctl.cli import demo_story

    broke = (*demo_story.PLAYERS[:2], demo_story.Player("charlie", "1.00USD1", "conservative"))
    monkeypatch.setattr(demo_story, "PLAYERS", broke)
    monkeypatch.setattr("tempfile.tempdir", str(corner))
    done = run("demo", "--duration", "3s", "--json")
    assert done.status == 1
    assert "charlie: " in done.err
    assert "the demo's process charlie ended with status 2" in done.err
    assert os.listdir(corner) == []


def test_a_directory_that_is_in_use_is_not_touched(run: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path, tmp_path / "file"):
        done = run("demo", "--keep", path)
        assert done.status == 78
        assert "is there already" in done.err
    assert (tmp_path / "file").read_text() == "mine"


def test_nothing_is_said_of_lots_until_there_are_any(
    sold: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = audit(sold.data, sold.house.key.identity).auction
    looks = [[], [], [row_of(state, state.last_time_ns, {}, is_current=True)]]

    class Watching:
        has_ended = staticmethod(lambda: not looks)

        def rows(self, names: Any) -> Any:
            return looks.pop(0)

        def run(self, is_done: Any, on_tick: Any) -> None:
            while not is_done():
                on_tick()

    monkeypatch.setattr(module, "PROGRESS_S", 0.0)
    watching: Any = Watching()
    _write_progress({}, watching, lambda: None)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Gold watch: 120.00EUR ")


def test_a_log_that_does_not_verify_is_shouted(sold: Any, capsys: pytest.CaptureFixture[str]) -> None:
    state = audit(sold.data, sold.house.key.identity).auction
    replica: Any = type("R", (), {"replay": type("P", (), {"state": state})})
    _write_results(Form.PLAIN, [Sale(replica, "bob", False)], 1.0, None)
    assert "NOT VERIFIED" in capsys.readouterr().out
    _write_results(Form.JSON, [Sale(replica, "bob", False)], 1.0, None)
    assert json.loads(capsys.readouterr().out)["auctions"][0]["verified"] is False


def test_a_free_port_is_free() -> None:
    import socket

    with socket.create_server(("127.0.0.1", module.free_port())):
        pass
