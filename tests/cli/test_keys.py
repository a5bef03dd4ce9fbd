from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey

CREATED = "2026-01-31T12:00:00Z"
ALICE = SecretKey(b"a" * 32)
ALICE_TEXT = f"# created: {CREATED}\n# public key: {ALICE.identity.text}\n{ALICE.seed_text}\n"


@pytest.fixture
def alice(home: Path) -> Path:
    """The file of a key."""
    path = key_path(home / "config/keys", "alice")
    write_key(path, ALICE, created=CREATED)
    return path


def at_terminal(*arguments: str, answer: str = "", wait_for: str = "") -> tuple[int, str]:
    """Status and screen of a command that a person runs."""
    child = pexpect.spawn(sys.executable, ["-P", "-m", "auctionctl", *arguments], encoding="utf-8", timeout=30)
    if wait_for:
        child.expect_exact(wait_for)
        before = child.before
        child.sendline(answer)
    else:
        before = ""
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus is not None
    return child.exitstatus, before + (child.before or "")


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


def test_every_key_is_listed_and_what_is_wrong_with_it(run: Any, alice: Path) -> None:
    write_key(alice.with_name("bob.key"), SecretKey(b"b" * 32), created=CREATED)
    (alice.with_name("carol.key")).write_text("nonsense")
    alice.chmod(0o644)
    lines = [line.split("\t") for line in run("key", "ls").out.splitlines()]
    assert lines[0] == ["name", "key", "created", "lock", "problem"]
    assert lines[1][:3] == ["alice", ALICE.identity.short, CREATED]
    assert "mode 0644" in lines[1][4]
    assert f"chmod 600 {alice}" in lines[1][4]
    assert lines[2][3:] == ["none", "-"]
    assert lines[3][:3] == ["carol", "-", "-"]
    keys = json.loads(run("key", "ls", "--json").out)["keys"]
    assert [(key["name"], key["problem"] is None) for key in keys] == [
        ("alice", False),
        ("bob", True),
        ("carol", False),
    ]
    assert keys[0]["public_key"] == ALICE.identity.text


def test_without_keys_the_list_says_how_to_make_one(run: Any) -> None:
    assert "auctionctl keygen" in run("key", "ls").err


def test_the_public_half_is_exported_unless_the_secret_is_asked_for(run: Any, alice: Path, tmp_path: Path) -> None:
    assert run("key", "export", "alice").out == ALICE.identity.text + "\n"
    assert run("key", "export", "alice", "-o", tmp_path / "public").status == 0
    assert (tmp_path / "public").read_text() == ALICE.identity.text + "\n"
    document = json.loads(run("key", "export", "alice", "--json").out)
    assert document["public_key"] == ALICE.identity.text
    assert "SECRET" not in json.dumps(document)


def test_a_secret_goes_to_a_private_new_file_or_to_a_pipe(run: Any, program: Any, alice: Path, tmp_path: Path) -> None:
    done = run("key", "export", "alice", "--secret", "-o", tmp_path / "copy")
    assert (done.status, done.out) == (0, "")
    assert (tmp_path / "copy").read_text() == ALICE_TEXT
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    again = run("key", "export", "alice", "--secret", "-o", tmp_path / "copy")
    assert again.status == 78
    assert "exists already" in again.err
    assert program("key", "export", "alice", "--secret").out == ALICE_TEXT
    refused = run("key", "export", "alice", "--secret", "--json")
    assert refused.status == 2
    assert ALICE.seed_text not in refused.out + refused.err


def test_a_secret_is_never_shown_on_a_terminal(alice: Path) -> None:
    status, screen = at_terminal("key", "export", "alice", "--secret")
    assert status == 2
    assert "not shown on a terminal" in screen
    assert "AUC-SECRET" not in screen


def test_a_key_is_taken_over_with_its_time_of_creation(
    run: Any, program: Any, home: Path, alice: Path, tmp_path: Path
) -> None:
    run("key", "export", "alice", "--secret", "-o", tmp_path / "alice.key")
    done = run("key", "import", tmp_path / "alice.key", "other")
    assert done.status == 0
    assert done.out == ALICE.identity.text + "\n"
    assert (home / "config/keys/other.key").read_text() == ALICE_TEXT
    taken = run("key", "import", tmp_path / "alice.key")
    assert taken.status == 78
    assert "alice.key exists already" in taken.err
    assert run("key", "import", tmp_path / "alice.key", "--force").status == 0
    assert program("key", "import", "-", "piped", input_bytes=ALICE_TEXT.encode()).status == 0
    assert (home / "config/keys/piped.key").read_text() == ALICE_TEXT
    assert program("key", "import", "-", input_bytes=ALICE.seed_text.encode() + b"\n").status == 0
    assert ALICE.seed_text in (home / "config/keys/default.key").read_text()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "there is no key on stdin"),
        (b" \n", "there is no key on stdin"),
        (b"hello\n", "stdin is damaged: line 1"),
        (ALICE.seed_text.encode() * 2, "stdin is damaged"),
        (ALICE.seed_text[:-1].encode() + b"q", "stdin is damaged"),
        (b"\xff" * 70_000, "stdin is larger"),
    ],
)
def test_what_is_no_key_is_refused_without_repeating_it(program: Any, home: Path, data: bytes, message: str) -> None:
    done = program("key", "import", "-", "x", input_bytes=data)
    assert done.status == 78
    assert message in done.err
    assert ALICE.seed_text[20:40] not in done.err
    assert not home.exists()


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(run: Any, home: Path) -> None:
    done = run("key", "import", ALICE.seed_text)
    assert done.status == 2
    assert ALICE.seed_text not in done.err
    assert "stdin" in done.err
    assert not home.exists()


def test_a_secret_that_is_typed_is_not_shown(home: Path) -> None:
    status, screen = at_terminal("key", "import", "-", "typed", answer=ALICE.seed_text, wait_for="not shown: ")
    assert status == 0, screen
    assert ALICE.identity.text in screen.replace("\r\n", "")
    assert ALICE.seed_text not in screen


def test_a_key_is_removed_only_when_that_is_surely_meant(run: Any, program: Any, alice: Path) -> None:
    done = program("key", "rm", "alice")
    assert done.status == 2
    assert "--yes" in done.err
    status, screen = at_terminal("key", "rm", "alice", answer="y", wait_for="remove it: ")
    assert status == 2
    assert "nothing was removed" in screen
    assert alice.exists()
    status, _ = at_terminal("key", "rm", "alice", answer="alice", wait_for="remove it: ")
    assert status == 0
    assert not alice.exists()
    gone = run("key", "rm", "alice", "--yes")
    assert gone.status == 3
    assert "auctionctl key ls" in gone.err


def test_a_damaged_key_can_be_removed(run: Any, alice: Path) -> None:
    alice.write_text("nonsense")
    assert run("key", "rm", "alice", "--yes").status == 0
    assert os.listdir(alice.parent) == []


def test_the_key_of_a_running_house_is_not_removed(fair: Any) -> None:
    done = fair.run("key", "rm", "house", "--yes")
    assert done.status == 8
    assert "the house house is running under the key house" in done.err
    assert (fair.home / "config/keys/house.key").exists()


def test_the_key_of_a_running_bidder_is_not_removed(run: Any, home: Path, alice: Path) -> None:
    from auctionctl.client.kept_session import alone
    from auctionctl.client.paths import find_paths

    with alone(find_paths(), ALICE):
        done = run("key", "rm", "alice", "--yes")
        assert done.status == 8
        assert f"process {os.getpid()}" in done.err
    assert run("key", "rm", "alice", "--yes").status == 0
