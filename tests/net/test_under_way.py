"""What was taken is counted until it is answered, and goes to the verifier of its place, in order."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from auctionctl.net.chunks import decode_chunk
from auctionctl.net.pipes import Pipe
from auctionctl.net.under_way import CHUNK_REQUESTS, UnderWay


@pytest.fixture
def ends() -> Iterator[list[tuple[Pipe, Pipe]]]:
    pairs = [socket.socketpair() for _ in range(2)]
    yield [(Pipe(ours), Pipe(theirs)) for ours, theirs in pairs]
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def request(session: int, body: bytes = b"body") -> tuple[int, bytes, bytes, bytes, bytes]:
    return (session, b"", body, b"", b"")


def test_requests_go_by_place_in_chunks_and_are_settled_by_chunk(ends):
    under_way = UnderWay()
    under_way.next_chunk = 10
    verifiers = {3: ends[0][0], 5: ends[1][0]}
    for _ in range(CHUNK_REQUESTS + 1):
        under_way.put(1, request(7))
    under_way.put(0, request(8, b""))
    under_way.send(verifiers)
    (first,) = map(decode_chunk, ends[0][1].receive())
    second, third = map(decode_chunk, ends[1][1].receive())
    assert first.requests == [request(8, b"")]
    assert [second.requests, third.requests] == [[request(7)] * CHUNK_REQUESTS, [request(7)]]
    assert under_way.count == CHUNK_REQUESTS + 2
    assert under_way.held_by(3) == [(first.number, [8])]
    assert under_way.settle(second.number) == [7] * CHUNK_REQUESTS
    assert under_way.settle(second.number) == []
    assert under_way.count == 2
    under_way.send(verifiers)
    assert ends[0][1].receive() == []


def test_a_dead_verifier_keeps_what_it_was_sent_until_that_is_settled(ends):
    under_way = UnderWay()
    ends[0][1].close()
    under_way.put(0, request(7))
    under_way.send({0: ends[0][0]})
    assert under_way.held_by(0) == [(0, [])]
    assert under_way.count == 1
