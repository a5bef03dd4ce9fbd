"""Which of the servers that an address names are there: take a connection, and greet whoever makes it.

Rule: nothing is said to them, and no login; and each address has some seconds to answer, once its name is resolved.
Source: https://docs.nats.io/reference/reference-protocols/nats-protocol (a server begins, with INFO).
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

PATIENCE_S: Final = 2.0
_GREETING: Final = b"INFO"


def find_silent(servers: Sequence[tuple[str, int]]) -> list[str]:
    """Those of ``servers``, (host, port), that do not greet as NATS does, in their order; in some 2 s for
    each address that a name stands for."""
    with ThreadPoolExecutor(len(servers)) as pool:
        greet = pool.map(lambda server: _greets(*server), servers)
        return [f"{host}:{port}" for (host, port), is_there in zip(servers, greet, strict=True) if not is_there]


def _greets(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), PATIENCE_S) as connection:
            return connection.recv(len(_GREETING)) == _GREETING
    except OSError:
        return False
