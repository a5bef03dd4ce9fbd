"""The wire between a test and its echo: what it does to bytes, and when."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import pytest
from house_process import until
from tcp_proxy import Cut, Delayed, Swallowed, TcpProxy, Throttled, Whole


@pytest.fixture
def proxy(stack):
    """In front of a port that sends everything back."""
    listening = socket.create_server(("127.0.0.1", 0))
    stack.callback(listening.close)

    def echo() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=back, args=(listening.accept()[0],)).start()

    def back(end: socket.socket) -> None:
        with end, suppress(OSError):
            while data := end.recv(65_536):
                end.sendall(data)

    thread = threading.Thread(target=echo)
    thread.start()
    stack.callback(thread.join, 30)
    stack.callback(listening.shutdown, socket.SHUT_RDWR)
    made = TcpProxy(listening.getsockname()[1])
    stack.callback(made.close)
    return made


@pytest.fixture
def connect(proxy, stack):
    def connected() -> socket.socket:
        end = stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port), timeout=30))
        end.sendall(b"hello")
        assert end.recv(5) == b"hello"
        return end

    return connected


def test_a_cut_resets_what_is_there_and_what_comes_until_it_is_mended(proxy, connect):
    end = connect()
    proxy.set(Cut())
    with pytest.raises(ConnectionResetError):
        end.recv(1)
    # It may come so soon that not even the connection is made.
    with suppress(ConnectionResetError), socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as another:
        assert another.recv(1) == b""
    proxy.set(Whole())
    connect()


def test_what_is_delayed_or_throttled_comes_whole_and_late(proxy, connect):
    end = connect()
    for fault in (Delayed(0.2), Throttled(50.0)):
        proxy.set(fault)
        begun_s = time.monotonic()
        end.sendall(b"0123456789")
        assert end.recv(10) == b"0123456789"
        assert time.monotonic() - begun_s >= 0.4, "each way"


def test_what_is_swallowed_never_comes_and_its_connection_says_nothing_more(proxy, connect):
    end = connect()
    proxy.set(Swallowed())
    end.sendall(b"x")
    until(lambda: proxy._links[0].dead, "the byte to be swallowed")
    proxy.set(Whole())
    end.sendall(b"y")
    connect()
    end.settimeout(0.2)
    with pytest.raises(TimeoutError):
        end.recv(1)


def test_only_one_way_may_be_spoiled(proxy, connect):
    end = connect()
    proxy.set(Swallowed(towards=False))
    end.sendall(b"x")
    until(lambda: proxy._links[0].dead == {False}, "the echo to be swallowed")
