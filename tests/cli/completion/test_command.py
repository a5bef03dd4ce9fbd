"""The scripts complete in the real shells, whichever way they are loaded, and leave nothing behind."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from auctionctl.cli.completion.command import FILE_NAMES, SCRIPTS, Shell

from ..conftest import Run

REGENERATE = "run: python -m auctionctl.cli.manual man completions"
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the program on PATH, keys, contexts, and what is known of a house; also the current one."""
    for name in ("alice", "alan", "house"):
        (home / "config/keys").mkdir(parents=True, exist_ok=True)
        (home / f"config/keys/{name}.key").write_text("")
    (home / "config/contexts.toml").write_text('[contexts.club]\nhouse = "auction://auc1xyz@host:1"\n')
    (home / "state").mkdir()
    known = {"listing": "gold-watch", "id": "ab" * 32, "title": "Gold: `watch` $(touch hit) 'x'", "phase": "open"}
    (home / "state/catalogue-auc1abcdefghijklmnop.json").write_text(json.dumps({"auctions": [known]}))
    bin_path = tmp_path / "bin"
    bin_path.mkdir()
    program = bin_path / "auctionctl"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m auctionctl "$@"\n')
    program.chmod(0o755)
    (bin_path / "auctionctl-next").symlink_to(program)
    work = tmp_path / "work"
    (work / "lots").mkdir(parents=True)
    (work / "AUCTIONS 1.toml").write_text("")
    monkeypatch.setenv("PATH", f"{bin_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(work)
    return work


def shell_path(shell: Shell) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    return path


def bash(*words: str, function_call: str = "_auctionctl auctionctl") -> list[str]:
    """What bash offers for the last of ``words``, parted as readline parts them."""
    quoted = " ".join(map(shlex.quote, words))
    script = (
        f"set -eu; {SCRIPTS[Shell.BASH]}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n"
        f'{function_call}; (( ${{#COMPREPLY[@]}} == 0 )) || printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run([shell_path(Shell.BASH), "--norc", "-c", script], capture_output=True, check=True, timeout=30)
    # Outside of readline there is no completion whose options could be changed, and bash says so.
    assert b"currently executing completion function" in done.stderr or done.stderr == b""
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ser",), ["serve"]),
        (("key", "sh"), ["show"]),
        (("bid", "--strat"), ["--strategy"]),
        (("bid", "--strategy", "a"), ["aggressive"]),
        (("bid", "--strategy", "=", "a"), ["aggressive"]),
        (("ls", "--key", "="), ["alan", "alice", "house"]),
        (("ls", "--house", "auction", ":", "//auc1x@h", ":", "1", "--key", "ali"), ["alice"]),
        (("watch", "go"), ["gold-watch"]),
        (("watch", "aba"), ["abababababab"]),
        (("watch", '"go'), ["gold-watch"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("watch", "gold-watch", ""), []),
        (("no-such-command", ""), []),
    ],
)
def test_bash_completes(place: Path, words: tuple[str, ...], expected: list[str]) -> None:
    assert bash("auctionctl", *words) == expected


def test_bash_completes_under_another_name_and_where_the_name_is_an_alias(place: Path) -> None:
    for name in ("auctionctl-next", "an-alias", "/nowhere/auctionctl"):
        assert bash(name, "ser", function_call=f"_auctionctl {name}") == ["serve"]


def typed(process: pexpect.spawn[str], line: str) -> str:
    """What is on the prompt's line after ``line`` and a TAB, made visible by the shell itself."""
    process.send(line)
    process.expect_exact(line)
    process.send("\t")
    time_end = time.monotonic() + 20
    seen = ""
    while time.monotonic() < time_end:
        process.sendcontrol("x")
        try:
            process.expect(r"\[\[(.*?)\]\]", timeout=2)
        except pexpect.TIMEOUT:
            continue
        seen = str(process.match[1])
        break
    process.sendcontrol("u")
    return seen


def interactive(arguments: list[str]) -> pexpect.spawn[str]:
    return pexpect.spawn(
        arguments[0],
        arguments[1:],
        encoding="utf-8",
        timeout=20,
        dimensions=(40, 200),
        env=os.environ | {"TERM": "dumb"},
    )


BASH_SHOW = r"""bind -x '"\C-x": printf "[[%s]]\n" "$READLINE_LINE"'"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("auctionctl ser", "auctionctl serve "),
        ("auctionctl serve AUC", "auctionctl serve AUCTIONS\\ 1.toml "),
        ("auctionctl demo --keep l", "auctionctl demo --keep lots/"),
        ("auctionctl ls --key=ali", "auctionctl ls --key=alice "),
        ("auctionctl export -o AUC", "auctionctl export -o AUCTIONS\\ 1.toml "),
    ],
)
def test_bash_completes_at_its_prompt(place: Path, line: str, expected: str) -> None:
    process = interactive([shell_path(Shell.BASH), "--norc", "--noprofile", "-i"])
    try:
        (place.parent / "script").write_text(SCRIPTS[Shell.BASH])
        process.sendline(f"PS1='> '; source ../script; {BASH_SHOW}; echo rea''dy")
        process.expect_exact("ready\r\n")
        process.expect_exact("> ")
        assert typed(process, line) == expected
    finally:
        process.close(force=True)


ZSH_SHOW = "show() { print -r -- \"[[$BUFFER]]\" }; zle -N show; bindkey '^x' show"


@pytest.fixture(params=["autoloaded from fpath", "sourced"])
def zsh(place: Path, request: pytest.FixtureRequest) -> pexpect.spawn[str]:
    path = shell_path(Shell.ZSH)
    functions = place.parent / "functions"
    functions.mkdir()
    (functions / "_auctionctl").write_text(SCRIPTS[Shell.ZSH])
    load = f"autoload -Uz compinit; compinit -u -d {place.parent}/dump"
    if request.param == "sourced":
        load = f"{load}; source {functions}/_auctionctl"
    else:
        load = f"fpath=({functions} $fpath); {load}"
    process = interactive([path, "-f", "-i"])
    process.sendline(f"PS1='> '; unsetopt zle_bracketed_paste; {load}; {ZSH_SHOW}; echo rea''dy")
    process.expect_exact("ready\r\n")
    process.expect_exact("> ")
    yield process
    process.close(force=True)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("auctionctl ser", "auctionctl serve "),
        ("auctionctl serve AUC", "auctionctl serve AUCTIONS\\ 1.toml "),
        ("auctionctl demo --keep l", "auctionctl demo --keep lots/"),
        ("auctionctl ls --key=ali", "auctionctl ls --key=alice "),
        ("auctionctl watch go", "auctionctl watch gold-watch "),
        ("auctionctl bid --strat", "auctionctl bid --strategy "),
    ],
)
def test_zsh_completes_at_the_first_tab(zsh: pexpect.spawn[str], line: str, expected: str) -> None:
    assert typed(zsh, line).rstrip() == expected.rstrip()


def test_zsh_shows_hostile_titles_as_text(zsh: pexpect.spawn[str], place: Path) -> None:
    zsh.send("auctionctl watch g\t")
    zsh.expect_exact("gold-watch")
    assert not (place / "hit").exists()


def fish(place: Path, line: str) -> list[str]:
    script = place.parent / "auctionctl.fish"
    script.write_text(SCRIPTS[Shell.FISH])
    done = subprocess.run(
        [shell_path(Shell.FISH), "--no-config", "-c", f"source {script}; complete -C {shlex.quote(line)}"],
        capture_output=True,
        check=True,
        timeout=30,
        env=os.environ | {"XDG_CONFIG_HOME": str(place.parent), "XDG_DATA_HOME": str(place.parent)},
    )
    assert done.stderr == b""
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("auctionctl key sho", ["show"]),
        ("auctionctl bid --strategy a", ["aggressive"]),
        ("auctionctl ls --key=ali", ["--key=alice"]),
        ("auctionctl serve AUC", ["AUCTIONS 1.toml"]),
        ("auctionctl demo --keep l", ["lots/"]),
        ("auctionctl watch go", ["gold-watch"]),
        ("auctionctl watch gold-watch ", []),
    ],
)
def test_fish_completes(place: Path, line: str, expected: list[str]) -> None:
    assert [each.split("\t")[0] for each in fish(place, line)] == expected


def test_completing_leaves_nothing_behind_and_runs_nothing(place: Path) -> None:
    def files() -> list[Path]:
        return sorted(place.parent.rglob("*"))

    before = files()
    for words in ((), ("watch", ""), ("ls", "--key", ""), ("ls", "--context", ""), ("serve", "")):
        bash("auctionctl", *(words or ("",)))
    assert files() == before


@pytest.mark.parametrize("shell", list(Shell))
def test_the_command_writes_the_script(run: Run, shell: Shell) -> None:
    ended = run("completion", shell)
    assert (ended.status, ended.out, ended.err) == (0, SCRIPTS[shell], "")


def test_another_shell_is_a_usage_error(run: Run) -> None:
    assert run("completion", "tcsh").status == 2


@pytest.mark.parametrize("shell", list(Shell))
def test_the_committed_script_is_the_one_that_the_program_writes(shell: Shell) -> None:
    assert (REPOSITORY / "completions" / FILE_NAMES[shell]).read_text() == SCRIPTS[shell], REGENERATE
