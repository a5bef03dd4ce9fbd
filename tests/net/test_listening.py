"""The port of a house is its own: for one gateway after the other, or for several at once, and never free meanwhile."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from auctionctl.errors import ConfigurationError
from auctionctl.net.listening import ListeningPort, listen_on

HOST = "127.0.0.1"
CONNECTIONS = 48


@contextmanager
def connected(port: ListeningPort) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, port.number), timeout=5) as client:
        yield client


def serve(stack: ExitStack, port: ListeningPort) -> socket.socket:
    """A gateway that has got its descriptor, and listens."""
    with port.lent() as lent:
        own = os.dup(lent)
    listen_on(own)
    return stack.enter_context(socket.socket(fileno=own))


def count_waiting(listening: socket.socket) -> int:
    listening.setblocking(False)
    count = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_the_next_gateway_answers_whoever_came_while_there_was_none(tmp_path, stack):
    with ListeningPort(HOST, 0, tmp_path) as port:
        serve(stack, port).close()
        with connected(port):
            assert count_waiting(serve(stack, port)) == 1


def test_connections_are_spread_over_several(tmp_path, stack):
    with ListeningPort(HOST, 0, tmp_path, gateways=3) as port:
        gateways = [serve(stack, port) for _ in range(3)]
        for _ in range(CONNECTIONS):
            stack.enter_context(connected(port))
        counts = [count_waiting(gateway) for gateway in gateways]
        assert sum(counts) == CONNECTIONS
        assert all(counts), "the odds against are 1 to 90 million"


def test_nobody_is_given_to_a_gateway_that_is_dead_or_does_not_serve_yet(tmp_path, stack):
    with ListeningPort(HOST, 0, tmp_path, gateways=3) as port:
        dead, alive = serve(stack, port), serve(stack, port)
        dead.close()
        with port.lent():
            for _ in range(CONNECTIONS):
                stack.enter_context(connected(port))
        assert count_waiting(alive) == CONNECTIONS


def test_a_port_for_several_is_refused_to_another_house_even_while_no_gateway_listens(tmp_path, stack):
    with ListeningPort(HOST, 0, tmp_path, gateways=2) as port:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port.number), timeout=5)
        for gateways in (1, 2):
            with pytest.raises(ConfigurationError, match="cannot listen on"):
                ListeningPort(HOST, port.number, tmp_path, gateways)
        serve(stack, port)
        for gateways in (1, 2):
            with pytest.raises(ConfigurationError, match="cannot listen on"):
                ListeningPort(HOST, port.number, tmp_path, gateways)


def test_a_port_for_several_can_be_taken_again_at_once(tmp_path, stack):
    with ListeningPort(HOST, 0, tmp_path, gateways=2) as port:
        number = port.number
        gateway = serve(stack, port)
        with connected(port):
            gateway.accept()[0].close()
        gateway.close()
    with ListeningPort(HOST, number, tmp_path, gateways=2):
        pass
