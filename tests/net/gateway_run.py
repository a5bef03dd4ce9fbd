"""A gateway in a thread: whoever imports this is its house, its verifiers and its bidders, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from house_clients import RawSession
from house_process import HOUSE_KEY, key_of, until

from auctionctl.house.limits import Limits
from auctionctl.net.child_words import HousePipe, Stop, VerifierPipe, encode
from auctionctl.net.chunks import Chunk, decode_chunk
from auctionctl.net.clock import Clock
from auctionctl.net.control import tell_child
from auctionctl.net.door import DEFAULT_LIMITS, DoorLimits
from auctionctl.net.gateway import Gateway
from auctionctl.net.gateway_orders import StartGateway
from auctionctl.net.hops import Admit, Counted, Known, Operation, Release, Serving, ToSession, decode_from_gateway
from auctionctl.net.pipes import Pipe, PipeClosedError
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.messages import Pong
from auctionctl.wire.messages import encode as encode_message

QUEUE = 5
MANY = Limits(queue=QUEUE, bids_per_s=10**6, bids_burst=10**6, all_bids_per_s=10**6)
"""Whoever tries the rates says so; here many bids come at once."""


class LeapingClock(Clock):
    """A clock that can be told to leap ahead."""

    __slots__ = ("ahead_ns",)

    def __init__(self) -> None:
        super().__init__()
        self.ahead_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.ahead_ns


class CountedGateway(Gateway):
    turns = 0

    def _sweep(self, now_ns: int) -> None:
        self.turns += 1
        super()._sweep(now_ns)


def chunks_from(verifier: Pipe) -> list[Chunk]:
    """What has come by this way to be checked; beats have not."""
    return [chunk for chunk in map(decode_chunk, verifier.receive()) if chunk.requests]


class Served:
    """A gateway in a thread, serving; ``house`` and ``verifiers`` are the other ends of its pipes."""

    def __init__(self, slots: int = 1, limits: Limits = MANY, door: DoorLimits = DEFAULT_LIMITS) -> None:
        self.stack = ExitStack()
        self.control, theirs = socket.socketpair()
        self.stack.enter_context(self.control)
        self.stack.enter_context(theirs)
        self.gateway = CountedGateway(theirs)
        self.clock = self.gateway._clock = LeapingClock()
        self.ended_with: list[BaseException | None] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        self.said: deque[Serving] = deque()
        self.chunks: deque[Chunk] = deque()
        self.verifiers: dict[int, Pipe] = {}
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.address = HouseAddress(HOUSE_KEY.identity, "127.0.0.1", listening.getsockname()[1])
            mine = HOUSE_KEY.identity
            secret = HOUSE_KEY.transport_secret
            start = StartGateway(self.address.endpoint, secret, mine.transport, mine.signing, 100, limits, door)
            tell_child(self.control, start, listening.fileno())
            for slot in range(slots):
                self.replace_verifier(slot)
            self.house = self._pair(HousePipe())
            self.release(Admit([key_of(name).identity.transport for name in ("ann", "ben", "mallory")]))
            until(lambda: self.hear(Serving), "the gateway to serve")

    def _run(self) -> None:
        try:
            self.gateway.run()
            self.ended_with.append(None)
        except PipeClosedError as error:
            self.ended_with.append(error)

    def _pair(self, message: HousePipe | VerifierPipe) -> Pipe:
        ours, theirs = socket.socketpair()
        self.stack.enter_context(ours)
        with theirs:
            tell_child(self.control, message, theirs.fileno())
        return Pipe(ours)

    def replace_verifier(self, slot: int) -> None:
        self.verifiers[slot] = self._pair(VerifierPipe(slot))

    def release(self, *operations: Operation, answered: tuple[int, ...] = ()) -> None:
        self.house.send(encode(Release(list(answered), list(operations))))

    def hear(self, kind: type) -> Serving | None:
        """The next of this kind that it has told its house."""
        messages = map(decode_from_gateway, self.house.receive())
        self.said.extend(each for each in messages if not isinstance(each, Counted))
        return next((self.said.popleft() for _ in range(len(self.said)) if isinstance(self.said[0], kind)), None)

    def next_chunk(self, slot: int = 0) -> Chunk:
        def received() -> bool:
            self.chunks.extend(chunks_from(self.verifiers[slot]))
            return bool(self.chunks)

        until(received, "a chunk")
        return self.chunks.popleft()

    def next_end(self) -> int | None:
        """The next session that the house is told is over: an empty request, on the way of its hello."""
        for pipe in self.verifiers.values():
            self.chunks.extend(chunks_from(pipe))
        for chunk in self.chunks:
            for request in chunk.requests:
                if not request[2]:
                    self.chunks.remove(chunk)
                    return request[0]
        return None

    def close(self) -> None:
        if not self.ended_with:
            tell_child(self.control, Stop())
        self.thread.join(30)
        if not self.gateway._context.closed:
            self.gateway._context.destroy(linger=0)
        for pipe in (self.gateway._house, *self.gateway._verifiers.values()):
            if pipe is not None:
                pipe.close()
        self.stack.close()


@pytest.fixture
def serve(stack: ExitStack) -> Callable[..., Served]:
    def started(**options: Any) -> Served:
        served = Served(**options)
        stack.callback(served.close)
        return served

    return started


@pytest.fixture
def served(serve) -> Served:
    return serve()


@pytest.fixture
def connect(stack: ExitStack):
    def connected(served: Served, name: str = "ann", **options: bytes) -> RawSession:
        session = RawSession(name, served.address, **options)
        stack.callback(session.close)
        return session

    return connected


def know(served: Served, session: RawSession) -> int:
    """Say hello and be accepted; returns the session's number."""
    session.send(*session.hello())
    chunk = served.next_chunk()
    ((number, signer, _, _, transport),) = chunk.requests
    assert (signer, transport) == (session.key.identity.signing, session.key.identity.transport)
    welcome = ToSession(number, encode_message(Pong(0, 0)), b"")
    served.release(Known(number, signer, "bidder"), welcome, answered=(chunk.number,))
    assert session.receive() == Pong(0, 0)
    return number
