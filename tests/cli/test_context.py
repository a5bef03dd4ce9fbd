"""``context``: houses are saved under names, and one of them holds where none is named."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from auctionctl.keys.signing import SecretKey

HERE, THERE = (
    f"auction://{SecretKey(bytes([number]) * 32).identity.text}@{host}:8888" for number, host in ((1, "h"), (2, "t"))
)


def contexts(home: Path) -> Any:
    return tomllib.loads((home / "config/contexts.toml").read_text())


def test_a_saved_house_is_listed_and_used(run: Any, home: Path) -> None:
    done = run("context", "add", "here", HERE, "--key", "alice", "--use")
    assert done.status == 0
    assert done.out == ""
    assert "there is no key alice yet" in done.err
    assert "here is the current context" in done.err
    assert "auctionctl context use there" in run("context", "add", "there", THERE).err
    assert run("context", "ls").out == f"current\tname\thouse\tkey\n*\there\t{HERE}\talice\n-\tthere\t{THERE}\t-\n"
    assert contexts(home) == {
        "current": "here",
        "contexts": {"here": {"house": HERE, "key": "alice"}, "there": {"house": THERE}},
    }
    assert run("context", "use", "there").status == 0
    assert contexts(home)["current"] == "there"
    assert stat.S_IMODE((home / "config/contexts.toml").stat().st_mode) == 0o600


def test_the_list_as_json_says_which_is_current(run: Any) -> None:
    run("context", "add", "here", HERE)
    added = json.loads(run("context", "add", "there", THERE, "--key", "bob", "--use", "--json").out)
    assert added == {
        "schema": "auctionctl.context-add/1",
        "name": "there",
        "house": THERE,
        "key": "bob",
        "is_current": True,
    }
    listed = json.loads(run("context", "ls", "--json").out)
    assert [(each["name"], each["is_current"]) for each in listed["contexts"]] == [("here", False), ("there", True)]
    assert json.loads(run("context", "use", "here", "-o", "json").out)["is_current"] is True
    assert json.loads(run("context", "rm", "there", "--json").out)["name"] == "there"


def test_a_name_that_is_there_is_replaced_only_by_force(run: Any, home: Path) -> None:
    run("context", "add", "here", HERE)
    done = run("context", "add", "here", THERE)
    assert done.status == 78
    assert "--force" in done.err
    assert contexts(home)["contexts"]["here"] == {"house": HERE}
    assert run("context", "add", "here", THERE, "--force").status == 0
    assert contexts(home)["contexts"]["here"] == {"house": THERE}


def test_what_is_forgotten_is_no_longer_current(run: Any, home: Path) -> None:
    run("context", "add", "here", HERE, "--use")
    run("context", "add", "there", THERE)
    assert "no context is current now" in run("context", "rm", "here").err
    assert contexts(home) == {"contexts": {"there": {"house": THERE}}}
    assert run("context", "rm", "there").status == 0
    assert "context add NAME ADDR" in run("context", "ls").err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("add", "A", HERE), 2, "NAME: 'A' is no name"),
        (("add", "a", "here"), 2, "ADDR: not the address of a house"),
        (("add", "a", HERE, "--key", "../x"), 2, "--key: "),
        (("use", "away"), 3, "there is no context 'away'"),
        (("rm", "away"), 3, "there is no context 'away'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(
    run: Any, home: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = run("context", *arguments)
    assert done.status == status
    assert message in done.err
    assert "hint: " in done.err
    assert not (home / "config/contexts.toml").exists()


def test_a_file_that_is_wrong_is_never_written_over(run: Any, home: Path) -> None:
    path = home / "config/contexts.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[contexts.A]\n")
    done = run("context", "add", "here", HERE)
    assert done.status == 78
    assert "'A' is no name for a context" in done.err
    assert path.read_text() == "[contexts.A]\n"


def test_of_many_at_once_none_is_lost(home: Path, run: Any) -> None:
    many = [
        subprocess.Popen([sys.executable, "-P", "-m", "auctionctl", "context", "add", f"house{number}", HERE])
        for number in range(6)
    ]
    assert [process.wait(60) for process in many] == [0] * 6
    assert len(contexts(home)["contexts"]) == 6


def test_an_empty_name_is_that_of_no_context_not_of_the_current_one(run: Any, home: Path) -> None:
    from auctionctl.keys.signing import SecretKey

    address = f"auction://{SecretKey(bytes(32)).identity.text}@h:1"
    assert run("context", "add", "fair", address, "--use").status == 0
    for command in ("use", "rm"):
        done = run("context", command, "")
        assert (done.status, done.out) == (3, "")
    assert "fair" in run("context", "ls").out


def test_a_house_of_several_places_is_saved_with_all_of_them(run: Any, home: Path) -> None:
    several = f"{HERE},there.example:9,[::1]:10"
    assert run("context", "add", "all", several).status == 0
    assert contexts(home)["contexts"]["all"] == {"house": several}
    assert run("context", "ls").out.splitlines()[1].split("\t")[2] == several
    longest = ",".join(f"{'h' * 250}{number}:65535" for number in range(10, 26))
    assert run("context", "add", "long", f"{HERE.partition('@')[0]}@{longest}", "--use").status == 0
    assert json.loads(run("context", "ls", "--json").out)["contexts"][1]["house"].endswith(longest)
    twice = run("context", "add", "twice", f"{HERE},{HERE.partition('@')[2]}")
    assert twice.status == 2
    assert "twice" in twice.err
