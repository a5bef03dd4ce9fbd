from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from auctionctl.keys.signing import SecretKey

LOT = '[[auction]]\nitem = "A lamp"\nstarting_price = "1EUR"\n'


def test_an_exported_log_verifies_in_another_process(fair: Any, tmp_path: Path) -> None:
    path = tmp_path / "quick.auction"
    done = fair.run("export", "quick", "-o", path, "--key", "alice")
    assert (done.status, done.out) == (0, ""), done.err
    assert os.listdir(tmp_path) == ["quick.auction"]
    verdict = json.loads(fair.run("verify", path, "--house", fair.address, "--json").out)
    assert (verdict["verified"], verdict["is_finished"], verdict["end_reason"]) == (True, True, "completed")
    again = fair.run("export", "quick", "-o", "-", "--key", "bob")
    assert again.out.encode() == path.read_bytes()


def test_a_log_that_has_not_ended_is_exported_as_unfinished(fair: Any, tmp_path: Path) -> None:
    path = tmp_path / "waiting.auction"
    done = fair.run("export", "waiting-lot", "-o", path, "--key", "alice")
    assert done.status == 0
    assert "unfinished" in done.err
    assert "unfinished" in fair.run("verify", path).out


def test_a_file_is_replaced_only_when_forced(fair: Any, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"mine")
    done = fair.run("export", "quick", "-o", path, "--key", "alice")
    assert done.status == 78
    assert "--force" in done.err
    assert path.read_bytes() == b"mine"
    assert fair.run("export", "quick", "-o", path, "--key", "alice", "--force").status == 0
    assert path.read_bytes() != b"mine"


def test_what_there_is_not_is_not_exported(fair: Any, tmp_path: Path) -> None:
    done = fair.run("export", "nothing", "-o", tmp_path / "x", "--key", "alice")
    assert done.status == 3
    assert "(quick)" in done.err
    assert os.listdir(tmp_path) == []
    assert fair.run("export", "quick", "-o", tmp_path / "no" / "x", "--key", "alice").status == 78


def test_without_a_name_the_file_is_called_after_the_listing_and_is_here(fair: Any, tmp_path: Path) -> None:
    import subprocess
    import sys

    def export(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "auctionctl", "export", "quick", "--key", "alice", *arguments],
            cwd=tmp_path,
            env=os.environ | {"AUCTIONCTL_HOME": str(fair.home)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = export("--json")
    assert done.returncode == 0, done.stderr
    written = json.loads(done.stdout)
    assert (written["schema"], written["file"]) == ("auctionctl.export/1", "quick.auction")
    assert os.listdir(tmp_path) == ["quick.auction"]
    assert (tmp_path / "quick.auction").stat().st_size == written["bytes"]
    assert export().returncode == 78


def test_the_registry_of_a_house_is_exported_and_verified_in_another_process(fair: Any, tmp_path: Path) -> None:
    path = tmp_path / "registry.auction"
    done = fair.run("export", "--registry", "-o", path, "--key", "alice")
    assert (done.status, done.out) == (0, ""), done.err
    assert done.err == "5 entries of the registry\n"
    verdict = json.loads(fair.run("verify", path, "--house", fair.address, "--json").out)
    assert (verdict["kind"], verdict["verified"], verdict["log_size"]) == ("registry", True, 5)
    assert [member["name"] for member in verdict["members"]] == ["alice", "bob"]
    assert [auction["listing"] for auction in verdict["announced"]] == ["quick", "waiting-lot"]
    words = fair.run("verify", path, "--house", fair.address)
    assert words.status == 0
    assert "let in    2 now, 0 no more\nauctions  2 announced\n" in words.out
    written = json.loads(fair.run("export", "--registry", "-o", path, "--force", "--key", "bob", "--json").out)
    assert (written["log"], written["id"], written["entries"]) == ("registry", None, 5)


def test_a_registry_that_was_changed_is_refused_by_entry_and_rule(fair: Any, tmp_path: Path) -> None:
    path = tmp_path / "registry.auction"
    assert fair.run("export", "--registry", "-o", path, "--key", "alice").status == 0
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], lines[3], lines[3], *lines[4:]]))
    done = fair.run("verify", path, "--json")
    assert done.status == 7
    assert "entry 1" in json.loads(done.err)["error"]["message"]


def test_an_auction_and_the_registry_are_two_files(run: Any) -> None:
    for arguments in (("export",), ("export", "quick", "--registry")):
        assert run(*arguments).status == 2


def test_a_house_that_gives_little_at_a_time_is_read_to_the_end_by_a_command_that_waits(
    start_house: Any, tmp_path: Path
) -> None:
    start_house.prepare("[house]\nport = {port}\nread_bytes_per_s = 65536\nread_bytes_burst = 65536\n" + LOT)
    listed = start_house.home / "config/allow"
    with listed.open("a") as file:
        for number in range(600):
            key = SecretKey(number.to_bytes(32, "big")).identity.text
            file.write(f"{key} member-{number}\n")
    house = start_house(LOT, "--json", prepared=True)
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line
    path = tmp_path / "registry.auction"
    begun_s = time.monotonic()
    done = start_house.run("export", "--registry", "-o", path, "--key", "alice")
    assert done.status == 0, done.err
    assert "603 entries of the registry" in done.err
    size_bytes = path.stat().st_size * 3 // 4  # as base64
    assert time.monotonic() - begun_s > (size_bytes - 2 * 65_536) / 65_536
