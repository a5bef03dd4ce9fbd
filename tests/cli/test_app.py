from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer

import auctionctl
from auctionctl.cli import app
from auctionctl.cli.command_table import COMMANDS, LazyCommands


def test_the_version_is_told_in_a_moment(program: Any) -> None:
    done = program("--version")
    assert (done.status, done.out) == (0, f"auctionctl {auctionctl.__version__}\n")


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("-h",)])
def test_telling_the_version_or_what_there_is_imports_nothing_that_is_slow(words: tuple[str, ...]) -> None:
    slow = (
        "rich",
        "zmq",
        "nacl",
        "apsw",
        "msgspec",
        "asyncio",
        "platformdirs",
        "logging",
        "tomllib",
        "prometheus_client",
    )
    code = (
        f"import sys; from auctionctl.cli.app import run; status = run({list(words)!r});"
        f"print(status, [name for name in {slow!r} if name in sys.modules],"
        " [name for name in sys.modules if name.startswith('auctionctl.cli.settings.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 [] []"


def test_the_help_loads_no_command_and_says_what_it_would_if_it_did() -> None:
    code = (
        "import sys; from auctionctl.cli.app import run; run(['--help']);"
        "from auctionctl.cli.command_table import COMMANDS;"
        "print([name for name in COMMANDS.values() if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    *words, loaded = told.splitlines()
    commands = typer.main.get_command(app.app).commands  # type: ignore[attr-defined]
    widest = max(map(len, COMMANDS))
    limit = 78 - app.HELP_FRAME_COLUMNS - widest  # of 80 columns, two stay free
    expected = [f"  {name:<{widest}}  {commands[name].get_short_help_str(limit)}".rstrip() for name in COMMANDS]
    assert words[words.index("Commands:") + 1 :][: len(expected)] == expected
    assert loaded == "[]"


def test_starting_costs_little_more_than_typer_does() -> None:
    """A ratio within one run: the machine's own speed does not matter."""

    def seconds(*arguments: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    pairs = [(seconds("-m", "auctionctl", "--version"), seconds("-c", "import typer")) for _ in range(7)]
    assert statistics.median(ours / theirs for ours, theirs in pairs) < 2.0


def test_without_arguments_the_help_is_shown(program: Any) -> None:
    done = program()
    assert done.status == 2
    assert "Usage: auctionctl" in done.out
    for command in COMMANDS:
        assert f"\n  {command} " in done.out


def _all_commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []

    def walk(command: Any, path: tuple[str, ...]) -> None:
        found.append(path)
        for name in getattr(command, "commands", {}):
            walk(command.commands[name], (*path, name))

    walk(typer.main.get_command(app.app), ())
    return found


@pytest.mark.parametrize("path", _all_commands(), ids=" ".join)
def test_every_command_has_help_with_an_example_and_no_notes_for_developers(run: Any, path: tuple[str, ...]) -> None:
    done = run(*path, "--help")
    assert (done.status, done.err) == (0, "")
    assert "Example: auctionctl" in done.out
    for word in ("Raises", "``", ":mod:", "noqa"):
        assert word not in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bd",), "no such command 'bd'. Did you mean 'bid'?"),
        (("--bd",), "no such option: --bd"),
        (("keygen", "a", "b"), "got unexpected extra argument"),
        (("bid", "x", "--budget", "1EUR"), "missing option '--strategy'"),
        (("bid", "x", "--strategy", "smart"), "missing option '--budget'"),
        (("bid", "x", "--amount", "1EUR", "--strategy", "smart"), "--amount makes one bid, and --strategy is for many"),
        (("bid", "x", "y", "--amount", "1EUR"), "--amount makes one bid, in one auction"),
        (("bid", "--all", "--amount", "1EUR"), "--amount makes one bid, in one auction"),
        (("bid", "x", "--amount", "0EUR"), "--amount: it has to be more than nothing"),
        (("bid", "x", "--amount", "5"), "--amount: the amount '5' has no currency"),
        (("bid", "x", "--amount", "min", "--wait", "soon"), "--wait: not a duration"),
        (("bid", "x", "--strategy", "smart", "--budget", "1EUR", "--dry-run"), "--wait and --dry-run are for a single"),
        (
            ("bid", "--all", "x", "--strategy", "smart", "--budget", "1EUR"),
            "--all means every auction, and yet some are named",
        ),
        (("bid", "--strategy", "smart", "--budget", "1EUR"), "name the auctions to bid in, or --all"),
        (("bid", "--all", "--strategy", "smart", "--budget", "1"), "--budget: the amount '1' has no currency"),
        (("bid", "--all", "--strategy", "smart", "--budget", "1.001EUR"), "--budget: "),
        (("bid", "--all", "--strategy", "clever", "--budget", "1EUR"), "--strategy: unknown strategy 'clever'"),
        (("bid", "--all", "--strategy", "smart", "--budget", "1EUR", "--param", "x=1"), "--param: the strategy smart"),
        (("bid", "--all", "--strategy", "smart", "--budget", "1EUR", "--param", "x"), "--param: 'x' is no K=V"),
        (("bid", "--all", "--strategy", "smart", "--budget", "1EUR", "--seed", "x"), "invalid value for '--seed'"),
        (("ls", "--house", "http://x"), "--house: not the address of a house"),
        (("ls", "--house", "auction://auc1x@h"), "--house: the identity in the address is damaged"),
        (("show",), "missing argument 'ID'"),
        (("export",), "name the auction, or say --registry"),
        (("serve", "--port"), "option '--port' requires an argument"),
        (("demo", "--duration", "1s"), "--duration: the demo runs for 3s to 1h"),
        (("demo", "--duration", "x"), "--duration: not a duration: 'x'"),
        (("verify", "./x", "--house", "y"), "--house: "),
        (("verify", "x", "--house", "y"), "--house: "),
        (("ls", "--all", "--phase", "open"), "--all and --phase contradict each other"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_a_hint(
    run: Any, home: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert done.out == ""
    first, second = done.err.splitlines()
    assert first.startswith(f"auctionctl: {message}")
    assert second.startswith("hint: ")
    assert not home.exists()
    error = json.loads(run(*arguments, "--json").err)["error"]
    assert error["code"] == "usage"
    assert error["hint"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("ls",), 78, "no house is named"),
        (("watch",), 78, "no house is named"),
        (("export", "x", "-o", "f"), 78, "no house is named"),
        (("bid", "--all", "--strategy", "smart", "--budget", "1EUR"), 78, "no house is named"),
        (("serve", "missing.toml"), 3, "there is no file missing.toml"),
        (("key", "show"), 3, "there is no key"),
        (("verify", "missing"), 3, "there is no file missing"),
    ],
)
def test_every_other_error_is_one_line_and_its_status(
    run: Any, home: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = run(*arguments)
    assert (done.status, done.out) == (status, "")
    assert message in done.err.splitlines()[0]
    assert "Traceback" not in done.err
    assert not home.exists()


def _faulty(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    faulty = typer.Typer()

    @faulty.command()
    def fail() -> None:
        raise error

    module = type(sys)("auctionctl_faulty")
    module.app = faulty  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "auctionctl_faulty", module)
    monkeypatch.setitem(COMMANDS, "fail", "auctionctl_faulty")


def test_a_fault_of_ours_is_a_line_and_a_traceback_only_when_asked(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _faulty(monkeypatch, ZeroDivisionError("by zero"))
    done = run("fail")
    assert done.status == 1
    assert done.err.startswith("auctionctl: internal error: ZeroDivisionError: by zero\nhint: ")
    monkeypatch.setenv("AUCTIONCTL_DEBUG", "1")
    assert "Traceback" in run("fail").err


def test_a_fault_of_the_system_is_named_by_its_file(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _faulty(monkeypatch, OSError(28, "No space left on device", "/some/file"))
    done = run("fail")
    assert (done.status, done.err) == (1, "auctionctl: /some/file: no space left on device\n")


def test_an_interrupt_is_130_and_silent(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _faulty(monkeypatch, KeyboardInterrupt())
    done = run("fail")
    assert (done.status, done.out, done.err) == (130, "", "")


def test_the_lazy_mapping_is_a_mapping() -> None:
    commands = LazyCommands({"keygen": "auctionctl.cli.keys"})
    assert len(commands) == 1
    assert commands["keygen"] is commands["keygen"]
    commands["keygen"] = "other"
    assert commands["keygen"] == "other"
    del commands["keygen"]
    assert commands["keygen"].name == "keygen"
    assert commands.get("missing") is None


def test_a_reader_that_goes_away_ends_a_client_without_a_word(home: Path) -> None:
    code = "import sys; from auctionctl.cli.app import run; sys.exit(run(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, "keygen", "x"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        process.wait(20)
    assert process.returncode == -signal.SIGPIPE
    assert b"Traceback" not in err


def test_a_broken_pipe_in_a_command_that_outlives_its_readers_is_silent(home: Path) -> None:
    code = (
        "import sys; from auctionctl.cli import app; import typer\n"
        "module = type(sys)('m'); module.app = typer.Typer()\n"
        "@module.app.command()\n"
        "def bench():\n"
        "    while True: sys.stdout.write('x' * 100); sys.stdout.flush()\n"
        "sys.modules['m'] = module; app.COMMANDS['bench'] = 'm'; sys.exit(app.run(['bench']))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()
        process.wait(20)
    assert process.returncode == 141
    assert err == b""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_unwinds_everything(number: int, status: int) -> None:
    code = (
        "import sys, signal, time; from auctionctl.cli import app; import typer\n"
        "module = type(sys)('m'); module.app = typer.Typer()\n"
        "@module.app.command()\n"
        "def wait():\n"
        "    try: print('ready', flush=True); signal.pause(); time.sleep(60)\n"
        "    finally: print('unwound', flush=True)\n"
        "sys.modules['m'] = module; app.COMMANDS['wait'] = 'm'; sys.argv = ['x', 'wait']; app.main()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.stdout.read() == b"unwound\n"
        assert process.wait(20) == status


def test_a_terminal_that_knows_only_ascii_gets_codes_instead_of_an_error(program: Any) -> None:
    done = program("demo", "--duration", "1°", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.status == 2
    assert "1\\xb0" in done.err
