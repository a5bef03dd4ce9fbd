"""Many real sessions in one process that follow one auction, for the benchmark of the feed.

Rule: a watcher has received an entry when the message that holds it has been read from its socket; what it says is
kept, and looked at after the clock has stopped.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Sequence
from secrets import token_bytes
from typing import Final

import zmq

from auctionctl.errors import AuctionctlError, UnreachableError
from auctionctl.keys.signing import SecretKey
from auctionctl.net.clock import Clock
from auctionctl.net.dealer import configure
from auctionctl.net.load import PING, PING_NS
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Entries, Refused, Subscribe, Welcome, decode_reply, encode
from auctionctl.wire.session import ClientGreeting

AT_ONCE: Final = 50
"""So many connect at a time: a house is wary of a rush of handshakes."""
PATIENCE_S: Final = 60.0
LOOK_S: Final = 0.02
FEED: Final = encode(Entries(bytes(32), 0, (), b""))[1:9]
"""How a message of the feed begins: its type."""
_NOBLOCK: Final = int(zmq.NOBLOCK)


class Watchers:
    """One session for each of ``keys``, at the house at ``address``."""

    def __init__(self, address: HouseAddress, keys: Sequence[SecretKey]) -> None:
        self._address = address
        self._keys = keys
        self._clock = Clock()
        self._context = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, 65_536)
        self._poller = zmq.Poller()
        self._sockets: list[zmq.Socket[bytes]] = []
        self._by_descriptor: dict[int, zmq.Socket[bytes]] = {}
        self._pinged_ns = 0
        self.feed: set[bytes] = set()
        """Every message of the feed that came, once."""

    def close(self) -> None:
        """End every session."""
        for its_socket in self._sockets:
            its_socket.close(linger=0)
        self._context.term()

    def follow(self, auction: bytes, progress: Callable[[int, int], None]) -> None:
        """Connect and subscribe all; UnreachableError or AuctionctlError if the house does not let them."""
        subscribe = Message(encode(Subscribe((auction,))))
        for start in range(0, len(self._keys), AT_ONCE):
            progress(start, len(self._keys))
            some = self._keys[start : start + AT_ONCE]
            for key in some:
                its_socket = self._context.socket(zmq.DEALER)
                configure(its_socket, self._address, key)
                its_socket.setsockopt(zmq.IMMEDIATE, 0)
                its_socket.connect(self._address.endpoint)
                self._sockets.append(its_socket)
                self._by_descriptor[int(its_socket.fileno())] = its_socket
                self._poller.register(its_socket, zmq.POLLIN)
                hello = ClientGreeting(key, self._address.identity, "bidder").hello(
                    token_bytes(16), self._clock.now_ns()
                )
                its_socket.send_multipart(hello)
            self._await_welcomes(len(some))
            self.keep()
            for its_socket in self._sockets[start:]:
                its_socket.send_multipart(subscribe)

    def keep(self) -> None:
        """Have every session say something, if it is time, lest it be taken for dead."""
        now_ns = time.perf_counter_ns()
        if now_ns - self._pinged_ns < PING_NS:
            return
        self._pinged_ns = now_ns
        for its_socket in self._sockets:
            its_socket.send_multipart((PING, b""))

    def _await_welcomes(self, wanted: int) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while wanted:
            for its_socket, _ in self._poller.poll(1_000):
                reply = decode_reply(its_socket.recv_multipart()[0])
                if isinstance(reply, Refused):
                    raise AuctionctlError(f"the house refused a watcher: {reply.message}")
                wanted -= isinstance(reply, Welcome)
            if time.monotonic() > deadline_s:
                raise UnreachableError(f"{wanted} watchers got no answer from {self._address.endpoint}")

    def await_feed(self, patience_s: float) -> list[int]:
        """Until each watcher has received something more of the feed: when it did, in order of coming.

        Nanoseconds of ``perf_counter_ns``; fewer than there are watchers, if patience has run out.
        """
        waiting = set(self._by_descriptor)
        arrivals: list[int] = []
        deadline_s = time.monotonic() + patience_s
        # A poll of libzmq looks at every socket each time, which would be most of what is timed.
        with selectors.DefaultSelector() as selector:
            for descriptor in waiting:
                selector.register(descriptor, selectors.EVENT_READ)
            while waiting and time.monotonic() < deadline_s:
                ready = [key.fd for key, _ in selector.select(LOOK_S)]
                # Such a descriptor says only that something has changed; now and then all are looked at.
                for descriptor in ready or sorted(waiting):
                    if self._hear(descriptor) and descriptor in waiting:
                        waiting.remove(descriptor)
                        arrivals.append(time.perf_counter_ns())
        return arrivals

    def _hear(self, descriptor: int) -> bool:
        """Read what has come to one watcher; whether any of it is of the feed."""
        heard = [body for body in _drain(self._by_descriptor[descriptor]) if body[1:9] == FEED]
        self.feed.update(heard)
        return bool(heard)


def _drain(its_socket: zmq.Socket[bytes]) -> list[bytes]:
    bodies: list[bytes] = []
    while True:
        try:
            bodies.append(its_socket.recv_multipart(_NOBLOCK)[0])
        except zmq.Again:
            return bodies
