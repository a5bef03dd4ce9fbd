"""A new key takes the place of an old one at a real house, whatever is killed on the way, and nothing is lost."""

from __future__ import annotations

import json
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.succession_files import SuccessionFiles
from auctionctl.keys.keyfile import key_path, read_key, read_key_file, read_stored_key, write_key, write_key_file
from auctionctl.keys.locked_key import CHEAPEST, LockedKey, lock_key
from auctionctl.keys.signing import SecretKey

ONE_LOT = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "Waiting lot"
starting_price = "10JPY"
min_bidders = 3
start_timeout = "1h"
"""
CREATED = "2026-01-31T12:00:00Z"
MORE = ("carol", "dave", "erin", "grace")
LOCKED = SecretKey(b"l" * 32)
PASSPHRASE = b"correct horse"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Any:
    """A running house that lets in alice, bob, the others, and whoever has the key under a passphrase."""
    starter = request.getfixturevalue("house_starter")(tmp_path_factory.mktemp("rotating") / "home")
    path = starter.prepare(ONE_LOT)
    listed = [(starter.home / "config/allow").read_text(), f"{LOCKED.identity.text} locked\n"]
    for number, name in enumerate(MORE, 100):
        key = SecretKey(bytes([number]) * 32)
        write_key(key_path(starter.home / "config/keys", name), key, created=CREATED)
        listed.append(f"{key.identity.text} {name}\n")
    (starter.home / "config/allow").write_text("".join(listed))
    process = starter.start(path)
    while b"serving at" not in (line := process.stdout.readline()):
        assert line, process.stderr.read()
    yield starter
    starter.end()


def files_of(house: Any, name: str) -> SuccessionFiles:
    return SuccessionFiles(house.home / "config/keys", name)


def test_the_new_key_has_the_name_and_the_old_one_is_kept_and_let_in_no_more(house: Any) -> None:
    files = files_of(house, "alice")
    old = read_key(files.current)
    done = house.run("key", "rotate", "alice", "--json")
    assert done.status == 0, done.err
    record, new = json.loads(done.out), read_stored_key(files.current)
    former = files.former(old.identity.signing)
    assert {name: record[name] for name in ("name", "public_key", "former_key", "path", "former_path")} == {
        "name": "alice",
        "public_key": new.key.identity.text,
        "former_key": old.identity.text,
        "path": str(files.current),
        "former_path": str(former),
    }
    assert read_key(former).identity == old.identity
    assert {stat.S_IMODE(path.stat().st_mode) for path in (files.current, former)} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in (files.waiting, former)} == {0o700}
    assert not files.waiting.exists()
    # The house lets the new key in by the same name, and the old one no more; everybody can verify why.
    known = json.loads(house.run("bidders", "--all", "--key", "alice", "--json").out)["bidders"]
    shown = {each["public_key"]: (each["name"], each["standing"], each["successor"]) for each in known}
    assert shown[new.key.identity.text] == ("alice", "member", None)
    assert shown[old.identity.text] == ("alice", "replaced", new.key.identity.text)
    write_key(key_path(files.directory, "before"), old, created=CREATED)
    assert house.run("ls", "--key", "before").status == 4
    key_path(files.directory, "before").unlink()
    assert house.run("export", "--registry", "-o", house.home / "registry", "--key", "alice").status == 0
    assert house.run("verify", house.home / "registry", "--key", "alice").status == 0
    status = json.loads(house.run("status", "--key", "alice", "--json").out)
    assert {warning["code"] for warning in status["warnings"]} == {"rotated_listed"}
    # Once more is another rotation, and too soon for one: nothing is lost by asking.
    again = house.run("key", "rotate", "alice")
    assert again.status == 9
    assert "less than an hour ago" in again.err
    assert f"{files.current} is as it was, and the new key waits in {files.waiting}" in again.err
    assert read_key(files.current).identity == new.key.identity


@pytest.mark.parametrize(
    ("name", "before", "has_asked", "has_name"),
    [
        ("bob", "os.rename {keys}/next", False, False),  # the new key has been written, and has no name yet
        ("carol", "{keys}/former", True, False),  # the house has entered it
        ("dave", "os.rename {keys}/.dave", True, False),  # the old key is kept, and the new one has not its name yet
        ("erin", "os.remove {keys}/next", True, True),  # all is done and said
    ],
)
def test_killed_at_any_instant_the_same_command_ends_with_the_same_two_keys(
    house: Any, run_until: Any, name: str, before: str, *, has_asked: bool, has_name: bool
) -> None:
    files = files_of(house, name)
    old = read_key(files.current)
    killed = run_until(house.home, before.format(keys=files.directory), 0, "key", "rotate", name)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (read_key(files.current).identity != old.identity) is has_name
    waiting = read_key(files.waiting) if has_asked else None
    done = house.run("key", "rotate", name, "--json")
    assert done.status == 0, done.err
    record, new = json.loads(done.out), read_key(files.current)
    assert (record["public_key"], record["former_key"]) == (new.identity.text, old.identity.text)
    assert waiting is None or waiting.identity == new.identity, "it has not made another one"
    assert read_key(files.former(old.identity.signing)).identity == old.identity
    assert not files.waiting.exists()


def test_a_key_under_a_passphrase_keeps_it_and_waits_where_another_house_is_to_hear_of_it(
    house: Any, tmp_path: Path
) -> None:
    files, passphrase = files_of(house, "locked"), tmp_path / "pass"
    passphrase.write_bytes(PASSPHRASE)
    passphrase.chmod(0o600)
    content = lock_key(LOCKED, CREATED, PASSPHRASE, salt=b"s" * 16, nonce=b"n" * 24, cost=CHEAPEST)
    write_key_file(files.current, content)
    given = ("key", "rotate", "locked", "--passphrase-file", passphrase, "--json")
    kept = json.loads(house.run(*given, "--keep").out)
    assert (kept["path"], kept["former_path"]) == (str(files.waiting), None)
    assert read_key_file(files.current) == content
    done = house.run(*given)
    assert done.status == 0, done.err
    new = read_key_file(files.current)
    assert isinstance(new, LockedKey)
    assert new.unlock("new", PASSPHRASE).identity.text == json.loads(done.out)["public_key"] == kept["public_key"]
    assert read_key_file(files.former(LOCKED.identity.signing)) == content


def test_a_house_that_does_not_answer_costs_nothing_and_how_to_go_on_is_said(house: Any) -> None:
    files = files_of(house, "grace")
    old = read_key(files.current)
    address = (house.home / "run/house.address").read_text().strip()
    nowhere = f"{address.rpartition(':')[0]}:1"
    failed = house.run("key", "rotate", "grace", "--house", nowhere)
    assert failed.status == 5, failed.err
    assert "give the same command again" in failed.err
    assert read_key(files.current).identity == old.identity
    assert read_key(files.waiting).identity != old.identity
    own = house.run("key", "rotate", "house")
    assert "the house house is running under the key house" in own.err
