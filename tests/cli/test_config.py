"""``config`` says what holds and who said it, and finds every mistake in every file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auctionctl.keys.signing import SecretKey

ADDRESS = f"auction://{SecretKey(bytes(32)).identity.text}@h:8888"


@pytest.fixture
def config(home: Path) -> Path:
    (home / "config").mkdir(parents=True)
    return home / "config"


def shown(run: Any, *arguments: str) -> dict[str, tuple[object, str]]:
    settings = json.loads(run("config", "show", *arguments, "--json").out)["settings"]
    return {f"{each['of']}.{each['setting']}": (each["value"], each["origin"]) for each in settings}


def test_the_path_is_told_though_the_file_is_wrong(run: Any, config: Path) -> None:
    (config / "config.toml").write_text("nonsense")
    done = run("config", "path")
    assert (done.status, done.out) == (0, f"{config / 'config.toml'}\n")
    assert json.loads(run("config", "path", "--json").out)["exists"] is True


def test_without_files_everything_has_its_default(run: Any) -> None:
    assert {origin for _, origin in shown(run).values()} == {"default", "--json"}
    assert shown(run)["house.port"] == (8888, "default")
    assert run("config", "show").out.startswith("of\tsetting\tvalue\nperson\tcontext\t(none)\n")


def test_each_value_comes_with_its_origin(run: Any, config: Path, monkeypatch: Any) -> None:
    (config / "config.toml").write_text('key = "alice"\noutput = "plain"\n')
    (config / "house.toml").write_text('port = 9999\n[defaults]\nincrement = [["0", "5"]]\n')
    (config / "contexts.toml").write_text(f'current = "c"\n[contexts.c]\nhouse = "{ADDRESS}"\n')
    found = shown(run)
    assert found["person.context"] == ("c", "contexts.toml")
    assert found["person.house"] == (ADDRESS, "context c")
    assert found["person.key"] == ("alice", str(config / "config.toml"))
    assert found["person.output"] == ("json", "--json")
    assert found["house.port"] == (9999, str(config / "house.toml"))
    assert found["house.queue"] == (1000, "default")
    assert found["defaults.increment"] == ([["0", "5"]], str(config / "house.toml"))
    monkeypatch.setenv("AUCTIONCTL_KEY", "bob")
    assert shown(run)["person.key"] == ("bob", "AUCTIONCTL_KEY")
    assert shown(run, "--key", "carol")["person.key"] == ("carol", "--key")
    assert shown(run, "--context", "c")["person.context"] == ("c", "--context")
    monkeypatch.setenv("AUCTIONCTL_CONTEXT", "c")
    assert shown(run)["person.context"] == ("c", "AUCTIONCTL_CONTEXT")
    lines = run("config", "show", "--origin").out.splitlines()
    assert lines[0] == "of\tsetting\tvalue\torigin"
    assert f"person\toutput\tplain\t{config / 'config.toml'}" in lines


def test_what_cannot_be_read_is_an_error_of_show(run: Any, config: Path) -> None:
    (config / "house.toml").write_text("port = 0\n")
    done = run("config", "show")
    assert done.status == 78
    assert "port: 0 is not between 1 and 65535" in done.err


def test_all_mistakes_are_found_in_all_files(run: Any, config: Path) -> None:
    (config / "config.toml").write_text('key = "A"\noutput = "xml"\nhouse = "away"\ncolour = 1\n')
    (config / "contexts.toml").write_text(
        'current = "gone"\nother = 1\n[contexts.a]\nhouse = "nonsense"\nkey = 1\n[contexts.B]\n'
    )
    (config / "house.toml").write_text(
        'port = 0\nbind = "!"\nhouse = {}\n[defaults]\nduration = "x"\nmin_bidders = 0\n'
    )
    (config / "allow").write_text("x y\nz\n")
    (config / "keys").mkdir(mode=0o700)
    (config / "keys/alice.key").write_text("nonsense")
    (config / "keys/alice.key").chmod(0o600)
    done = run("config", "check")
    assert done.status == 78
    found = [line.split("\t") for line in done.out.splitlines()[1:]]
    assert all(remedy not in ("", "-") for state, _, _, remedy in found if state != "ok")
    told = {subject: [message for state, name, message, _ in found if name == subject] for _, subject, _, _ in found}
    for subject, expected in {
        "config.toml": ("'A' is no name", "'xml' is no form", "there is no context away", "unknown key 'colour'"),
        "contexts.toml": ("no context 'gone'", "unknown key 'other'", "not the address", "text is needed", "'B' is no"),
        "house.toml": ("port: 0 is not", "'!' is no host", "[house] belongs into", "duration: ", "min_bidders: 0"),
        "allow": ("line 1: ", "line 2: "),
        "keys/alice.key": ("is damaged",),
    }.items():
        assert len(told[subject]) == len(expected), told[subject]
        for text in expected:
            assert any(text in message for message in told[subject]), text
    assert "17 wrong" in done.err


def test_what_is_right_is_said_a_line_each(run: Any, home: Path) -> None:
    run("init", "--house")
    run("allow", "add", SecretKey(bytes(32)).identity.text, "alice")
    run("context", "add", "fair", ADDRESS)
    done = run("config", "check")
    assert done.status == 0
    assert [line.split("\t")[:2] for line in done.out.splitlines()[1:]] == [
        ["ok", name]
        for name in ("config.toml", "contexts.toml", "house.toml", "allow", "keys/default.key", "keys/house.key")
    ]
    assert "nothing is wrong" in done.err


def test_modes_and_missing_keys_are_found(run: Any, config: Path) -> None:
    (config / "config.toml").write_text('key = "alice"\n')
    (config / "config.toml").chmod(0o666)
    (config / "keys").mkdir(mode=0o700)
    (config / "keys/No Name.key").write_text("")
    records = json.loads(run("config", "check", "--json").out)["findings"]
    assert [record["state"] for record in records] == ["wrong", "warning", "warning"]
    assert records[0]["remedy"] == f"run: chmod go-w {config / 'config.toml'}"
    assert records[1]["remedy"] == "make it: auctionctl keygen alice"
    assert "never read" in records[2]["finding"]


def test_with_nothing_to_check_it_says_how_to_begin(run: Any) -> None:
    done = run("config", "check")
    assert done.status == 0
    assert "auctionctl init" in done.err


def test_a_form_that_is_none_is_refused_by_every_command(run: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("AUCTIONCTL_OUTPUT", "xml")
    for command in (("config", "check"), ("config", "path"), ("doctor",), ("init",)):
        done = run(*command)
        assert done.status == 78
        assert "AUCTIONCTL_OUTPUT: 'xml' is no form" in done.err


def test_files_that_cannot_be_read_at_all_are_one_finding_each(run: Any, config: Path) -> None:
    (config / "config.toml").write_text("nonsense")
    (config / "contexts.toml").write_text("contexts = 1")
    (config / "house.toml").write_text("defaults = 1")
    (config / "allow").mkdir()
    (config / "keys").write_text("no directory")
    found = [line.split("\t")[:2] for line in run("config", "check").out.splitlines()[1:]]
    assert found == [["wrong", name] for name in ("config.toml", "contexts.toml", "house.toml", "allow")]
