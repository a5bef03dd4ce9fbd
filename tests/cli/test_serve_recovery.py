"""Whoever starts a house on a large store sees how far it is, at a terminal; a pipe gets nothing of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from auctionctl.cli.allow import read_allow_list
from auctionctl.cli.benchmarks.bench_house import HOUSE, paths_of, prepare_house
from auctionctl.client.paths import HOME_VARIABLE
from auctionctl.keys.keyfile import key_path, read_key
from auctionctl.net.filling import LOGS, fill
from auctionctl.net.stored_logs import ENTRIES_A_WORD
from auctionctl.store.sqlite import SqliteStore

BIDDERS = 2
REGISTRY_ENTRIES = LOGS + BIDDERS
PROGRAM = """
import sys
from auctionctl.cli import app, progress
progress.MOMENT_S = 0.0
sys.exit(app.run(["serve"]))
"""


@pytest.fixture(scope="module")
def full_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("full")
    bidders = prepare_house(home, "", bidders=BIDDERS, max_concurrent=20)
    paths = paths_of(home)
    store = SqliteStore(paths.house_state(HOUSE))
    fill(
        store,
        read_key(key_path(paths.keys, HOUSE)),
        bidders,
        allowed=read_allow_list(paths.allow_list)[1],
        entries=ENTRIES_A_WORD + 500,
        now_ns=time.time_ns(),
        on_progress=lambda done, total: None,
    )
    store.close()
    return home


def test_a_terminal_shows_how_far_it_is_and_then_that_it_serves(full_home: Path) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-P", "-c", PROGRAM],
        env=os.environ | {HOME_VARIABLE: str(full_home), "TERM": "xterm"},
        encoding="utf-8",
        dimensions=(30, 200),
    )
    try:
        child.expect("replaying the logs", timeout=30)
        child.expect(f"{ENTRIES_A_WORD}/{ENTRIES_A_WORD + 500 - REGISTRY_ENTRIES}", timeout=30)
        child.expect("serving at", timeout=30)
        child.sendintr()
        child.expect(pexpect.EOF, timeout=30)
    finally:
        child.close(force=True)
    assert child.exitstatus == 130


def test_a_pipe_gets_nothing_of_it(full_home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM],
        env=os.environ | {HOME_VARIABLE: str(full_home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    lines = []
    while not lines or b"serving at" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1]
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")
    assert not any(b"replaying" in line for line in lines)
