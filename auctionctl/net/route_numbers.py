"""Whether a peer took a routing id that libzmq has not given out yet: if so, it will end this process.

A ROUTER numbers its peers one after the other, and aborts when the next number is taken. A peer may choose its own id,
and an id of that shape cannot be told from a given one by itself. But given ones are behind the counter, always: so
after the first message of a peer we connect to our own socket, in this process, and are given the next number. Whoever
has one ahead of it has chosen it. Whoever has the very next one ends this process by that, which is why the supervisor
is told beforehand whom this is about (:mod:`auctionctl.net.bans`).
"""

from __future__ import annotations

from typing import Final

import zmq

ENDPOINT: Final = "inproc://auctionctl.route_numbers"
_ROUTE: Final = 5
"""Bytes of a given id: a zero, and a number of 32 bits, which begins anywhere and wraps around."""


def is_ahead(route: bytes, given: bytes) -> bool:
    """Whether ``route`` will be given out after ``given``, or is that: none that was given before is."""
    if len(route) != _ROUTE or route[0]:
        return False  # Of another shape: in nobody's way.
    return (int.from_bytes(route[1:]) - int.from_bytes(given[1:])) % (1 << 32) < 1 << 31


class RouteNumbers:
    """Asks for the next number of ``router``, which has to be bound to ENDPOINT too."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self._context = context
        self._asking: dict[int, zmq.Socket[bytes]] = {}

    def ask(self, session: int) -> None:
        """The answer comes out of the ROUTER, as a message from nobody, with ``session`` in it."""
        asking = self._context.socket(zmq.DEALER)
        asking.setsockopt(zmq.LINGER, 0)
        asking.connect(ENDPOINT)
        asking.send(session.to_bytes(8), zmq.NOBLOCK)
        self._asking[session] = asking

    def answered(self, body: bytes) -> int:
        """Which session an answer is about, from its body."""
        session = int.from_bytes(body)
        self._asking.pop(session).close()
        return session
