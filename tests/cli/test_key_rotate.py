"""A new key takes the place of an old one at a real house, whatever is killed on the way, and nothing is lost."""

from __future__ import annotations

import json
import signal
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auctionctl.cli import key_rotate
from auctionctl.cli.succession_files import SuccessionFiles
from auctionctl.client.account_file import Account, Holding
from auctionctl.client.paths import find_paths
from auctionctl.errors import ConfigurationError
from auctionctl.keys.keyfile import key_path, read_key, read_key_file, read_stored_key, write_key, write_key_file
from auctionctl.keys.locked_key import CHEAPEST, LockedKey, lock_key
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.address import HouseAddress, parse_address

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
    ("holding", "is_refused"),
    [
        (Holding("ab" * 32, "vase", 100, 0, 0, False, None, None), True),
        (Holding("ab" * 32, "vase", 0, 100, 0, False, None, None), True),
        (Holding("ab" * 32, "vase", 0, 0, 100, False, "won", None), True),
        (Holding("ab" * 32, "vase", 0, 0, 100, True, "won", None), False),
        (Holding("ab" * 32, "vase", 0, 0, 0, False, "lost", None), False),
    ],
    ids=["leads", "unanswered", "unpaid", "paid", "lost"],
)
def test_while_the_old_key_has_something_tied_up_no_new_budget_begins_unless_that_is_forced(
    tmp_path: Path, holding: Holding, is_refused: bool
) -> None:
    key, house = SecretKey(b"k" * 32).identity, SecretKey(b"h" * 32).identity
    paths = find_paths({"AUCTIONCTL_HOME": str(tmp_path)})
    path = paths.account(key.text, house.text)
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.json.encode(Account(key.text, house.text, "EUR", 1_000, 0, (holding,))))
    address = HouseAddress(house, "127.0.0.1", 1)
    other = HouseAddress(key, "127.0.0.1", 1)
    key_rotate._check_nothing_stands(paths, key.text, other)
    if not is_refused:
        key_rotate._check_nothing_stands(paths, key.text, address)
        return
    with pytest.raises(ConfigurationError, match="vase") as caught:
        key_rotate._check_nothing_stands(paths, key.text, address)
    assert "--force" in caught.value.hint


def test_a_key_that_leads_is_not_replaced_and_nothing_is_made_for_it(house: Any) -> None:
    identity = read_key(files_of(house, "grace").current).identity
    address = json.loads(house.run("status", "--key", "grace", "--json").out)["address"]
    paths = find_paths({"AUCTIONCTL_HOME": str(house.home)})
    path = paths.account(identity.text, parse_address(address).identity.text)
    path.parent.mkdir(parents=True, exist_ok=True)
    standing = Holding("ab" * 32, "vase", 100, 0, 0, False, None, None)
    account = Account(identity.text, parse_address(address).identity.text, "JPY", 1_000, 0, (standing,))
    path.write_bytes(msgspec.json.encode(account))
    refused = house.run("key", "rotate", "grace")
    assert (refused.status, "vase" in refused.err) == (78, True)
    assert not files_of(house, "grace").waiting.exists()
    path.unlink()


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
