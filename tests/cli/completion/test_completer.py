"""Completion knows the program's grammar from the program, imports next to nothing, and never says a wrong word."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from auctionctl.bidding.strategies import SPECS
from auctionctl.cli.app import app
from auctionctl.cli.command_table import COMMANDS, SUMMARIES
from auctionctl.cli.completion import candidates
from auctionctl.cli.completion.catalogue_cache import KnownAuction, catalogue_path, remember
from auctionctl.cli.completion.completer import (
    ARGUMENT_SOURCES,
    MAX_DESCRIPTION_CHARACTERS,
    Answer,
    Kind,
    complete,
    lines_of,
    split_words,
)
from auctionctl.keys.allowlist import Role

SUMMARY_CHARACTERS = 80
SLOW = ("zmq", "nacl", "rich", "asyncio", "msgspec", "apsw")


def answer(home: Path, *words: str) -> Answer:
    return complete(typer.main.get_command(app), words, {"AUCTIONCTL_HOME": str(home)})


def offered(home: Path, *words: str) -> list[str]:
    found = answer(home, *words)
    assert found.kind is Kind.WORDS
    return [line.split("\t")[0] for line in lines_of("fish", found, words[-1])][1:]


def in_a_process(home: Path, *words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            f"from auctionctl.cli.app import main\ntry: main()\nfinally:\n {code or 'pass'}",
            *words,
        ],
        env=os.environ | {"_AUCTIONCTL_COMPLETE": "fish", "AUCTIONCTL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_every_command_is_summarised_in_its_own_words() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    said = {name: commands[name].get_short_help_str(SUMMARY_CHARACTERS) for name in COMMANDS}
    missing = "".join(f'    "{name}": "{text}",\n' for name, text in said.items() if SUMMARIES.get(name) != text)
    assert said == SUMMARIES, f"SUMMARIES in auctionctl/cli/command_table.py has to have\n{missing}"


def test_every_command_and_option_is_offered_except_what_has_been_given(home: Path) -> None:
    assert offered(home, "") == list(COMMANDS)
    assert offered(home, "key", "") == list(typer.main.get_command(app).commands["key"].commands)  # type: ignore[attr-defined]
    options = offered(home, "bid", "--key", "alice", "--param", "a=b", "-")
    assert "--key" not in options
    assert {"--param", "--budget", "--help"} <= set(options)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("serve", ""), Kind.FILES),
        (("export", "x", "-o", ""), Kind.FILES),
        (("export", "x", "--output="), Kind.FILES),
        (("demo", "--keep", ""), Kind.DIRECTORIES),
        (("export", ""), Kind.WORDS),
    ],
)
def test_files_are_offered_where_files_are_expected(home: Path, words: tuple[str, ...], kind: Kind) -> None:
    assert answer(home, *words).kind is kind


@pytest.mark.parametrize(
    "words",
    [
        ("nothing", ""),
        ("key", "nothing", ""),
        ("watch", "a", ""),
        ("bid", "--budget", ""),
        ("bid", "--nothing="),
        ("bid", "--all="),
        ("ls", "--", "-"),
    ],
)
def test_where_nothing_is_known_nothing_is_offered(home: Path, words: tuple[str, ...]) -> None:
    assert offered(home, *words) == []


def test_the_value_after_an_equals_sign_stands_with_its_option(home: Path) -> None:
    assert offered(home, "bid", "--strategy=sm") == ["--strategy=smart"]
    assert list(lines_of("bash", answer(home, "bid", "--strategy=sm"), "--strategy=sm")) == ["words", "smart\t"]


def test_a_short_option_with_its_value_joined_is_one_word(home: Path) -> None:
    assert "--force" in offered(home, "export", "-ofile", "x", "--")
    assert answer(home, "export", "-ofile", "").words == ()


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["ls", "--key", "=", "al"], ["ls", "--key=al"]),
        (["ls", "--key", "=", "al", ""], ["ls", "--key=al", ""]),
        (["--house", "auction", ":", "//auc1x@h", ":", "1", "ls", ""], ["--house", "auction://auc1x@h:1", "ls", ""]),
        (["watch", "'go"], ["watch", "go"]),
    ],
)
def test_what_bash_parts_is_put_together(pieces: list[str], words: list[str]) -> None:
    assert split_words("bash", pieces) == words


def test_a_description_is_one_line_of_safe_text() -> None:
    lines = list(lines_of("zsh", Answer(Kind.WORDS, (("x", "a\n\x1b[31mb\t" + "c" * 200),)), ""))
    assert lines[1].startswith("x\ta [31mb c")
    assert len(lines[1]) == 2 + MAX_DESCRIPTION_CHARACTERS


def test_the_names_that_completion_keeps_by_itself_are_those_of_the_program() -> None:
    assert set(candidates.STRATEGIES) == set(SPECS)
    assert set(candidates.ROLES) == {role.value for role in Role}


def test_a_source_is_for_a_command_that_there_is() -> None:
    assert {place.partition(" ")[0] for place, _ in ARGUMENT_SOURCES} <= set(COMMANDS)


@pytest.mark.parametrize(
    "command", ["pay", "settle", "reject-payment", "offer", "accept", "decline", "pause", "resume", "cancel"]
)
def test_the_auctions_that_are_known_are_offered_to_every_command_about_one(home: Path, command: str) -> None:
    identity = "auc1" + "c" * 109
    path = catalogue_path(home / "state", identity)
    path.parent.mkdir(parents=True)
    remember(path, [KnownAuction("gold-watch", "ab" * 32, "Gold watch", "paused")])
    assert offered(home, command, "") == ["gold-watch"]
    assert offered(home, command, "aba") == ["ab" * 6]
    assert {"--dry-run", "--key", "--json"} <= set(offered(home, command, "gold-watch", "--"))
    assert offered(home, command, "gold-watch", "") == []


@pytest.mark.parametrize(
    "words",
    [
        ("",),
        ("bid", "--"),
        ("bid", "--strategy", ""),
        ("watch", ""),
        ("ls", "--key", ""),
        ("ls", "--phase", ""),
        ("pay", ""),
        ("pause", "--"),
        ("status", "--"),
    ],
)
def test_completing_imports_nothing_slow_and_no_other_command(home: Path, words: tuple[str, ...]) -> None:
    code = "import sys; sys.stderr.write('\\n'.join(sys.modules))"
    done = in_a_process(home, *words, code=code)
    modules = done.stderr.splitlines()
    assert done.returncode == 0
    assert done.stdout.startswith("words\n")
    assert [name for name in modules if name.partition(".")[0] in SLOW] == []
    commands = {module for module in COMMANDS.values() if module in modules}
    assert commands == ({COMMANDS[words[0]]} if words[0] else set())


def test_whatever_lies_about_completion_says_nothing_on_stderr_and_writes_nothing(home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config/contexts.toml").write_text("= not toml")
    (home / "config/keys").write_text("no directory")
    (home / "state").mkdir()
    (home / "state/catalogue-auc1.json").write_bytes(b"\xff{")
    (home / "config/allow").write_bytes(b"\xff\n")
    before = sorted(home.rglob("*"))
    for words in (("watch", ""), ("ls", "--key", ""), ("ls", "--context", ""), ("allow", "rm", "")):
        done = in_a_process(home, *words)
        assert (done.stderr, done.returncode) == ("", 0)
        assert done.stdout.startswith("words\n")
    assert sorted(home.rglob("*")) == before


def test_a_fault_of_completion_itself_says_nothing_unless_asked(home: Path, tmp_path: Path) -> None:
    # A command whose module cannot be loaded.
    broken = "from auctionctl.cli import app; app.COMMANDS['bid'] = 'nowhere'; app.main()"
    environment = os.environ | {"_AUCTIONCTL_COMPLETE": "fish", "AUCTIONCTL_HOME": str(home)}
    for debug, expected in (("", ""), ("1", "ModuleNotFoundError")):
        done = subprocess.run(
            [sys.executable, "-P", "-c", broken, "bid", ""],
            env=environment | {"AUCTIONCTL_DEBUG": debug},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout == ""
        assert expected in done.stderr
        assert bool(done.stderr) == bool(expected)
