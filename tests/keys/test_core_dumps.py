"""A process that holds secrets leaves none on disk, however it dies."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

DYING = "import os, signal, resource\n{asked}\nos.kill(os.getpid(), signal.SIGABRT)\n"
ASKING = "from auctionctl.keys.core_dumps import {name}\n{name}()\n{more}"


def raise_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def files_left_by(directory: Path, asked: str) -> list[str]:
    """What is in ``directory`` after a process there died of SIGABRT, under the highest limit that it may have."""
    directory.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", DYING.format(asked=asked)],
        cwd=directory,
        preexec_fn=raise_limit,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGABRT
    return os.listdir(directory)


@pytest.fixture
def _cores_are_written(tmp_path: Path) -> None:
    if not files_left_by(tmp_path / "control", ""):
        pytest.skip("a process that dies of SIGABRT here leaves no core file in its directory anyway")


@pytest.mark.usefixtures("_cores_are_written")
def test_no_core_file_is_left(tmp_path: Path) -> None:
    for name in ("forbid_core_files", "forbid_dumps"):
        assert files_left_by(tmp_path / name, ASKING.format(name=name, more="")) == []


@pytest.mark.usefixtures("_cores_are_written")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a promise of Linux alone")
def test_not_even_where_the_limit_is_raised_again(tmp_path: Path) -> None:
    more = "resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)"
    assert files_left_by(tmp_path / "limit", ASKING.format(name="forbid_core_files", more=more)) != []
    assert files_left_by(tmp_path / "memory", ASKING.format(name="forbid_dumps", more=more)) == []
