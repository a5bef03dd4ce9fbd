"""The port at which a house listens, opened before anything else is: what is wrong with it is found out first.

One gateway inherits a socket that listens already, and so does its successor, which answers whoever came meanwhile.
Several have a socket each on the same port (SO_REUSEPORT), among which the kernel spreads connections by their source.
Rule: such a socket listens from when its gateway serves, and is the gateway's alone: with a gateway that is killed it
is closed in the same moment, and whoever waited in its queue is refused, comes again within a tenth of a second, and is
given to a gateway that lives. So that the port is never free meanwhile, the house keeps a socket bound to it that does
not listen, and gets nobody; another house is refused the port by that one.

Why not one descriptor for all of them, which is portable: libzmq takes it (the descriptor must not block, or whoever
loses the race for a connection stands still in accept), but whoever happens to wake up first takes what there is: of 30
connections at once 30, 15 and 14 went to one of three gateways, of 64 to eight in turn 25 to one and none to another;
with a socket each it was 9, 11 and 10, whatever the order. Where the kernel does not spread them, as on macOS, one of
the gateways gets more than the others, and all promises hold.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from auctionctl.errors import ConfigurationError
from auctionctl.store.state_directory import locked

LISTEN_BACKLOG: Final = 1_024
BUFFER_BYTES: Final = 1 << 18
_OWN_ADDRESS: Final = "bind is a name or an address of this machine: 127.0.0.1, or 0.0.0.0 or [::] for all of them"
_BIND_HINTS: Final = {
    errno.EADDRNOTAVAIL: _OWN_ADDRESS,
    errno.EACCES: "ports below 1024 are for those who may: choose another one with --port",
}


class ListeningPort:
    """The port of a house on ``bind`` (a name or an address, IPv6 in brackets), for so many ``gateways``.

    ``state`` is the directory of the house's store. Raises StoreLockedError if it is this very house that has the port,
    ConfigurationError for all else.
    """

    def __init__(self, bind: str, port: int, state: Path, gateways: int = 1) -> None:
        if gateways > 1 and not hasattr(socket, "SO_REUSEPORT"):
            raise ConfigurationError("this system lets no port be shared", hint="serve with one gateway")
        self._socket = _bind(bind, port, state)
        self._is_shared = gateways > 1
        if not self._is_shared:
            self._socket.listen(LISTEN_BACKLOG)
            return
        # From here on it shares the port with those who ask to, but with nobody who binds it as a house does.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def number(self) -> int:
        """The port."""
        port: int = self._socket.getsockname()[1]
        return port

    @contextmanager
    def lent(self) -> Iterator[int]:
        """The descriptor for a gateway that starts, to be sent within the block."""
        if not self._is_shared:
            yield self._socket.fileno()
            return
        with socket.socket(self._socket.family, self._socket.type) as own:
            _set_up(own)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            own.bind(self._socket.getsockname())
            yield own.fileno()


def listen_on(descriptor: int) -> None:
    """A gateway serves: have the socket that it was lent listen, if that does not yet."""
    with socket.socket(fileno=os.dup(descriptor)) as listening:
        listening.listen(LISTEN_BACKLOG)


def _set_up(listening: socket.socket) -> None:
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Of each connection that is taken there, too: what the system would hold for whoever does not read, or floods.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)


def _bind(bind: str, port: int, state: Path) -> socket.socket:
    host = bind.strip("[]")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {bind}: {(error.strerror or str(error)).lower()}", hint=_OWN_ADDRESS
        ) from error
    try:
        _set_up(listening)
        listening.bind(address)
    except OSError as error:
        listening.close()
        if state.is_dir():
            # The likeliest holder of the port is this very house: then that is what is wrong, and StoreLockedError.
            with locked(state):
                pass
        raise ConfigurationError(
            f"cannot listen on {bind}:{port}: {(error.strerror or str(error)).lower()}",
            hint=_BIND_HINTS.get(error.errno or 0, "is another house running? choose another port with --port"),
        ) from error
    return listening
