"""What a service manager hears: a real datagram socket stands in its place."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auctionctl.net.sd_notify import Notifier, take_notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        yield listening


def test_everything_is_said_in_the_words_of_the_protocol(manager: socket.socket, tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "notify"))
    for say in (notifier.ready, notifier.stopping, notifier.alive, lambda: notifier.status("two\nlines")):
        say()
    assert [manager.recv(500) for _ in range(4)] == [b"READY=1", b"STOPPING=1", b"WATCHDOG=1", b"STATUS=two lines"]
    before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
    notifier.reloading()
    word, _, stamp = manager.recv(500).partition(b"\n")
    after_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
    assert word == b"RELOADING=1"
    assert before_us <= int(stamp.removeprefix(b"MONOTONIC_USEC=")) <= after_us
    notifier.close()
    notifier.ready()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract addresses are Linux's")
def test_an_abstract_address_is_one_that_begins_with_an_at() -> None:
    name = f"auctionctl-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.settimeout(30)
        notifier = Notifier("@" + name)
        notifier.ready()
        assert listening.recv(500) == b"READY=1"
        notifier.close()


def test_a_manager_that_does_not_listen_is_no_reason_to_stop(manager: socket.socket, tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "notify"))
    for _ in range(5_000):  # more than a socket holds
        notifier.alive()
    manager.close()
    notifier.ready()
    notifier.close()
    nowhere = Notifier(str(tmp_path / "nobody"))
    nowhere.ready()
    nowhere.close()


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative/path"])
def test_without_an_address_of_our_kind_nothing_is_said(address: str) -> None:
    notifier = take_notifier({"NOTIFY_SOCKET": address})
    assert notifier._socket is None
    notifier.ready()


@pytest.mark.parametrize(
    ("variables", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "often"}, None),
    ],
)
def test_the_variables_are_taken_out_of_the_environment(variables: dict[str, str], watchdog_s: float | None) -> None:
    environment = {"NOTIFY_SOCKET": "", "HOME": "/", **variables}
    assert take_notifier(environment).watchdog_s == watchdog_s
    assert environment == {"HOME": "/"}
