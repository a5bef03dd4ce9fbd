"""The unit in README is one that systemd takes, that shuts the house in, and that agrees with what the house does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auctionctl.cli.exit_status import ExitStatus

README = Path(__file__).parents[1] / "README.md"
MOST_EXPOSED = 15
"""In tenths, as systemd-analyze takes a threshold."""
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")


def unit() -> str:
    (text,) = re.findall(r"```ini\n(\[Unit\]\n.*?)```", README.read_text(), flags=re.DOTALL)
    return text


def values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit(), flags=re.MULTILINE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The unit, with a program that is there and pages that need not be."""
    path = tmp_path / "auctionctl.service"
    text = unit().replace("/opt/auctionctl/bin/auctionctl", sys.executable).replace("User=auctionctl", "User=root")
    path.write_text(re.sub("^Documentation=.*\n", "", text, flags=re.MULTILINE))
    return path


@needs_systemd
def test_systemd_finds_nothing_to_complain_of(file: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if file.name in line]
    assert (done.returncode, complaints) == (0, [])


@needs_systemd
def test_the_house_is_shut_in(file: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot look at a file")
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_agrees_with_what_the_house_does() -> None:
    assert values("ExecStart") == ["/opt/auctionctl/bin/auctionctl serve"]
    assert values("Type") == ["notify"]
    assert values("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    # Only the supervisor understands a SIGTERM: the others are its to end.
    assert values("KillMode") == ["mixed"]
    never_again = {int(number) for number in values("RestartPreventExitStatus")[0].split()}
    hopeless = ("USAGE", "NOT_FOUND", "ALREADY_RUNNING", "STORE_BROKEN", "CONFIGURATION")
    assert never_again == {ExitStatus[name] for name in hopeless}
    # libzmq aborts where it may not set the scheduling of its threads.
    assert values("SystemCallFilter")[-1] == "sched_setscheduler"
