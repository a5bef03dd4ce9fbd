"""A gateway's guard finds the very connection that harms it, mutes its key when it does so again, and no other."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.door import Answer, Door
from auctionctl.net.guard import Caught, Guard
from auctionctl.net.mutes import FIRST_MUTE_NS
from auctionctl.net.sessions import Session, Sessions
from auctionctl.net.tcp_connections import TcpConnections, can_look, inode_of
from auctionctl.net.watchdog import GONE_NS, GREETING_NS, LOOK_NS, UNDELIVERED_BYTES, Fault

pytestmark = pytest.mark.skipif(not can_look(), reason="this system shows no connections")

ANN, MALLORY = b"a" * 32, b"m" * 32
HOST = "127.0.0.1"


class Guarded:
    def __init__(self) -> None:
        self.server = socket.create_server((HOST, 0))
        self.sessions = Sessions()
        self.door = Door(self.sessions.count)
        self.door.admit([ANN, MALLORY])
        self.guard = Guard(self.sessions, self.door, TcpConnections(self.server.getsockname()[1]))
        self.now_ns = 1_000 * SECOND_NS
        self.open: list[socket.socket] = [self.server]

    def connect(self, key: bytes, *, says_hello: bool = True) -> tuple[socket.socket, Session | None]:
        """A connection of ``key``: its far end, and its session if it said something."""
        theirs = socket.create_connection(self.server.getsockname())
        ours, _ = self.server.accept()
        self.open += [theirs, ours]
        assert self.door.knock(key, HOST, self.now_ns) is Answer.COME_IN
        if not says_hello:
            return theirs, None
        session = self.sessions.begin(os.urandom(5), key.hex(), self.now_ns, inode_of(ours.fileno()))
        session.identity = key
        self.door.entered(key)
        return theirs, session

    def look(self, after_ns: int = LOOK_NS) -> tuple[list[Caught], list[Session]]:
        self.now_ns += after_ns
        self.guard._next_ns = 0
        return self.guard.look(self.now_ns)

    def send_without_end(self, theirs: socket.socket) -> None:
        """More than is let wait, and nothing that the gateway sees."""
        theirs.settimeout(20)
        ours = self.open[-1]
        for _ in range(UNDELIVERED_BYTES // (1 << 16) + 2):
            theirs.sendall(bytes(1 << 16))
            read = 0
            while read < 1 << 16:
                read += len(ours.recv(1 << 16))


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    found = Guarded()
    yield found
    for end in found.open:
        end.close()


def is_cut(theirs: socket.socket) -> bool:
    theirs.setblocking(False)
    try:
        return theirs.recv(1) == b""
    except BlockingIOError:
        return False


def test_an_endless_message_is_cut_and_the_second_one_mutes_its_key_on_all_its_connections(guarded):
    ann, _ = guarded.connect(ANN)
    other, _ = guarded.connect(MALLORY)
    for attack in (1, 2):
        mallory, _ = guarded.connect(MALLORY)
        assert guarded.look() == ([], [])
        guarded.send_without_end(mallory)
        muted_ns = FIRST_MUTE_NS if attack == 2 else 0
        assert guarded.look()[0] == [Caught(MALLORY, HOST, Fault.ENDLESS, muted_ns)]
        assert is_cut(mallory)
        assert is_cut(other) is (attack == 2)
    assert not is_cut(ann)
    assert guarded.door.knock(MALLORY, HOST, guarded.now_ns) is Answer.MUTED


def test_who_says_nothing_is_cut_by_what_is_known_of_who_was_let_in(guarded):
    guarded.connect(ANN)
    silent, _ = guarded.connect(MALLORY, says_hello=False)
    guarded.look()
    for _ in range(int(GREETING_NS / SECOND_NS * 2)):
        assert guarded.look(SECOND_NS // 2)[0] == []
    assert guarded.look(SECOND_NS // 2)[0] == [Caught(MALLORY, HOST, Fault.SILENT, 0)]
    assert is_cut(silent)


def test_whose_silence_it_is_nobody_says_where_it_could_be_anybodys(guarded):
    for key in (ANN, MALLORY):
        guarded.connect(key, says_hello=False)
    guarded.look()
    guarded.look(SECOND_NS)
    guarded.look(SECOND_NS)
    assert guarded.look()[0] == [Caught(b"", HOST, Fault.SILENT, 0)] * 2


def test_a_session_is_over_when_its_connection_has_been_for_a_moment(guarded):
    theirs, session = guarded.connect(ANN)
    _, other = guarded.connect(ANN)
    assert guarded.look() == ([], [])
    assert guarded.sessions.count(ANN) == 2
    theirs.close()
    guarded.open[2].close()
    assert guarded.look() == ([], [])
    assert (guarded.sessions.count(ANN), guarded.sessions.count(None)) == (1, 1)
    assert guarded.look(GONE_NS // 2)[1] == []
    assert guarded.look(GONE_NS)[1] == [session]
    assert other.gone_ns is None


def test_a_session_that_is_cut_by_name_is_cut_before_it_was_ever_looked_at(guarded):
    ann, session = guarded.connect(ANN)
    guarded.guard.cut(session)
    assert is_cut(ann)
    guarded.guard.cut(Session(9, b"", ANN.hex(), ANN, 0, connection=1))  # of a connection that is none


def test_looking_takes_a_bounded_part_of_the_time(guarded):
    guarded.connect(ANN)
    guarded.guard.look(guarded.now_ns)
    assert guarded.guard._next_ns >= guarded.now_ns + LOOK_NS
    assert guarded.guard.look(guarded.now_ns + 1) == ([], [])
