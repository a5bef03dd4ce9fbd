"""What a supervisor has to say to one of its children, sent as fast as that takes it and never waited for.

Rule: a child that stands still, or has only begun, holds up nobody: its words wait here, with the descriptors that go
with them. The form is that of :mod:`auctionctl.net.control`, which the child reads.
"""

from __future__ import annotations

import array
import os
import socket
import struct
from collections import deque
from typing import Final, NamedTuple

_LENGTH: Final = struct.Struct(">I")


class _Word(NamedTuple):
    data: bytes
    descriptors: tuple[int, ...]
    """Duplicates of our own: whoever sends closes its own at once."""


class Postbox:
    """The words for whoever is at the other end of ``end``."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._waiting: deque[_Word] = deque()
        self.backlog_bytes = 0
        """How much waits."""

    def put(self, message: bytes, descriptors: tuple[int, ...] = ()) -> None:
        """Send ``message``, or as much of it as is taken now. Raises OSError if nobody is there any more."""
        data = _LENGTH.pack(len(message)) + message
        self._waiting.append(_Word(data, tuple(os.dup(each) for each in descriptors)))
        self.backlog_bytes += len(data)
        self.flush()

    def flush(self) -> None:
        """Send what is taken now. Raises OSError if nobody is there any more; then nothing waits any longer."""
        while self._waiting:
            word = self._waiting[0]
            try:
                sent = self._send(word)
            except BlockingIOError:
                return
            except OSError:
                self.close()
                raise
            # Descriptors go with the first bytes of their word.
            _close(word.descriptors)
            self.backlog_bytes -= sent
            if sent < len(word.data):
                self._waiting[0] = _Word(word.data[sent:], ())
            else:
                self._waiting.popleft()

    def close(self) -> None:
        """What waits is lost."""
        for word in self._waiting:
            _close(word.descriptors)
        self._waiting.clear()
        self.backlog_bytes = 0

    def _send(self, word: _Word) -> int:
        if not word.descriptors:
            return self._end.send(word.data, socket.MSG_DONTWAIT)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", word.descriptors))
        return self._end.sendmsg([word.data], [rights], socket.MSG_DONTWAIT)


def _close(descriptors: tuple[int, ...]) -> None:
    for each in descriptors:
        os.close(each)
