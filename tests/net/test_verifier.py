"""The verifier: what is well signed goes on to the house, what is not is named, and nothing overtakes anything."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from house_process import key_of, until

from auctionctl.auction.command_id import command_id
from auctionctl.net.child_words import GatewayPipe, HousePipe, Stop, encode
from auctionctl.net.chunks import SESSIONS_A_GATEWAY, Checked, Chunk, RequestTuple
from auctionctl.net.control import tell_child
from auctionctl.net.house_words import decode_checked
from auctionctl.net.pipes import Pipe, PipeClosedError
from auctionctl.net.verifier import BACKLOG_LIMIT_BYTES, Verifier, check_chunk
from auctionctl.wire.frames import sign_body

ANN, BEN = key_of("ann"), key_of("ben")


def request_of(session: int, text: bytes, signer: bytes = b"") -> RequestTuple:
    body, signature = sign_body(ANN, b"\x92\xa3bid" + text)
    return (session, signer or ANN.identity.signing, body, signature, b"")


def test_what_is_signed_by_whom_the_gateway_says_passes_and_the_rest_is_named():
    good = request_of(1, b"good")
    session, signer, body, signature, _ = request_of(2, b"changed")
    changed = (session, signer, body + b"!", signature, b"")
    of_ben = request_of(3, b"of another", BEN.identity.signing)
    other_domain = (4, signer, b"\x92\xa4join" + body[5:], signature, b"")
    unsigned = (5, signer, body, b"", b"")
    no_key = (6, b"short", body, signature, b"")
    needs_none = (7, b"", b"a list", b"", b"")
    chunk = Chunk(9, [good, changed, of_ben, other_domain, unsigned, no_key, needs_none], received_ns=7)
    began_ns = time.monotonic_ns()
    checked = decode_checked(check_chunk(encode(chunk)))
    assert began_ns <= checked.checked_ns <= time.monotonic_ns()
    assert checked == Checked(
        9,
        [good, needs_none],
        [(item[0], command_id(item[2])) for item in (changed, of_ben, other_domain, unsigned, no_key)],
        7,
        checked.checked_ns,
    )


def test_a_beat_comes_back_with_how_the_verifier_is() -> None:
    checked = decode_checked(check_chunk(encode(Chunk(3, []))))
    assert checked.state is not None
    assert checked.state.pid == os.getpid()


class Run:
    """A verifier in a thread; ``house`` and ``gateway`` are the other ends of its pipes."""

    def __init__(self) -> None:
        self.control, self._theirs = socket.socketpair()
        self.verifier = Verifier(self._theirs)
        self.ended_with: list[BaseException | None] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        self.ends: list[socket.socket] = []
        self.house = self.pair(HousePipe())
        self.gateway = self.pair(GatewayPipe())

    def _run(self) -> None:
        try:
            self.verifier.run()
            self.ended_with.append(None)
        except PipeClosedError as error:
            self.ended_with.append(error)

    def pair(self, message: HousePipe | GatewayPipe) -> Pipe:
        ours, theirs = socket.socketpair()
        self.ends.append(ours)
        with theirs:
            tell_child(self.control, message, theirs.fileno())
        return Pipe(ours)

    def next_checked(self) -> list[Checked]:
        return until(lambda: [decode_checked(frame) for frame in self.house.receive()], "a checked chunk")

    def close(self) -> None:
        if not self.ended_with:
            tell_child(self.control, Stop())
        self.thread.join(30)
        for pipe in (self.verifier._house, *(gateway.pipe for gateway in self.verifier._gateways.values())):
            if pipe is not None:
                pipe.close()
        for end in (self.control, self._theirs, *self.ends):
            end.close()


@pytest.fixture
def run() -> Iterator[Run]:
    running = Run()
    yield running
    running.close()


def test_chunks_come_out_in_the_order_in_which_they_went_in(run):
    for number in range(50):
        run.gateway.send(encode(Chunk(number, [request_of(number, b"bid")])))
    received: list[Checked] = []
    while len(received) < 50:
        received += run.next_checked()
    assert [checked.number for checked in received] == list(range(50))


def test_what_is_checked_goes_on_before_what_came_with_it_is_looked_at(run):
    frames = [encode(Chunk(number, [request_of(7, b"bid")])) for number in (1, SESSIONS_A_GATEWAY)]
    # In one piece, so that both are read at once; the second is none of this gateway's.
    run.gateway._socket.sendall(b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames))
    assert [checked.number for checked in run.next_checked()] == [1]
    with pytest.raises(PipeClosedError):
        until(run.gateway.receive, "the end of its pair")


def test_another_gateway_is_served_in_place_of_the_one_before_dead_or_alive(run):
    for number in range(3):
        run.gateway.send(encode(Chunk(number, [])))
        assert run.next_checked()[0].number == number
        if number == 0:
            run.gateway._socket.close()
        old, run.gateway = run.gateway, run.pair(GatewayPipe())
        if number:
            with pytest.raises(PipeClosedError):
                until(lambda pipe=old: pipe.receive(), "the end of the old pair")


def test_several_gateways_are_served_and_none_speaks_for_another(run):
    second = run.pair(GatewayPipe(SESSIONS_A_GATEWAY, "gateway 1"))
    for gateway, number in ((run.gateway, 1), (second, SESSIONS_A_GATEWAY + 1), (run.gateway, 2)):
        gateway.send(encode(Chunk(number, [request_of(number, b"bid")])))
        assert [checked.number for checked in run.next_checked()] == [number]
    second.send(encode(Chunk(3, [request_of(3, b"bid")])))
    with pytest.raises(PipeClosedError):
        until(second.receive, "the end of its pair")
    run.gateway.send(encode(Chunk(4, [request_of(4, b"bid")])))
    assert [checked.number for checked in run.next_checked()] == [4]


def test_while_the_house_is_behind_no_more_is_taken_from_the_gateway_and_nothing_is_lost(run):
    request = (1, b"", bytes(1 << 20), b"", b"")
    count = 3 * BACKLOG_LIMIT_BYTES // (1 << 20)
    for number in range(count):
        run.gateway.send(encode(Chunk(number, [request])))

    def is_behind() -> bool:
        run.gateway.flush()
        house = run.verifier._house
        return house is not None and house.backlog_bytes > BACKLOG_LIMIT_BYTES

    until(is_behind, "a backlog")
    assert run.gateway.backlog_bytes > 0
    assert run.verifier._house.backlog_bytes < 3 * BACKLOG_LIMIT_BYTES
    received: list[Checked] = []

    def everything() -> bool:
        run.gateway.flush()
        received.extend(decode_checked(frame) for frame in run.house.receive())
        return len(received) == count

    until(everything, "every chunk", lambda: None)
    assert [checked.number for checked in received] == list(range(count))


def test_a_backlog_that_goes_at_one_stroke_lets_the_gateway_in_again(run, monkeypatch):
    monkeypatch.setattr("auctionctl.net.verifier.BACKLOG_LIMIT_BYTES", 1)
    request = (1, b"", bytes(20_000), b"", b"")
    numbers = itertools.count()

    def is_behind() -> bool:
        run.gateway.send(encode(Chunk(next(numbers), [request])))
        return bool(run.verifier._house and run.verifier._house.backlog_bytes)

    # What is left over fits into the socket as soon as that has been emptied once.
    until(is_behind, "a backlog")
    last = next(numbers)
    run.gateway.send(encode(Chunk(last, [])))
    received: list[Checked] = []
    while not received or received[-1].number != last:
        received += run.next_checked()
    assert [checked.number for checked in received] == list(range(last + 1))


@pytest.mark.parametrize("gone", ["house", "control"])
def test_without_its_house_or_supervisor_it_ends(run, gone):
    {"house": run.house._socket, "control": run.control}[gone].close()
    run.thread.join(30)
    assert isinstance(run.ended_with[0], PipeClosedError)


def test_it_ends_when_it_is_told_to(run):
    tell_child(run.control, Stop())
    run.thread.join(30)
    assert run.ended_with == [None]
