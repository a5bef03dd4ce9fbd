"""What a child of the supervisor is, how its end is told, and what becomes of the error that it reports."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys

import pytest

from auctionctl.net.child_words import Failed, GatewayPipe, HousePipe, Stop, decode_to_verifier
from auctionctl.net.children import MAX_BACKLOG_BYTES, Child, as_error, await_room, describe_end, end_all, join, spawn
from auctionctl.net.control import hear_supervisor
from auctionctl.net.gateway_orders import SetBans


@pytest.mark.parametrize(
    ("name", "comes_out_as"),
    [
        ("StoreLockedError", "StoreLockedError"),
        ("TermsError", "TermsError"),
        ("SizeConflictError", "StoreError"),
        ("NoSuchError", "StoreError"),
    ],
)
def test_an_error_of_a_child_comes_out_as_what_it_was(name, comes_out_as):
    error = as_error(Failed(name, "what happened", "what to do"))
    assert (type(error).__name__, str(error), error.hint) == (comes_out_as, "what happened", "what to do")


@pytest.mark.parametrize(("status", "text"), [(-9, "SIGKILL"), (-99, "status -99"), (3, "status 3"), (0, "status 0")])
def test_an_end_is_told_by_the_name_of_its_signal_or_by_its_status(status, text):
    assert describe_end(status) == text


def test_a_child_lives_as_long_as_its_control_socket():
    child = spawn("verifier 3")
    assert (child.name, child.is_buried, child.process.poll()) == ("verifier 3", False, None)
    child.control.close()
    assert child.process.wait(30) == 0
    assert child.is_buried


def test_a_child_is_told_to_stop_and_one_that_is_dead_may_be_told_anything():
    child = spawn("verifier 0")
    child.tell(Stop())
    assert child.process.wait(30) == 0
    child.tell(Stop())
    child.control.close()


def test_two_children_that_are_joined_hold_the_two_ends_of_one_pair():
    process = subprocess.Popen([sys.executable, "-c", ""])
    controls = [socket.socketpair() for _ in range(2)]
    one, other = (Child(name, process, ours, 0.0) for name, (ours, _) in zip("ab", controls, strict=True))
    join(one, HousePipe(), other, GatewayPipe(7))
    ends = []
    for (ours, theirs), expected in zip(controls, (HousePipe(), GatewayPipe(7)), strict=True):
        message, (descriptor,) = hear_supervisor(theirs, decode_to_verifier)
        assert message == expected
        ends.append(socket.socket(fileno=descriptor))
        ours.close()
        theirs.close()
    ends[0].sendall(b"x")
    assert ends[1].recv(1) == b"x"
    for end in ends:
        end.close()
    assert process.wait(30) == 0


def test_a_child_that_stands_still_holds_up_nobody_and_hears_everything_once_it_goes_on():
    child = spawn("gateway")
    os.kill(child.process.pid, signal.SIGSTOP)
    with selectors.DefaultSelector() as selector:
        selector.register(child.control, selectors.EVENT_READ, child)
        for _ in range(4):
            child.tell(SetBans([bytes(32)] * 10_000, []))
        child.tell(Stop())
        assert child.postbox.backlog_bytes > 500_000
        await_room(selector)
        assert not selector.select(0), "there is no room yet"
        os.kill(child.process.pid, signal.SIGCONT)
        while child.postbox.backlog_bytes:
            ((_, events),) = selector.select(30)
            assert child.serve(events) is False
        await_room(selector)
        assert [key.events for key in selector.get_map().values()] == [selectors.EVENT_READ]
    assert child.process.wait(30) == 0
    assert child.put_away() == 0


def test_a_child_that_lets_too_much_wait_is_ended():
    child = spawn("gateway")
    os.kill(child.process.pid, signal.SIGSTOP)
    for _ in range(MAX_BACKLOG_BYTES // 10_000_000 + 1):
        child.tell(SetBans([bytes(32)] * 300_000, []))
    assert child.put_away() == -signal.SIGKILL


def test_a_child_that_is_put_away_and_lives_on_is_ended():
    child = spawn("verifier 0")
    os.kill(child.process.pid, signal.SIGSTOP)
    assert child.put_away(0.1) == -signal.SIGKILL
    assert child.is_buried


def test_all_are_told_to_end_and_one_that_does_not_is_ended():
    children = [spawn(f"verifier {number}") for number in range(2)]
    os.kill(children[1].process.pid, signal.SIGSTOP)
    end_all(children[:1], 30.0)
    end_all(children[1:], 0.1)
    assert [child.process.returncode for child in children] == [0, -signal.SIGKILL]
