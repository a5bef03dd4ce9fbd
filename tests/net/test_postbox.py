"""Words for a child that does not read wait, and arrive whole, in order, each with its own descriptors."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import ExitStack

import pytest

from auctionctl.net.control import receive_control
from auctionctl.net.postbox import Postbox


@pytest.fixture
def ends(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    first, second = socket.socketpair()
    return stack.enter_context(first), stack.enter_context(second)


def test_a_short_word_leaves_at_once_and_its_descriptor_with_it(ends):
    supervisor, child = ends
    postbox = Postbox(supervisor)
    first, second = os.pipe()
    postbox.put(b"here", (second,))
    os.close(second)
    postbox.put(b"and there")
    assert postbox.backlog_bytes == 0
    message, (descriptor,) = receive_control(child)
    assert message == b"here"
    os.write(descriptor, b"the same pipe")
    assert os.read(first, 100) == b"the same pipe"
    assert receive_control(child) == (b"and there", [])
    os.close(descriptor)
    os.close(first)


def test_nobody_waits_for_a_child_that_does_not_read_and_it_gets_everything_later(ends):
    supervisor, child = ends
    postbox = Postbox(supervisor)
    first, second = os.pipe()
    words = [bytes([number]) * 200_000 for number in range(8)]
    for number, word in enumerate(words):
        postbox.put(word, (second,) if number % 3 == 2 else ())
    os.close(second)
    assert postbox.backlog_bytes > 1_000_000
    heard: list[tuple[bytes, list[int]]] = []
    listener = threading.Thread(target=lambda: heard.extend(receive_control(child) for _ in words))
    listener.start()
    while listener.is_alive():
        postbox.flush()
        listener.join(0.001)
    assert [word for word, _ in heard] == words
    assert [len(descriptors) for _, descriptors in heard] == [0, 0, 1, 0, 0, 1, 0, 0]
    assert postbox.backlog_bytes == 0
    for _, descriptors in heard:
        for each in descriptors:
            os.write(each, b"x")
            os.close(each)
    assert os.read(first, 10) == b"xx"
    assert os.read(first, 10) == b"", "nobody else has the other end any more"
    os.close(first)


def test_what_waits_for_a_dead_child_is_lost_and_keeps_no_descriptor(ends):
    supervisor, child = ends
    postbox = Postbox(supervisor)
    first, second = os.pipe()
    postbox.put(bytes(1_000_000))
    postbox.put(b"with a descriptor", (second,))
    os.close(second)
    child.close()
    with pytest.raises(OSError, match=r"Broken pipe|Connection reset"):
        postbox.flush()
    assert postbox.backlog_bytes == 0
    assert os.read(first, 10) == b""
    os.close(first)
