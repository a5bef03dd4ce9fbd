"""The person's settings: what is said nearer by wins, and what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.output import Form
from auctionctl.cli.settings.choices import choose_house, choose_key
from auctionctl.cli.settings.contexts import contexts_file, read_contexts
from auctionctl.cli.settings.person_file import PERSON_SETTINGS, Said, config_file, find_form, find_setting, read_person
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey

KEYS = {name: SecretKey(bytes([number]) * 32) for number, name in enumerate(("opt", "env", "ctx", "file"), 1)}
HOUSES = {name: f"auction://{key.identity.text}@{name}.example:8888" for name, key in KEYS.items()}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")
    for name, key in KEYS.items():
        write_key(key_path(paths.keys, name), key, created="2026-01-31T12:00:00Z")
    config_file(paths).write_text(f'house = "{HOUSES["file"]}"\nkey = "file"\noutput = "jsonl"\n')
    return paths


def use_context(paths: Paths) -> None:
    contexts_file(paths).write_text(f'current = "c"\n[contexts.c]\nhouse = "{HOUSES["ctx"]}"\nkey = "ctx"\n')


def chosen(paths: Paths, option: bool = False, environment: dict[str, str] | None = None) -> set[str]:
    key = choose_key(paths, "opt" if option else None, environment=environment or {})
    house = choose_house(paths, HOUSES["opt"] if option else None, environment=environment or {})
    assert key.identity == house.identity
    return {name for name, known in KEYS.items() if known.identity == key.identity}


def test_option_environment_context_and_file_win_in_this_order(paths: Paths) -> None:
    assert chosen(paths) == {"file"}
    use_context(paths)
    assert chosen(paths) == {"ctx"}
    environment = {"AUCTIONCTL_HOUSE": HOUSES["env"], "AUCTIONCTL_KEY": "env"}
    assert chosen(paths, environment=environment) == {"env"}
    assert chosen(paths, option=True, environment=environment) == {"opt"}


def test_a_context_given_as_option_wins_over_the_environment(paths: Paths) -> None:
    use_context(paths)
    environment = {"AUCTIONCTL_HOUSE": HOUSES["env"], "AUCTIONCTL_KEY": "env"}
    assert choose_house(paths, None, "c", environment).text == HOUSES["ctx"]
    assert choose_key(paths, None, "c", environment).identity == KEYS["ctx"].identity


def test_a_context_that_names_no_key_leaves_it_to_the_environment(paths: Paths) -> None:
    contexts_file(paths).write_text(f'[contexts.c]\nhouse = "{HOUSES["ctx"]}"\n')
    assert choose_key(paths, None, "c", {"AUCTIONCTL_KEY": "env"}).identity == KEYS["env"].identity
    assert choose_key(paths, None, "c", {}).identity == KEYS["file"].identity


def test_the_origin_of_each_is_told(paths: Paths) -> None:
    path = str(config_file(paths))
    assert find_setting(paths, "key", None, None, {}) == Said("file", path)
    assert find_setting(paths, "key", "opt", None, {}) == Said("opt", "--key")
    assert find_setting(paths, "key", None, None, {"AUCTIONCTL_KEY": "env"}) == Said("env", "AUCTIONCTL_KEY")
    use_context(paths)
    assert find_setting(paths, "key", None, None, {}) == Said("ctx", "context c")
    assert find_setting(paths, "key", None, "c", {}) == Said("ctx", "--context c")
    config_file(paths).unlink()
    assert find_setting(paths, "output", None, None, {}) is None


def test_a_house_may_be_named_by_its_context_wherever_it_is_said(paths: Paths) -> None:
    contexts_file(paths).write_text(f'[contexts.c]\nhouse = "{HOUSES["ctx"]}"\n')
    assert choose_house(paths, None, environment={"AUCTIONCTL_HOUSE": "c"}).text == HOUSES["ctx"]
    config_file(paths).write_text('house = "c"\n')
    assert choose_house(paths, None, environment={}).text == HOUSES["ctx"]


def test_a_name_that_is_no_context_is_said_to_be_none(paths: Paths) -> None:
    contexts_file(paths).write_text('[contexts.c]\nkey = "ctx"\n')
    with pytest.raises(ArgumentError, match="--house: there is no context away") as caught:
        choose_house(paths, "away", environment={})
    assert "context add" in caught.value.hint
    with pytest.raises(ConfigurationError, match="AUCTIONCTL_HOUSE: it names no house: the context c"):
        choose_house(paths, None, environment={"AUCTIONCTL_HOUSE": "c"})


def test_a_file_that_cannot_be_looked_at_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for read in (read_person, read_contexts):
        with pytest.raises(ConfigurationError, match="cannot read"):
            read(Paths(tmp_path / "loop", tmp_path, tmp_path))


def test_the_form_comes_from_the_environment_or_the_file(paths: Paths) -> None:
    assert find_form(paths, {}) is Form.JSONL
    assert find_form(paths, {"AUCTIONCTL_OUTPUT": "json"}) is Form.JSON
    with pytest.raises(ConfigurationError, match="AUCTIONCTL_OUTPUT: 'xml' is no form"):
        find_form(paths, {"AUCTIONCTL_OUTPUT": "xml"})
    config_file(paths).unlink()
    assert find_form(paths, {}) is None


def test_commands_and_their_errors_take_the_form_that_is_set(run: Any, home: Path, monkeypatch: Any) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config/config.toml").write_text('output = "json"\n')
    assert json.loads(run("context", "ls").out)["contexts"] == []
    assert json.loads(run("context", "use", "away").err)["error"]["code"] == "not_found"
    assert run("context", "ls", "-o", "plain").out.startswith("current\t")
    assert run("context", "use", "away", "-o", "plain").err.startswith("auctionctl: ")
    monkeypatch.setenv("AUCTIONCTL_OUTPUT", "plain")
    assert run("context", "ls").out.startswith("current\t")
    monkeypatch.setenv("AUCTIONCTL_OUTPUT", "xml")
    assert run("context", "ls").status == 78


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('hose = "x"', "unknown key 'hose'"),
        ("key = 1", "key: text is needed"),
        ('key = "A b"', "key: 'A b' is no name for a key"),
        ('house = "auction://x@y"', "house: the identity in the address is damaged"),
        ('output = "xml"', "output: 'xml' is no form of output"),
        ("key =", "line 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_a_hint(paths: Paths, text: str, message: str) -> None:
    config_file(paths).write_text(text + "\n")
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_person(paths)
    assert str(config_file(paths)) in str(caught.value)
    assert caught.value.hint


def test_every_setting_is_an_option_a_variable_and_a_key() -> None:
    for setting in PERSON_SETTINGS:
        assert setting.option == f"--{setting.name}"
        assert setting.variable == f"AUCTIONCTL_{setting.name.upper()}"
