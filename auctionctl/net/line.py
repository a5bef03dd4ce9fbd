"""One socket of a client to one place of a house: what came, what waits to leave, and whether somebody is there.

libzmq reconnects by itself; its monitor says when. Rule: what was to leave over a connection that has ended is
forgotten, and what is left of an earlier connection is never taken for an answer over the next.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Final

import zmq

from auctionctl.errors import UnreachableError
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.frames import CURVE_BYTES, MAX_REPLY_BYTES, Message, check_frames

_EVENTS: Final = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_CONNECT_RETRIED
)


class LineEvent(Enum):
    """What has become of a line's connection."""

    UP = "up"
    DOWN = "down"
    UNREACHED = "unreached"
    """Nobody listens, or nobody's word gets through; libzmq goes on trying."""
    REFUSED = "refused"
    """The house does not know our key."""


_KINDS: Final = {
    int(zmq.EVENT_HANDSHAKE_SUCCEEDED): LineEvent.UP,
    int(zmq.EVENT_DISCONNECTED): LineEvent.DOWN,
    int(zmq.EVENT_CONNECT_RETRIED): LineEvent.UNREACHED,
    int(zmq.EVENT_HANDSHAKE_FAILED_AUTH): LineEvent.REFUSED,
}


_SAID: Final = struct.Struct("=Hi")
"""The first frame of what a monitor says: an event, and a value that is of no use here (zmq_socket_monitor(3)). pyzmq
reads it too, in a module that loads asyncio, which is a tenth of what a command costs."""


class Line:
    """A DEALER socket to the one place of ``address`` under the transport key of ``key``. Not for several threads."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: HouseAddress, key: SecretKey) -> None:
        """Raises UnreachableError for a place that cannot be one."""
        self.is_connected = False
        self.waiting: deque[Message] = deque()
        self.socket = context.socket(zmq.DEALER)
        configure(self.socket, address, key)
        self.monitor = self.socket.get_monitor_socket(_EVENTS)
        try:
            self.socket.connect(address.endpoint)
        except zmq.ZMQError as error:
            self.close(0)
            raise UnreachableError(
                f"nothing can be reached at {address.where}: {error.strerror.lower()}",
                hint="an address has the name of a host, an IPv4 address, or an IPv6 address in brackets",
            ) from error

    def close(self, linger_ms: int) -> None:
        """Free everything; what was sent has ``linger_ms`` to leave. A second time, nothing is left to do."""
        if self.socket.closed:
            return
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close(linger=linger_ms)

    def events(self) -> Iterator[LineEvent]:
        """What the monitor has to say, in order, as far as it has come."""
        while True:
            try:
                said, _ = self.monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            yield _KINDS[_SAID.unpack(said)[0]]

    def messages(self, limit: int) -> Iterator[Message]:
        """What has come, ``limit`` messages at most. Raises RemoteProtocolError for what is none."""
        for _ in range(limit):
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            yield check_frames(frames, MAX_REPLY_BYTES)

    def transmit(self) -> None:
        """Send what waits, as far as there is room; nothing leaves without a connection."""
        while self.waiting and self.is_connected:
            try:
                self.socket.send_multipart(self.waiting[0], zmq.NOBLOCK)
            except zmq.Again:
                return
            self.waiting.popleft()


def configure(dealer: zmq.Socket[bytes], address: HouseAddress, key: SecretKey) -> None:
    """The options of a client's socket: CURVE towards ``address.identity``, quick reconnection, bounded messages."""
    dealer.setsockopt(zmq.CURVE_SERVERKEY, address.identity.transport)
    dealer.setsockopt(zmq.CURVE_PUBLICKEY, key.identity.transport)
    dealer.setsockopt(zmq.CURVE_SECRETKEY, key.transport_secret)
    dealer.setsockopt(zmq.IMMEDIATE, 1)
    dealer.setsockopt(zmq.IPV6, int(":" in address.host))
    dealer.setsockopt(zmq.LINGER, 0)
    dealer.setsockopt(zmq.MAXMSGSIZE, MAX_REPLY_BYTES + CURVE_BYTES)
    dealer.setsockopt(zmq.RECONNECT_IVL, 100)
    dealer.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
    dealer.setsockopt(zmq.HANDSHAKE_IVL, 2_000)
    dealer.setsockopt(zmq.HEARTBEAT_IVL, 5_000)
    dealer.setsockopt(zmq.HEARTBEAT_TTL, 15_000)
    dealer.setsockopt(zmq.HEARTBEAT_TIMEOUT, 15_000)
