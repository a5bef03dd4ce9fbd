from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.settings.choices import choose_house, choose_key
from auctionctl.client.paths import Paths, find_paths
from auctionctl.errors import ConfigurationError, KeyFileError, NotFoundError
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey

KEYS = [SecretKey(bytes([number]) * 32) for number in range(1, 4)]
ADDRESS = f"auction://{KEYS[0].identity.text}@localhost:9999"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"AUCTIONCTL_HOME": str(tmp_path)})


@pytest.fixture
def locks() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def serve(paths: Paths, locks: ExitStack, name: str, content: bytes = ADDRESS.encode()) -> None:
    """What a house that runs leaves in the directory: its address, in a file that it holds."""
    paths.run.mkdir(parents=True, exist_ok=True)
    path = paths.run / f"{name}.address"
    path.write_bytes(content)
    file = locks.enter_context(path.open())
    fcntl.flock(file, fcntl.LOCK_EX)


def put(paths: Paths, *names: str) -> None:
    for name, key in zip(names, KEYS, strict=False):
        write_key(key_path(paths.keys, name), key, created="2026-01-31T12:00:00Z")


def test_a_key_is_found_by_its_name(paths: Paths) -> None:
    put(paths, "alice", "bob")
    assert choose_key(paths, "bob", environment={}).identity == KEYS[1].identity
    assert choose_key(paths, None, environment={"AUCTIONCTL_KEY": "bob"}).identity == KEYS[1].identity
    assert choose_key(paths, "alice", environment={"AUCTIONCTL_KEY": "bob"}).identity == KEYS[0].identity


def test_the_only_key_need_not_be_named(paths: Paths) -> None:
    put(paths, "alice")
    assert choose_key(paths, None, environment={}).identity == KEYS[0].identity


def test_the_default_key_is_taken_where_there_are_several(paths: Paths) -> None:
    put(paths, "alice", "default")
    assert choose_key(paths, None, environment={}).identity == KEYS[1].identity


def test_several_keys_without_a_default_are_listed(paths: Paths) -> None:
    put(paths, "alice", "bob")
    with pytest.raises(ArgumentError, match="alice, bob"):
        choose_key(paths, None, environment={})


def test_no_key_at_all_says_how_to_make_one(paths: Paths) -> None:
    with pytest.raises(NotFoundError) as caught:
        choose_key(paths, None, environment={})
    assert "auctionctl keygen" in caught.value.hint
    with pytest.raises(NotFoundError):
        choose_key(paths, "alice", environment={})


def test_a_key_name_cannot_lead_elsewhere(paths: Paths) -> None:
    with pytest.raises(ArgumentError, match="--key"):
        choose_key(paths, "../x", environment={})


def test_a_loose_key_file_is_refused_with_the_command_that_mends_it(paths: Paths) -> None:
    put(paths, "alice")
    key_path(paths.keys, "alice").chmod(0o644)
    with pytest.raises(KeyFileError) as caught:
        choose_key(paths, None, environment={})
    assert "chmod 600" in caught.value.hint


def test_a_house_is_found_by_argument_then_environment_then_on_this_machine(paths: Paths, locks: ExitStack) -> None:
    serve(paths, locks, "house", ADDRESS.encode() + b"\n")
    other = ADDRESS.replace("9999", "1")
    assert choose_house(paths, other, environment={"AUCTIONCTL_HOUSE": ADDRESS}).port == 1
    assert choose_house(paths, None, environment={"AUCTIONCTL_HOUSE": other}).port == 1
    assert choose_house(paths, None, environment={}).port == 9999


def test_the_address_of_a_house_that_was_killed_counts_for_nothing(paths: Paths, locks: ExitStack) -> None:
    serve(paths, locks, "alive")
    (paths.run / "dead.address").write_text(ADDRESS.replace("9999", "1"))
    assert choose_house(paths, None, environment={}).port == 9999
    locks.close()
    with pytest.raises(ConfigurationError, match="none runs on this machine"):
        choose_house(paths, None, environment={})


def test_no_house_and_several_houses_are_errors_that_say_what_to_do(paths: Paths, locks: ExitStack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        choose_house(paths, None, environment={})
    assert "AUCTIONCTL_HOUSE" in caught.value.hint
    for name in ("a", "b"):
        serve(paths, locks, name)
    with pytest.raises(ConfigurationError, match="2 houses run on this machine: a, b") as caught:
        choose_house(paths, None, environment={})
    assert "--house" in caught.value.hint


def test_a_damaged_address_is_an_error_of_whoever_wrote_it(paths: Paths, locks: ExitStack) -> None:
    with pytest.raises(ArgumentError, match="--house"):
        choose_house(paths, "auction://x", environment={})
    with pytest.raises(ConfigurationError, match="AUCTIONCTL_HOUSE"):
        choose_house(paths, None, environment={"AUCTIONCTL_HOUSE": "x"})
    serve(paths, locks, "house", b"\xff")
    with pytest.raises(ConfigurationError, match=r"house\.address"):
        choose_house(paths, None, environment={})
