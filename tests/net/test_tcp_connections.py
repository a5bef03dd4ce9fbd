"""What is seen of a connection from outside is what it did, and to cut one closes no descriptor of anybody else's."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from house_process import until

from auctionctl.net.tcp_connections import Connection, TcpConnections, can_look, inode_of

pytestmark = pytest.mark.skipif(not can_look(), reason="this system shows no connections")


class Listening:
    """A listening socket with its connections: (accepted, connected) pairs."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.connections = TcpConnections(self.server.getsockname()[1])
        self.open: list[socket.socket] = [self.server]

    def connect(self) -> tuple[socket.socket, socket.socket]:
        theirs = socket.create_connection(self.server.getsockname())
        ours, _ = self.server.accept()
        self.open += [ours, theirs]
        return ours, theirs

    def only(self) -> Connection:
        (found,) = self.connections.look()
        return found


@pytest.fixture
def listening() -> Iterator[Listening]:
    found = Listening()
    yield found
    for end in found.open:
        end.close()


def test_each_connection_that_came_in_is_seen_and_nothing_else(listening):
    assert listening.connections.look() == []
    pairs = [listening.connect() for _ in range(3)]
    one, other = socket.socketpair()
    with one, other, socket.socket(socket.AF_INET, socket.SOCK_DGRAM):
        found = listening.connections.look()
    assert {(each.descriptor, each.inode) for each in found} == {
        (ours.fileno(), inode_of(ours.fileno())) for ours, _ in pairs
    }
    assert {each.host for each in found} == {"127.0.0.1"}


def test_what_has_been_received_and_acknowledged_is_counted(listening):
    ours, theirs = listening.connect()
    theirs.sendall(bytes(1_000))
    ours.sendall(bytes(70))
    until(lambda: listening.only().received_bytes == 1_000, "bytes that nobody has read")
    until(lambda: listening.only().acked_bytes >= 70, "an acknowledgement")


def test_to_cut_ends_it_for_both_sides_and_closes_nothing(listening):
    ours, theirs = listening.connect()
    before = set(os.listdir("/proc/self/fd"))
    listening.connections.cut(listening.only())
    assert (ours.recv(1), theirs.recv(1)) == (b"", b"")
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_descriptor_that_is_another_ones_by_now_is_left_alone(listening):
    ours, _ = listening.connect()
    old = listening.only()
    descriptor = ours.detach()
    other, theirs = listening.connect()
    os.dup2(other.fileno(), descriptor)
    listening.connections.cut(old)
    theirs.sendall(b"x")
    assert other.recv(1) == b"x"
    os.close(descriptor)
    listening.connections.cut(old)


def test_looking_leaks_no_descriptor(listening):
    listening.connect()
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(100):
        listening.connections.look()
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_connection_that_is_closed_while_it_is_looked_at_is_none(listening, monkeypatch):
    ours, _ = listening.connect()
    listening.only()
    real = os.fstat

    def closing(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        if descriptor == ours.fileno():
            ours.close()
        return status

    monkeypatch.setattr(os, "fstat", closing)
    assert listening.connections.look() == []


def test_a_descriptor_that_is_closed_has_no_inode():
    with socket.socket() as closed:
        descriptor = closed.fileno()
    assert inode_of(descriptor) == 0
