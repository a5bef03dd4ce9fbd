"""How a child process begins and ends."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from house_process import HOUSE_KEY

from auctionctl.house.limits import Limits
from auctionctl.net.admission_news import AllowListTaken
from auctionctl.net.child import EXIT_FAILED, EXIT_STORE_BROKEN
from auctionctl.net.child_words import Failed, Stop
from auctionctl.net.control import receive_control, tell_child
from auctionctl.net.house_words import Opened, StartHouse, decode_from_child


@pytest.fixture
def start() -> Iterator:
    running: list[tuple[subprocess.Popen[bytes], socket.socket]] = []

    def started(kind: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "auctionctl.net.child", kind, str(theirs.fileno())]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
        running.append((process, ours))
        return process, ours

    yield started
    for process, control in running:
        process.kill()
        process.communicate()
        control.close()


@pytest.mark.parametrize("kind", ["house", "verifier", "gateway"])
def test_a_child_without_a_supervisor_ends_without_a_word(start, kind):
    process, control = start(kind)
    control.close()
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize("kind", ["verifier", "gateway"])
def test_a_child_ends_when_it_is_told_to(start, kind):
    process, control = start(kind)
    tell_child(control, Stop())
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")


def start_house_in(state: str) -> StartHouse:
    return StartHouse(HOUSE_KEY.seed_text, state, state + "-allow", Limits(1, 1), [])


def test_the_terminals_signals_are_for_the_supervisor(start, tmp_path):
    process, control = start("house")
    tell_child(control, start_house_in(str(tmp_path / "state")))
    said = [decode_from_child(receive_control(control)[0]) for _ in range(2)]
    assert said == [AllowListTaken(b""), Opened([])]
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    tell_child(control, Stop())
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")


def test_what_goes_wrong_is_told_to_the_supervisor(start, tmp_path):
    (tmp_path / "state").write_text("no directory")
    process, control = start("house")
    tell_child(control, start_house_in(str(tmp_path / "state")))
    data, _ = receive_control(control)
    failed = decode_from_child(data)
    assert isinstance(failed, Failed)
    assert failed.error == "StoreError"
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (EXIT_FAILED, b"")


def test_what_goes_wrong_when_nobody_is_there_goes_to_stderr(start, tmp_path):
    (tmp_path / "state").write_text("no directory")
    process, control = start("house")
    tell_child(control, start_house_in(str(tmp_path / "state")))
    control.shutdown(socket.SHUT_RDWR)
    _, said = process.communicate(timeout=60)
    assert process.returncode == EXIT_FAILED
    assert said.startswith(b"auctionctl: cannot use state directory")


def test_a_database_that_is_damaged_is_told_too(start, tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "logs.sqlite3").write_bytes(b"SQLite format 3\0" + os.urandom(8_192))
    process, control = start("house")
    tell_child(control, start_house_in(str(state)))
    failed = decode_from_child(receive_control(control)[0])
    assert isinstance(failed, Failed)
    assert failed.error.startswith("Store")
    process.communicate(timeout=60)
    assert process.returncode in (EXIT_FAILED, EXIT_STORE_BROKEN)


def test_a_house_that_dies_leaves_no_core_file_and_nothing_of_its_key(tmp_path):
    def raise_limit():
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    (tmp_path / "here").mkdir()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "auctionctl.net.child", "house", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            cwd=tmp_path / "here",
            preexec_fn=raise_limit,  # noqa: PLW1509 - no thread runs here
        )
        theirs.close()
        tell_child(ours, start_house_in(str(tmp_path / "state")))
        for _ in range(2):
            receive_control(ours)
        process.send_signal(signal.SIGABRT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGABRT
    assert os.listdir(tmp_path / "here") == []
    assert HOUSE_KEY.seed_text[16:40].encode() not in said
