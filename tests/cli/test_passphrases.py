"""A key under a passphrase serves every command, and the passphrase is shown to nobody."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from auctionctl.cli.demo import free_port
from auctionctl.keys.keyfile import StoredKey, key_path, read_key, read_key_file, write_key_file
from auctionctl.keys.locked_key import CHEAPEST, LockedKey, lock_key
from auctionctl.keys.signing import SecretKey

CREATED = "2026-01-31T12:00:00Z"
ALICE = SecretKey(b"a" * 32)
PASSPHRASE = "correct horse"
NEW = "battery staple ✓"


def locked(key: SecretKey) -> LockedKey:
    return lock_key(key, CREATED, PASSPHRASE.encode(), salt=b"s" * 16, nonce=b"n" * 24, cost=CHEAPEST)


@pytest.fixture
def alice(home: Path) -> Path:
    path = key_path(home / "config/keys", "alice")
    write_key_file(path, locked(ALICE))
    return path


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    path = tmp_path / "pass"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return path


class Typing:
    """A command at a terminal, to which a person types; ``screen`` is all that it showed."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-P", "-m", "auctionctl", *map(str, arguments)],
            env=os.environ | environment,
            encoding="utf-8",
            timeout=30,
        )
        self.screen = ""

    def answer(self, prompt: str, typed: str) -> None:
        self.child.expect_exact(prompt)
        self.screen += self.child.before + prompt
        # Not before the terminal has stopped to echo.
        assert self.child.waitnoecho(30)
        self.child.sendline(typed)

    def end(self) -> int:
        self.child.expect(pexpect.EOF)
        self.screen += self.child.before
        self.child.close()
        assert self.child.exitstatus is not None
        return int(self.child.exitstatus)


def test_a_passphrase_is_typed_twice_and_not_shown(home: Path) -> None:
    typing = Typing("keygen", "alice", "--passphrase")
    typing.answer("new passphrase: ", NEW)
    typing.answer("the same again: ", NEW)
    assert typing.end() == 0, typing.screen
    assert NEW not in typing.screen
    content = read_key_file(home / "config/keys/alice.key")
    assert isinstance(content, LockedKey)
    assert content.unlock("it", NEW.encode()).identity.text == content.public
    assert content.public in typing.screen.replace("\r\n", "")


def test_two_passphrases_that_differ_make_no_key(home: Path) -> None:
    typing = Typing("keygen", "alice", "--passphrase")
    typing.answer("new passphrase: ", NEW)
    typing.answer("the same again: ", NEW + "x")
    assert typing.end() == 78
    assert "the two differ: nothing was changed" in typing.screen
    assert not home.exists()


def test_the_passphrase_is_asked_for_and_a_wrong_one_is_said(alice: Path) -> None:
    before = alice.read_bytes()
    typing = Typing("key", "passwd", "alice", "--remove")
    typing.answer("passphrase of alice: ", "wrong horse")
    assert typing.end() == 78
    assert "the passphrase is wrong" in typing.screen
    assert "wrong horse" not in typing.screen
    assert alice.read_bytes() == before
    typing = Typing("key", "passwd", "alice", "--remove")
    typing.answer("passphrase of alice: ", PASSPHRASE)
    assert typing.end() == 0
    assert read_key(alice).identity == ALICE.identity


def test_an_interrupted_change_leaves_the_old_file_and_the_terminal_as_they_were(alice: Path) -> None:
    before = alice.read_bytes()
    typing = Typing("key", "passwd", "alice")
    typing.answer("passphrase of alice: ", PASSPHRASE)
    typing.child.expect_exact("new passphrase: ")
    assert typing.child.waitnoecho(30)
    typing.child.sendintr()
    assert typing.end() == 130
    assert alice.read_bytes() == before
    assert os.listdir(alice.parent) == ["alice.key"]
    typing = Typing("key", "passwd", "alice")
    typing.child.expect_exact("passphrase of alice: ")
    typing.child.sendeof()
    assert typing.end() == 78
    assert "none was typed" in typing.screen


def test_a_disk_that_fills_up_during_a_change_leaves_the_old_file(run: Any, alice: Path, passphrase_file: Path) -> None:
    before = alice.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        done = run("key", "passwd", "alice", "--passphrase-file", passphrase_file, "--remove", "--json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert done.status == 78
    assert alice.read_bytes() == before
    assert os.listdir(alice.parent) == ["alice.key"]


def test_a_passphrase_is_set_changed_and_removed(run: Any, home: Path, alice: Path, passphrase_file: Path) -> None:
    new = passphrase_file.with_name("new")
    new.write_text(NEW)
    new.chmod(0o600)
    done = run(
        *("key", "passwd", "alice", "--json", "--passphrase-file", passphrase_file, "--new-passphrase-file", new)
    )
    assert json.loads(done.out) == {
        "schema": "auctionctl.key-passwd/1",
        "name": "alice",
        "path": str(alice),
        "public_key": ALICE.identity.text,
        "has_passphrase": True,
    }
    content = read_key_file(alice)
    assert isinstance(content, LockedKey)
    assert content.created == CREATED
    assert content.unlock("it", NEW.encode()).seed == ALICE.seed
    assert stat.S_IMODE(alice.stat().st_mode) == 0o600
    assert run("key", "passwd", "alice", "--remove", "--passphrase-file", new).status == 0
    plain = read_key_file(alice)
    assert isinstance(plain, StoredKey)
    assert (plain.key.seed, plain.created) == (ALICE.seed, CREATED)


def test_a_passphrase_comes_from_a_pipe_as_well(alice: Path) -> None:
    command = f"{sys.executable} -P -m auctionctl key passwd alice --remove --passphrase-file <(echo '{PASSPHRASE}')"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert read_key(alice).seed == ALICE.seed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "there is no passphrase in"),
        (b"\n", "there is no passphrase in"),
        (b"one\ntwo\n", "holds more than a passphrase"),
        (b"x" * 1025, "holds more than a passphrase"),
    ],
)
def test_a_file_that_holds_no_passphrase_is_refused(
    run: Any, alice: Path, passphrase_file: Path, content: bytes, message: str
) -> None:
    passphrase_file.write_bytes(content)
    done = run("key", "passwd", "alice", "--remove", "--passphrase-file", passphrase_file)
    assert done.status == 78
    assert message in done.err


def test_windows_ends_of_lines_are_no_part_of_it(run: Any, alice: Path, passphrase_file: Path) -> None:
    passphrase_file.write_bytes(PASSPHRASE.encode() + b"\r\n")
    assert run("key", "passwd", "alice", "--remove", "--passphrase-file", passphrase_file).status == 0


def test_lists_checks_and_copies_need_no_passphrase(run: Any, home: Path, alice: Path, tmp_path: Path) -> None:
    record = json.loads(run("key", "ls", "--json").out)["keys"][0]
    assert (record["public_key"], record["created"]) == (ALICE.identity.text, CREATED)
    assert (record["has_passphrase"], record["problem"]) == (True, None)
    assert run("key", "show", "alice").out == ALICE.identity.text + "\n"
    assert "is under a passphrase" not in run("doctor").out
    assert run("key", "export", "alice", "--secret", "-o", tmp_path / "copy").status == 0
    assert (tmp_path / "copy").read_bytes() == alice.read_bytes()
    assert run("key", "import", tmp_path / "copy", "other").out == ALICE.identity.text + "\n"
    assert (home / "config/keys/other.key").read_bytes() == alice.read_bytes()


def test_a_house_and_its_observers_run_under_passphrases(
    home: Path, run: Any, program: Any, passphrase_file: Path
) -> None:
    house = SecretKey(b"h" * 32)
    write_key_file(key_path(home / "config/keys", "house"), locked(house))
    write_key_file(key_path(home / "config/keys", "alice"), locked(ALICE))
    (home / "config/allow").write_text(f"{ALICE.identity.text} alice\n")
    assert program("serve", "--port", str(free_port())).status == 78
    typing = Typing("serve", "--port", free_port(), "--verifiers", "1")
    try:
        typing.answer("passphrase of house: ", PASSPHRASE)
        typing.child.expect("serving at")
        for arguments, environment in (
            (("ls", "--key", "alice", "--passphrase-file", passphrase_file), {}),
            (("--passphrase-file", passphrase_file, "ls", "--key", "alice"), {}),
            (("status", "--key", "alice"), {"AUCTIONCTL_PASSPHRASE_FILE": str(passphrase_file)}),
            (("bidders", "--key", "alice", "--passphrase-file", passphrase_file), {}),
            (("doctor", "--key", "alice", "--passphrase-file", passphrase_file), {}),
        ):
            done = program(*arguments, **environment)
            assert done.status == 0, done.err + done.out
        asked = program("ls", "--key", "alice")
        assert asked.status == 78
        assert re.search("is under a passphrase, and nobody can be asked for it", asked.err)
    finally:
        typing.child.sendintr()
        assert typing.end() == 130
    assert PASSPHRASE not in typing.screen
