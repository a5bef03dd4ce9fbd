"""Contexts: which house and key hold where none is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.cli.settings.choices import choose_house, choose_key
from auctionctl.cli.settings.contexts import contexts_file, find_context, read_contexts
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError, NotFoundError
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey

KEY = SecretKey(bytes(range(32)))
OTHER = SecretKey(bytes(range(1, 33)))
HERE = f"auction://{KEY.identity.text}@here.example:8888"
THERE = f"auction://{OTHER.identity.text}@there.example:8888"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")
    for name, key in (("alice", KEY), ("bob", OTHER)):
        write_key(key_path(paths.keys, name), key, created="2026-01-31T12:00:00Z")
    contexts_file(paths).write_text(
        f'current = "here"\n[contexts.here]\nhouse = "{HERE}"\nkey = "alice"\n[contexts.there]\nhouse = "{THERE}"\n'
    )
    return paths


def test_the_current_context_holds_where_nothing_else_is_said(paths: Paths) -> None:
    assert choose_house(paths, None, environment={}).text == HERE
    assert choose_key(paths, None, environment={}).identity == KEY.identity


def test_what_is_said_wins_over_the_environment_and_that_over_the_context(paths: Paths) -> None:
    environment = {"AUCTIONCTL_HOUSE": THERE, "AUCTIONCTL_KEY": "bob"}
    assert choose_house(paths, None, environment=environment).text == THERE
    assert choose_key(paths, None, environment=environment).identity == OTHER.identity
    assert choose_house(paths, HERE, environment=environment).text == HERE
    assert choose_key(paths, "alice", environment=environment).identity == KEY.identity


def test_a_context_is_chosen_by_option_or_by_environment(paths: Paths) -> None:
    assert choose_house(paths, None, "there", environment={}).text == THERE
    assert choose_house(paths, None, environment={"AUCTIONCTL_CONTEXT": "there"}).text == THERE
    found = find_context(paths, "here", {"AUCTIONCTL_CONTEXT": "there"})
    assert found is not None
    assert found.name == "here"


def test_a_house_can_be_named_by_its_context(paths: Paths) -> None:
    assert choose_house(paths, "there", environment={}).text == THERE


def test_without_a_file_there_is_no_context(tmp_path: Path) -> None:
    paths = Paths(tmp_path, tmp_path, tmp_path)
    assert not read_contexts(paths).by_name
    assert find_context(paths, None, {}) is None
    with pytest.raises(NotFoundError, match="there is no context 'here'"):
        find_context(paths, "here", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('current = "away"', "there is no context 'away'"),
        ("[contexts.a]\nport = 1", "unknown key 'port'"),
        ("[contexts.a]\nhouse = 1", "house: text is needed"),
        ("contexts = 1", "no table of tables"),
        ("contexts = {a = 1}", "no table of tables"),
        ("other = 1", "unknown key 'other'"),
    ],
)
def test_what_is_not_understood_is_refused(paths: Paths, text: str, message: str) -> None:
    contexts_file(paths).write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_contexts(paths)
