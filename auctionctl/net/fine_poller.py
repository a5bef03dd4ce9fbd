"""Waiting for ZeroMQ sockets for less than a millisecond, without going round and round meanwhile.

zmq_poll knows whole milliseconds only, and asks every socket at every call, with two system calls for each. But every
socket has a descriptor that becomes readable when there is something to look after, and select(2) waits for
microseconds. Rule: a socket that was sent to, or that had a message, is asked before the wait, for a descriptor that
has been looked after, as sending does too, says nothing of a message that lies there (zmq_getsockopt(3), ZMQ_FD).
"""

from __future__ import annotations

import select
import selectors
import time
from typing import Final

import zmq

from auctionctl.auction.terms import SECOND_NS

_POLLIN: Final = int(zmq.POLLIN)


class FinePoller:
    """Of the sockets that were given to :meth:`register`. Whoever has made one closes it."""

    def __init__(self) -> None:
        # One descriptor for all of theirs, however high they are numbered: select knows low ones only.
        self._descriptors = selectors.DefaultSelector()
        self._to_ask: dict[zmq.Socket[bytes], None] = {}
        """The sockets of which a descriptor may say nothing, though they have a message; in order."""

    def close(self) -> None:
        """The sockets stay."""
        self._descriptors.close()

    def register(self, its_socket: zmq.Socket[bytes]) -> None:
        """Wait for messages to this one too."""
        self._descriptors.register(its_socket.fileno(), selectors.EVENT_READ, its_socket)
        self.sent(its_socket)

    def sent(self, its_socket: zmq.Socket[bytes]) -> None:
        """To be called when something was sent to this one, or otherwise done with it than reading what :meth:`poll`
        found: libzmq may have learned of a message by that, and its descriptor will not say so."""
        self._to_ask[its_socket] = None

    def poll(self, patience_ns: int) -> list[zmq.Socket[bytes]]:
        """The sockets that have a message; none only if there is none after so long. Whoever reads one of several
        messages gets the rest the next time."""
        deadline_ns = time.monotonic_ns() + patience_ns
        ready = dict.fromkeys(filter(_has_message, self._to_ask)) | self._ask()
        while not ready and (left_ns := deadline_ns - time.monotonic_ns()) > 0:
            # It may wake us for what is no message, as that the other end has read ours.
            select.select([self._descriptors.fileno()], [], [], left_ns / SECOND_NS)
            ready = self._ask()
        self._to_ask = ready
        return list(ready)

    def _ask(self) -> dict[zmq.Socket[bytes], None]:
        """Of the sockets whose descriptors have something to say, those that have a message."""
        return dict.fromkeys(key.data for key, _ in self._descriptors.select(0) if _has_message(key.data))


def _has_message(its_socket: zmq.Socket[bytes]) -> bool:
    return bool(int(its_socket.getsockopt(zmq.EVENTS)) & _POLLIN)
