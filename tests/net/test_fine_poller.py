"""A wait for less than a millisecond ends when a message comes, and otherwise when it is over, without going round."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import zmq

from auctionctl.net.fine_poller import FinePoller

HALF_NS = 500_000
LONG_NS = 30 * 10**9


@pytest.fixture
def pair() -> Iterator[tuple[zmq.Socket[bytes], zmq.Socket[bytes], FinePoller]]:
    with zmq.Context() as context, context.socket(zmq.PAIR) as theirs, context.socket(zmq.PAIR) as ours:
        port = theirs.bind_to_random_port("tcp://127.0.0.1")
        ours.connect(f"tcp://127.0.0.1:{port}")
        theirs.send(b"hello")
        assert ours.recv() == b"hello"
        poller = FinePoller()
        poller.register(ours)
        yield theirs, ours, poller
        poller.close()


def test_a_short_wait_lasts_as_long_as_it_is_to_and_takes_no_processor_time(pair):
    _, _, poller = pair
    waits = 200
    began_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
    for _ in range(waits):
        assert poller.poll(HALF_NS) == []
    took_ns, cpu_ns = time.perf_counter_ns() - began_ns, time.thread_time_ns() - cpu_ns
    assert took_ns >= waits * HALF_NS
    assert cpu_ns < waits * HALF_NS // 2


def test_a_message_ends_a_long_wait(pair):
    theirs, ours, poller = pair
    theirs.send(b"1")
    began_ns = time.perf_counter_ns()
    assert poller.poll(LONG_NS) == [ours]
    assert time.perf_counter_ns() - began_ns < LONG_NS // 2


def test_a_message_that_came_unnoticed_during_a_send_is_found_by_a_short_wait(pair):
    theirs, ours, poller = pair
    for number in range(200):
        theirs.send(b"%d" % number)
        ours.send(b"at the same time")
        poller.sent(ours)
        theirs.recv()
        deadline_ns = time.perf_counter_ns() + LONG_NS
        while not (ready := poller.poll(HALF_NS)):
            assert time.perf_counter_ns() < deadline_ns
        assert ready == [ours]
        assert ours.recv(zmq.NOBLOCK) == b"%d" % number
        assert poller.poll(0) == [], "what was read is not there any more"


def test_a_wait_that_something_else_than_a_message_interrupts_goes_on():
    with zmq.Context() as context, context.socket(zmq.PAIR) as theirs, context.socket(zmq.PAIR) as ours:
        theirs.setsockopt(zmq.RCVHWM, 1)
        theirs.bind("inproc://theirs")
        ours.setsockopt(zmq.SNDHWM, 1)
        ours.connect("inproc://theirs")
        with closing(FinePoller()) as poller:
            poller.register(ours)
            ours.send(b"1")
            poller.sent(ours)
            assert poller.poll(0) == []
            theirs.recv()
            assert select.select([ours], [], [], 0)[0] == [ours], "it has learned that there is room again"
            began_ns = time.perf_counter_ns()
            assert poller.poll(20 * HALF_NS) == []
            assert time.perf_counter_ns() - began_ns >= 20 * HALF_NS
