from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any


def test_a_new_key_is_private_and_its_public_half_goes_to_stdout(run: Any, home: Path) -> None:
    done = run("keygen", "alice")
    path = home / "config/keys/alice.key"
    assert done.status == 0
    assert done.out.startswith("auc1")
    assert done.out.count("\n") == 1
    assert str(path) in done.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "AUC-SECRET" not in done.out + done.err
    assert run("key", "show", "alice").out == done.out


def test_a_key_without_a_name_is_the_default(run: Any, home: Path) -> None:
    public = run("keygen").out
    run("keygen", "other")
    assert run("key", "show").out == public


def test_a_key_is_never_overwritten_unless_forced(run: Any, home: Path) -> None:
    before = run("keygen", "alice").out
    done = run("keygen", "alice")
    assert done.status == 78
    assert "--force" in done.err
    assert run("key", "show", "alice").out == before
    assert run("keygen", "alice", "--force").out != before


def test_json_says_where_the_key_is(run: Any, home: Path) -> None:
    record = json.loads(run("keygen", "alice", "--json").out)
    assert record["name"] == "alice"
    assert record["path"] == str(home / "config/keys/alice.key")
    shown = json.loads(run("key", "show", "alice", "--json").out)
    assert shown["public_key"] == record["public_key"]
    assert record["public_key"].startswith(shown["short"][:-1])


def test_a_name_that_is_none_leaves_nothing_behind(run: Any, home: Path) -> None:
    for name in ("../x", "A", "a b", "x" * 33):
        done = run("keygen", name)
        assert done.status == 2
        assert "NAME" in done.err
    assert not home.exists()


def test_a_missing_key_says_how_to_make_one(run: Any) -> None:
    done = run("key", "show", "bob")
    assert done.status == 3
    assert "auctionctl keygen bob" in done.err
