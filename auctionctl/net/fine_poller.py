"""Waiting for ZeroMQ sockets for less than a millisecond, without going round and round meanwhile.

zmq_poll knows whole milliseconds only. But every socket has a descriptor that becomes readable when there is something
to look after, and select(2) waits for microseconds. Rule: the sockets are asked before the wait and after it, for a
descriptor that has been looked after says nothing of a message that still lies there (zmq_getsockopt(3), ZMQ_FD).
"""

from __future__ import annotations

import select
import selectors
from typing import Final

import zmq

from auctionctl.auction.terms import SECOND_NS

MILLISECOND_NS: Final = SECOND_NS // 1_000


class FinePoller:
    """Of the sockets that were given to :meth:`register`. Whoever has made one closes it."""

    def __init__(self) -> None:
        self._sockets = zmq.Poller()
        # One descriptor for all of theirs, however high they are numbered: select knows low ones only.
        self._descriptors = selectors.DefaultSelector()

    def close(self) -> None:
        """The sockets stay."""
        self._descriptors.close()

    def register(self, its_socket: zmq.Socket[bytes]) -> None:
        """Wait for messages to this one too."""
        self._sockets.register(its_socket, zmq.POLLIN)
        self._descriptors.register(its_socket.fileno(), selectors.EVENT_READ)

    def poll(self, patience_ns: int) -> list[zmq.Socket[bytes]]:
        """The sockets that have a message, after so long at the most."""
        ready = self._sockets.poll(patience_ns // MILLISECOND_NS)
        left_ns = patience_ns % MILLISECOND_NS
        if not ready and left_ns:
            select.select([self._descriptors.fileno()], [], [], left_ns / SECOND_NS)
            ready = self._sockets.poll(0)
        return [its_socket for its_socket, _ in ready]
