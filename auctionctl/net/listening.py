"""The socket at which a house listens, opened before anything else is: what is wrong with it is found out first."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import Final

from auctionctl.errors import ConfigurationError
from auctionctl.store.state_directory import locked

LISTEN_BACKLOG: Final = 1_024
BUFFER_BYTES: Final = 1 << 18
_OWN_ADDRESS: Final = "bind is a name or an address of this machine: 127.0.0.1, or 0.0.0.0 or [::] for all of them"
_BIND_HINTS: Final = {
    errno.EADDRNOTAVAIL: _OWN_ADDRESS,
    errno.EACCES: "ports below 1024 are for those who may: choose another one with --port",
}


def listen(bind: str, port: int, state: Path) -> socket.socket:
    """Listen on ``bind`` (a name or an address, IPv6 in brackets); ``state`` is the directory of the house's store.

    Raises StoreLockedError if it is this very house that has the port, ConfigurationError for all else.
    """
    host = bind.strip("[]")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {bind}: {(error.strerror or str(error)).lower()}", hint=_OWN_ADDRESS
        ) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Of each connection that is taken there, too: what the system would hold for whoever does not read, or floods.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        listening.bind(address)
        listening.listen(LISTEN_BACKLOG)
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
