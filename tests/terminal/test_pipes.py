from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

BROKEN = 141
"""What a shell says of a program that SIGPIPE ended."""


def shell(house: Any, line: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """``$A`` stands for the program; the exit statuses of the pipe's commands come last on stdout."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash, which knows the exit status of each command of a pipe")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    with subprocess.Popen(
        [bash, "-c", f'A="$0 -P -m auctionctl"; {line}; echo "${{PIPESTATUS[*]}}"', sys.executable],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=kept | {"AUCTIONCTL_HOME": str(house.home), "TERM": "xterm-256color"} | settings,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=90)
        finally:
            # The shell's own end would leave a command that goes on.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(line, process.returncode, out, err)


@pytest.mark.parametrize("arguments", ["ls --key alice", "allow ls", "key show alice", "--help"])
def test_a_pipe_gets_plain_lines(house: Any, arguments: str) -> None:
    done = shell(house, f"$A {arguments} | cat")
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0 0"
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("arguments", ["watch --key alice", "watch --key alice --json", "watch --key alice -o jsonl"])
def test_a_reader_that_has_read_enough_ends_what_would_go_on(house: Any, arguments: str) -> None:
    """A board of auctions that wait for an hour ends as soon as something is to be written that nobody reads."""
    done = shell(house, f"$A {arguments} | head -1")
    first, last = done.stdout.splitlines()
    assert "terms" in first
    assert last == f"{BROKEN} 0"
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", ["ls --key alice", "allow ls", "--help", "ls --key alice --json"])
def test_a_reader_of_one_line_gets_it_and_nobody_complains(house: Any, arguments: str) -> None:
    done = shell(house, f"$A {arguments} | head -1")
    first, last = done.stdout.splitlines()
    assert first
    assert last in ("0 0", f"{BROKEN} 0")
    assert done.stderr == ""


def test_the_demo_goes_on_without_a_reader(house: Any, tmp_path: Path) -> None:
    done = shell(house, "$A demo --duration 3s | head -1", TMPDIR=str(tmp_path))
    assert done.stdout.splitlines()[-1] in ("0 0", f"{BROKEN} 0"), done.stderr
    assert "Traceback" not in done.stderr
    assert "roken pipe" not in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_forced_table_in_a_pipe_is_no_board(house: Any) -> None:
    done = shell(house, "$A watch --key alice -o table | head -1")
    first, last = done.stdout.splitlines()
    assert "terms" in first
    assert last == f"{BROKEN} 0"
    assert "\x1b" not in done.stdout


def test_without_stdin_it_reads_all_the_same(house: Any) -> None:
    done = shell(house, "$A ls --key alice <&-")
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_without_stdout_it_says_so_and_fails(house: Any) -> None:
    done = shell(house, "$A ls --key alice >&-")
    assert done.stdout == "1\n"
    assert done.stderr.count("cannot write to stdout") == 1
