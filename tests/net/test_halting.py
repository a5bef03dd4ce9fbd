"""A log that was halted is halted after a restart, and the supervisor hears of it either way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from auctionctl.house.effects import Halt
from auctionctl.net.control import receive_control
from auctionctl.net.halting import Halting
from auctionctl.net.hops import Halted, decode_from_child
from auctionctl.store.halted_logs import FILE_NAME, HaltedLogs
from auctionctl.wire.messages import Remind

AUCTION = b"a" * 32
HALTS = (
    Halt(f"auction/{AUCTION.hex()}", "it is short", Remind(AUCTION, b"note")),
    Halt("registry", "it is another", Remind(b"", b"other note")),
)


@pytest.fixture
def supervisor() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def heard(ours: socket.socket) -> object:
    data, _ = receive_control(ours)
    return decode_from_child(data)


def test_what_halts_a_log_is_kept_told_and_remembered_as_it_was_said(supervisor, tmp_path: Path) -> None:
    ours, theirs = supervisor
    halting = Halting(theirs, tmp_path)
    assert halting.remembered() == []
    for halt in HALTS:
        halting.halt(halt)
        assert heard(ours) == Halted(halt.log, halt.reason)
    assert Halting(theirs, tmp_path).remembered() == [halt.reminder for halt in HALTS]
    halting.halt(HALTS[0])
    assert heard(ours) == Halted(HALTS[0].log, HALTS[0].reason), "a restart tells it again"


def test_a_disk_that_keeps_nothing_is_said_and_holds_up_nobody(supervisor, tmp_path: Path) -> None:
    ours, theirs = supervisor
    halting = Halting(theirs, tmp_path)
    (tmp_path / f"{FILE_NAME}.new").mkdir()
    halting.halt(HALTS[0])
    told = heard(ours)
    assert isinstance(told, Halted)
    assert "a restart will not know of it" in told.reason


def test_a_name_that_is_no_log_halts_nothing_of_this_house(supervisor, tmp_path: Path) -> None:
    _, theirs = supervisor
    HaltedLogs(tmp_path).keep("something/else", b"note")
    (reminder,) = Halting(theirs, tmp_path).remembered()
    assert len(reminder.log) <= 32
