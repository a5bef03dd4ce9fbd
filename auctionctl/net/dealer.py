"""One encrypted connection of one pure core to one house (DESIGN.md sections 5 and 8).

The core is a :class:`~auctionctl.replica.follower.Follower` or an :class:`~auctionctl.bidding.agent.Agent`; the shell
has three moves: hand in what came, drain what the core wants sent, and sleep until its next timer. libzmq reconnects
by itself; its monitor says when, and each new connection is greeted anew.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from secrets import token_bytes
from typing import Any, Final, Protocol

import zmq
from zmq.utils.monitor import parse_monitor_message

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import NotAuthorisedError, UnreachableError
from auctionctl.keys.signing import SecretKey
from auctionctl.net.clock import Clock
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.frames import CURVE_BYTES, MAX_REPLY_BYTES, Message, check_frames

NONCE_BYTES: Final = 16
MESSAGES_A_TURN: Final = 256
BYE_LINGER_MS: Final = 200
_EVENTS: Final = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_AUTH


class Core(Protocol):
    """What a shell drives. Times are nanoseconds since the Unix epoch on this machine's clock."""

    @property
    def is_welcome(self) -> bool: ...
    def connected(self, nonce: bytes, now_ns: int) -> None: ...
    def disconnected(self) -> None: ...
    def needs_hello(self, now_ns: int) -> bool: ...
    def receive(self, message: Message, now_ns: int) -> Sequence[Any]: ...
    def take_notices(self) -> Sequence[Any]: ...
    def take_outgoing(self) -> list[Message]: ...
    def get_timer(self) -> int | None: ...
    def handle_timer(self, now_ns: int) -> None: ...
    def say_bye(self) -> None: ...


class Beside(Protocol):
    """What a dealer waits for together with its house: another process, or somebody at a terminal."""

    def descriptors(self) -> Sequence[int]:
        """Where something to read ends the waiting; they may be others each time."""
        ...

    def turn(self) -> None:
        """Do what is due, without waiting. Called before and after each waiting."""
        ...


class Dealer:
    """A DEALER socket to ``address`` under the transport key of ``key``. Not for several threads."""

    def __init__(self, core: Core, address: HouseAddress, key: SecretKey) -> None:
        self._core = core
        self._address = address
        self._clock = Clock()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._waiting: deque[Message] = deque()
        self._is_connected = False
        self._before_send: Callable[[], None] | None = None
        self._beside: Beside | None = None
        self._watched: tuple[int, ...] = ()
        configure(self._socket, address, key)
        self._monitor = self._socket.get_monitor_socket(_EVENTS)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        try:
            self._socket.connect(address.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise UnreachableError(
                f"nothing can be reached at {address.where}: {error.strerror.lower()}",
                hint="an address has the name of a host, an IPv4 address, or an IPv6 address in brackets",
            ) from error

    def run(
        self,
        on_notice: Callable[[Any], None],
        is_done: Callable[[], bool],
        *,
        patience_s: float = 5.0,
        tick_s: float = 0.25,
        on_tick: Callable[[], None] | None = None,
        before_send: Callable[[], None] | None = None,
        beside: Beside | None = None,
    ) -> None:
        """Drive the core until ``is_done()``; ``on_tick`` is called at least every ``tick_s`` seconds.

        ``before_send`` is called when the core has something to send, after all notices of it, and before it leaves; if
        that raises, it does not leave. ``beside`` gets its turns, which may give the core a timer that is due.

        Raises UnreachableError if no house has welcomed us within ``patience_s`` of the start; NotAuthorisedError if
        it refuses our key; and what the core raises. Later losses of the connection are mended without a word.
        """
        deadline_s: float | None = time.monotonic() + patience_s
        self._before_send = before_send
        self._beside = beside
        while not is_done():
            self._step(tick_s, on_notice)
            if on_tick is not None:
                on_tick()
            deadline_s = self._check_patience(deadline_s, patience_s)

    def close(self) -> None:
        """Say goodbye if anybody listens, and free everything; a second time, nothing is left to do."""
        if self._socket.closed:
            return
        if self._is_connected:
            # What waits may be a bid that whoever keeps bids could not be told of, or is for a house that was caught.
            self._waiting.clear()
            self._core.take_outgoing()
            self._before_send = None
            self._core.say_bye()
            self._transmit()
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
        self._socket.close(linger=BYE_LINGER_MS)
        self._context.term()

    def _check_patience(self, deadline_s: float | None, patience_s: float) -> float | None:
        """Until when the first welcome is waited for; None once it came. Raises UnreachableError."""
        if self._core.is_welcome:
            return None
        if deadline_s is not None and time.monotonic() > deadline_s:
            raise UnreachableError(
                f"no house answered at {self._address.where} within {patience_s:g} s",
                hint="is it running, and is this its address? `auctionctl serve` prints it",
            )
        return deadline_s

    # The three moves

    def _step(self, tick_s: float, on_notice: Callable[[Any], None]) -> None:
        self._transmit()
        self._turn_beside()
        ready = dict(self._poller.poll(self._timeout_ms(tick_s)))
        if self._monitor in ready:
            self._heed_monitor(on_notice)
        if self._socket in ready:
            self._feed(on_notice)
        self._turn_beside()
        now_ns = self._clock.now_ns()
        timer_ns = self._core.get_timer()
        if timer_ns is not None and timer_ns <= now_ns:
            if self._core.needs_hello(now_ns):
                self._greet(now_ns)
            self._core.handle_timer(now_ns)
            # Before anything is sent: whoever keeps bids has to know of one before the house does.
            for notice in self._core.take_notices():
                on_notice(notice)
        self._transmit()

    def _turn_beside(self) -> None:
        if self._beside is None:
            return
        self._beside.turn()
        watched = tuple(self._beside.descriptors())
        if watched != self._watched:
            for descriptor in self._watched:
                self._poller.unregister(descriptor)
            for descriptor in watched:
                self._poller.register(descriptor, zmq.POLLIN)
            self._watched = watched

    def _timeout_ms(self, tick_s: float) -> int:
        timer_ns = self._core.get_timer()
        if timer_ns is None:
            return int(tick_s * 1_000)
        wait_ms = -(-(timer_ns - self._clock.now_ns()) * 1_000 // SECOND_NS)
        return max(0, min(int(tick_s * 1_000), wait_ms))

    def _feed(self, on_notice: Callable[[Any], None]) -> bool:
        """Hand in what has come; whether there may be more. Nothing is sent meanwhile: notices go before messages."""
        for _ in range(MESSAGES_A_TURN):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return False
            message = check_frames(frames, MAX_REPLY_BYTES)
            for notice in self._core.receive(message, self._clock.now_ns()):
                on_notice(notice)
        return True

    def _transmit(self) -> None:
        outgoing = self._core.take_outgoing()
        if outgoing and self._before_send is not None:
            self._before_send()
        self._waiting.extend(outgoing)
        while self._waiting and self._is_connected:
            try:
                self._socket.send_multipart(self._waiting[0], zmq.NOBLOCK)
            except zmq.Again:
                return
            self._waiting.popleft()

    def _greet(self, now_ns: int) -> None:
        self._waiting.clear()
        self._core.connected(token_bytes(NONCE_BYTES), now_ns)

    def _heed_monitor(self, on_notice: Callable[[Any], None]) -> None:
        while True:
            try:
                event = parse_monitor_message(self._monitor.recv_multipart(zmq.NOBLOCK))["event"]
            except zmq.Again:
                return
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._is_connected = True
                # What is left of an earlier connection must not be taken for an answer over this one.
                while self._feed(on_notice):
                    pass
                self._greet(self._clock.now_ns())
            elif event == zmq.EVENT_DISCONNECTED:
                self._is_connected = False
                self._waiting.clear()
                self._core.disconnected()
            else:
                raise NotAuthorisedError(
                    f"the house at {self._address.host}:{self._address.port} does not know this key",
                    hint="its operator admits it with: auctionctl allow add KEY NAME",
                )


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
