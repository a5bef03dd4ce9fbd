"""A wire that can be spoiled: a TCP proxy on loopback, between whoever connects to it and one port.

A fault holds from when it is set until the next one is; a connection through which something was swallowed is dead for
ever, as one whose peer vanished without a word. Nothing here knows what passes.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field

PIECE_BYTES = 16_384
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""


@dataclass(frozen=True, slots=True)
class Whole:
    """No fault: everything passes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Every connection is reset, and every new one too."""


@dataclass(frozen=True, slots=True)
class Delayed:
    """Everything comes so much later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Throttled:
    """No more passes, each way of each connection."""

    bytes_a_second: float


@dataclass(frozen=True, slots=True)
class Swallowed:
    """Everything is taken and nothing comes out: towards the house, back from it, or both. Nobody is told."""

    towards: bool = True
    back: bool = True


Fault = Whole | Cut | Delayed | Throttled | Swallowed


@dataclass(slots=True)
class Link:
    """One connection: both of its ends."""

    near: socket.socket
    far: socket.socket
    dead: set[bool] = field(default_factory=set)
    """Whether the way towards the house (True), or the one back, has lost something."""

    def reset(self) -> None:
        self.dead |= {True, False}
        for end in (self.near, self.far):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            with suppress(OSError):
                end.shutdown(socket.SHUT_RD)  # Wakes whoever waits on it, and is not heard at the other end.
            end.close()


class TcpProxy:
    """Listens on :attr:`port` of 127.0.0.1 for as long as it is open."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._fault: Fault = Whole()
        self._links: list[Link] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._is_closed = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def set(self, fault: Fault) -> None:
        """From now on it is like this."""
        with self._changed:
            self._fault = fault
            self._changed.notify_all()
            if isinstance(fault, Cut):
                for link in self._links:
                    link.reset()
                self._links.clear()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._is_closed = True
        self.set(Cut())
        for thread in self._threads:
            thread.join(30)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                is_cut = isinstance(self._fault, Cut)
            try:
                far = socket.create_connection(("127.0.0.1", self._target_port)) if not is_cut else near
            except ConnectionRefusedError:
                far = near
            link = Link(near, far)
            with self._lock:
                if far is near or isinstance(self._fault, Cut):
                    link.reset()
                    continue
                self._links.append(link)
            for is_towards in (True, False):
                self._threads.append(threading.Thread(target=self._pump, args=(link, is_towards)))
                self._threads[-1].start()

    def _pump(self, link: Link, is_towards: bool) -> None:
        source, sink = (link.near, link.far) if is_towards else (link.far, link.near)
        with suppress(OSError):
            while data := source.recv(PIECE_BYTES):
                if self._passes(link, is_towards, data):
                    sink.sendall(data)
            if not link.dead:
                sink.shutdown(socket.SHUT_WR)

    def _passes(self, link: Link, is_towards: bool, data: bytes) -> bool:
        """Wait as long as the fault of the moment has these bytes wait; False if they never come."""
        with self._changed:
            match self._fault:
                case Swallowed(towards, back) if towards if is_towards else back:
                    link.dead.add(is_towards)
                case Delayed(seconds):
                    self._changed.wait_for(lambda: self._is_closed, seconds)
                case Throttled(bytes_a_second):
                    self._changed.wait_for(lambda: self._is_closed, len(data) / bytes_a_second)
                case _:
                    pass
            return is_towards not in link.dead
