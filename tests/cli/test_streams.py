from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auctionctl.cli.streams import drop_what_cannot_be_written

CODE = (
    "import os, sys; from auctionctl.cli.streams import hold_streams; hold_streams();"
    "print(os.open('/dev/null', os.O_RDONLY), file=sys.stderr)"
)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_a_file_never_gets_the_number_of_a_standard_stream(closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, CODE], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr) > 2


def program(redirection: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[bytes]:
    words = f'"$0" -P -m auctionctl "$@" {redirection}'
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    return subprocess.run(
        ["sh", "-c", words, sys.executable, *arguments],
        capture_output=True,
        env=environment | {"AUCTIONCTL_HOME": str(home)},
        check=False,
    )


@pytest.mark.parametrize("arguments", [("--version",), ("keygen", "x"), ("allow", "ls"), ("ls", "--help")])
def test_a_closed_stdout_is_an_error_said_once(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = program(">&-", *arguments, home=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count(b"cannot write to stdout: bad file descriptor\nhint: ") == 1
    assert b"Exception" not in done.stderr


@pytest.mark.parametrize("arguments", [("--version",), ("allow", "ls"), ("allow", "ls", "--json"), ("ls", "--help")])
def test_a_full_disk_is_an_error_said_once(arguments: tuple[str, ...], tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    done = program(">/dev/full", *arguments, home=tmp_path)
    assert done.returncode == 1
    assert done.stderr.lower().count(b"no space left on device") == 1
    assert b"Exception" not in done.stderr


def test_without_stderr_the_status_still_tells(tmp_path: Path) -> None:
    assert program("2>&-", "nosuch", home=tmp_path).returncode == 2
    assert program("2>&- >&-", "allow", "ls", home=tmp_path).returncode == 1
    assert program("2>&-", "keygen", home=tmp_path).stdout.startswith(b"auc1")


def test_a_closed_stdin_is_said(tmp_path: Path) -> None:
    done = program("<&-", "verify", "-", home=tmp_path)
    assert done.returncode == 78
    assert b"stdin" in done.stderr


def test_what_can_be_written_is_not_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    sys.stdout.write("kept")
    assert not drop_what_cannot_be_written()
    assert capsys.readouterr().out == "kept"


def test_a_pipe_without_a_reader_is_noticed_before_anything_is_written() -> None:
    code = (
        "import sys; from auctionctl.cli.streams import check_reader; check_reader(); print('read', flush=True);"
        "sys.stdin.read(); check_reader()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"read\n"
        process.stdout.close()
        process.stdin.close()
        assert b"BrokenPipeError" in process.stderr.read()


def test_a_file_and_a_device_always_have_a_reader(tmp_path: Path) -> None:
    code = "from auctionctl.cli.streams import check_reader; check_reader()"
    for path in (tmp_path / "file", Path(os.devnull)):
        with path.open("wb") as out:
            assert subprocess.run([sys.executable, "-c", code], stdout=out, check=False).returncode == 0
