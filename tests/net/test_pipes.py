"""Frames between the processes of a house arrive whole, in order, however the stream is cut."""

from __future__ import annotations

import itertools
import socket
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.net.pipes import MAX_FRAME_BYTES, READ_BYTES, READS_A_TURN, Pipe, PipeClosedError


@pytest.fixture
def ends(stack: ExitStack):
    """A pipe, and the bare socket at its other end."""
    first, second = socket.socketpair()
    stack.enter_context(first)
    stack.enter_context(second)
    return Pipe(first), second


def wire(frames: list[bytes]) -> bytes:
    return b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)


def test_a_frame_cut_anywhere_arrives_whole(ends):
    pipe, other = ends
    frames = [b"first", b"", b"third frame"]
    stream = wire(frames)
    for cut in range(len(stream) + 1):
        other.sendall(stream[:cut])
        received = pipe.receive()
        other.sendall(stream[cut:])
        assert received + pipe.receive() == frames


@given(frames=st.lists(st.binary(max_size=300), max_size=8), cuts=st.lists(st.integers(0, 2_500), max_size=8))
def test_what_is_sent_is_what_is_received_whatever_the_pieces(frames, cuts):
    first, second = socket.socketpair()
    with first, second:
        pipe = Pipe(first)
        stream = wire(frames)
        received = []
        places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
        for start, end in itertools.pairwise(places):
            second.sendall(stream[start:end])
            received += pipe.receive()
        assert received == frames


def test_nothing_there_is_no_frames_and_no_end(ends):
    pipe, _ = ends
    assert pipe.receive() == []
    assert pipe.fileno() >= 0


def test_frames_before_the_end_of_the_stream_are_delivered_first(ends):
    pipe, other = ends
    other.sendall(wire([b"last words"]))
    other.close()
    assert pipe.receive() == [b"last words"]
    with pytest.raises(PipeClosedError, match="end of stream"):
        pipe.receive()


def test_half_a_frame_at_the_end_of_the_stream_is_nothing(ends):
    pipe, other = ends
    other.sendall(wire([b"never whole"])[:-1])
    other.close()
    with pytest.raises(PipeClosedError):
        pipe.receive()


def test_what_does_not_fit_waits_and_arrives_whole(ends):
    pipe, other = ends
    frame = bytes(range(256)) * 16_384
    pipe.send(frame)
    pipe.send(b"after it")
    assert pipe.backlog_bytes > 0
    receiver, received = Pipe(other), []
    while len(received) < 2:
        received += receiver.receive()
        pipe.flush()
    assert received == [frame, b"after it"]
    assert pipe.backlog_bytes == 0


def test_one_turn_reads_a_bounded_amount(ends):
    pipe, other = ends
    sender = Pipe(other)
    sender.send(bytes(2 * READ_BYTES * READS_A_TURN))
    taken = 0
    while sender.backlog_bytes:
        left = sender.backlog_bytes
        assert pipe.receive() == []
        sender.flush()
        taken += 1
        assert left - sender.backlog_bytes <= READ_BYTES * READS_A_TURN
    assert taken >= 2


def test_sending_to_nobody_says_so(ends):
    pipe, other = ends
    other.close()
    with pytest.raises(PipeClosedError):
        pipe.send(b"is anybody there")


def test_a_closed_pipe_neither_sends_nor_receives(ends):
    pipe, _ = ends
    pipe.close()
    with pytest.raises(PipeClosedError):
        pipe.send(b"frame")
    with pytest.raises(PipeClosedError):
        pipe.receive()


def test_an_abandoned_pipe_is_at_its_end_for_both(ends):
    pipe, other = ends
    pipe.send(bytes(1 << 22))
    assert pipe.backlog_bytes
    pipe.abandon()
    assert pipe.backlog_bytes == 0
    with pytest.raises(PipeClosedError):
        pipe.receive()
    other.settimeout(30)
    while other.recv(1 << 20):
        pass


def test_a_length_that_no_sender_uses_ends_the_pair(ends):
    pipe, other = ends
    other.sendall((MAX_FRAME_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(PipeClosedError, match="a frame of"):
        pipe.receive()


def test_what_cannot_be_sent_any_more_takes_no_memory(ends):
    pipe, other = ends
    other.close()
    for _ in range(3):
        with pytest.raises(PipeClosedError):
            pipe.send(bytes(1_000))
    assert pipe.backlog_bytes == 0
