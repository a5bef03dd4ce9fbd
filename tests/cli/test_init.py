"""``init`` makes what is missing, touches nothing that is there, and says what comes next."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from auctionctl.keys.keyfile import read_key


def everything(home: Path) -> dict[str, tuple[int, int, bytes]]:
    """Path → mode, inode and content of all that is there."""
    found = {}
    for path in sorted(home.rglob("*")):
        status = path.stat()
        found[str(path)] = (stat.S_IMODE(status.st_mode), status.st_ino, path.read_bytes() if path.is_file() else b"")
    return found


def test_a_person_gets_private_directories_settings_and_a_key(run: Any, home: Path) -> None:
    done = run("init")
    assert done.status == 0
    names = {path.relative_to(home).as_posix() for path in home.rglob("*")}
    expected = {"config", "config/config.toml", "config/house.toml", "config/keys", "config/keys/default.key", "state"}
    assert names == expected
    for _, (mode, _, _) in everything(home).items():
        assert not mode & 0o077
    assert read_key(home / "config/keys/default.key").identity.text in done.err
    assert "context add" in done.err
    assert "AUC-SECRET" not in done.out + done.err


def test_a_second_time_nothing_changes(run: Any, home: Path) -> None:
    run("init", "--house")
    before = everything(home)
    done = run("init", "--house")
    assert done.status == 0
    assert "nothing was changed" in done.err
    assert everything(home) == before
    assert json.loads(run("init", "--json").out)["made"] == []


def test_a_house_gets_its_key_besides(run: Any, home: Path) -> None:
    document = json.loads(run("init", "--house", "--json").out)
    assert set(document["keys"]) == {"default", "house"}
    assert sorted(os.listdir(home / "config/keys")) == ["default.key", "house.key"]
    assert any("auctionctl serve" in step for step in document["next"])


def test_whoever_has_a_key_gets_no_other(run: Any, home: Path) -> None:
    run("keygen", "alice")
    run("init")
    assert os.listdir(home / "config/keys") == ["alice.key"]


def test_what_is_there_stays_even_if_it_is_wrong(run: Any, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config/config.toml").write_text("nonsense")
    (home / "config/house.toml").symlink_to(home / "nowhere")
    done = run("init")
    assert done.status == 0
    assert (home / "config/config.toml").read_text() == "nonsense"
    assert (home / "config/house.toml").is_symlink()
    assert not (home / "nowhere").exists()


def test_a_place_that_cannot_be_is_said(run: Any, home: Path) -> None:
    home.write_text("a file")
    done = run("init")
    assert done.status == 78
    assert "hint: " in done.err
