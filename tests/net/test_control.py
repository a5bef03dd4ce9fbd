"""Messages and descriptors between the supervisor and its children."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import ExitStack

import pytest

from auctionctl.net.child_words import Stop, VerifierPipe
from auctionctl.net.control import hear_supervisor, receive_control, send_control, tell_child
from auctionctl.net.house_words import decode_to_house
from auctionctl.net.pipes import PipeClosedError


@pytest.fixture
def ends(stack: ExitStack):
    first, second = socket.socketpair()
    return stack.enter_context(first), stack.enter_context(second)


def test_a_descriptor_comes_with_its_own_message(ends):
    supervisor, child = ends
    first, second = os.pipe()
    try:
        tell_child(supervisor, VerifierPipe(3), second)
        tell_child(supervisor, Stop())
        message, descriptors = hear_supervisor(child, decode_to_house)
        assert message == VerifierPipe(3)
        (descriptor,) = descriptors
        assert descriptor not in (first, second)
        os.write(descriptor, b"the same pipe")
        os.close(descriptor)
        assert os.read(first, 100) == b"the same pipe"
        assert hear_supervisor(child, decode_to_house) == (Stop(), [])
    finally:
        os.close(first)
        os.close(second)


def test_a_message_in_pieces_arrives_whole(ends):
    supervisor, child = ends
    stream = len(b"message").to_bytes(4, "big") + b"message"
    heard: list[tuple[bytes, list[int]]] = []
    for cut in range(1, len(stream)):
        supervisor.sendall(stream[:cut])
        listener = threading.Thread(target=lambda: heard.append(receive_control(child)))
        listener.start()
        supervisor.sendall(stream[cut:])
        listener.join(30)
    assert heard == [(b"message", [])] * (len(stream) - 1)


@pytest.mark.parametrize("cut", [0, 1, 4, 6])
def test_the_end_of_the_stream_is_the_end_wherever_it_comes(ends, cut):
    supervisor, child = ends
    supervisor.sendall((b"\0\0\0\7" + b"message")[:cut])
    supervisor.close()
    with pytest.raises(PipeClosedError, match="end of stream"):
        receive_control(child)


def test_telling_or_hearing_a_socket_that_is_gone_says_so(ends):
    supervisor, child = ends
    child.close()
    with pytest.raises(PipeClosedError):
        send_control(supervisor, b"message")
    supervisor.close()
    with pytest.raises(PipeClosedError):
        receive_control(supervisor)
