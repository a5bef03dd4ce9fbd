"""Length-prefixed frames over a Unix socket pair, never blocking: the inner hops of a house (DESIGN.md section 3).

A frame is 4 bytes of length, big-endian, and that many bytes. What does not fit into the socket waits in the sender's
memory; whoever sends keeps an eye on :attr:`Pipe.backlog_bytes`.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

READ_BYTES: Final = 1 << 18
READS_A_TURN: Final = 16
MAX_FRAME_BYTES: Final = 1 << 28

_LENGTH = struct.Struct(">I")


class PipeClosedError(Exception):
    """The process at the other end is gone. Internal to the processes of one house."""


class Pipe:
    """One end of a pair."""

    __slots__ = ("_buffer", "_incoming", "_outgoing", "_socket")

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        # One for all reads: memory of this size that is new each time would be mapped and unmapped by the system.
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._incoming = bytearray()
        self._outgoing = bytearray()

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def close(self) -> None:
        """What was not sent is lost."""
        self._socket.close()

    @property
    def is_open(self) -> bool:
        """Whether :meth:`close` has not been called."""
        return self._socket.fileno() >= 0

    def abandon(self) -> None:
        """Stop using the pair in both directions: both ends see the end of the stream."""
        self._outgoing.clear()
        self._socket.shutdown(socket.SHUT_RDWR)

    @property
    def backlog_bytes(self) -> int:
        """How much waits to be sent."""
        return len(self._outgoing)

    def send(self, frame: bytes) -> None:
        """Queue ``frame`` and send what the socket takes now. Raises PipeClosedError."""
        assert len(frame) <= MAX_FRAME_BYTES
        data = _LENGTH.pack(len(frame)) + frame
        if self._outgoing:
            self._outgoing += data
            self.flush()
        elif (sent := self._send(data)) < len(data):
            self._outgoing += memoryview(data)[sent:]

    def flush(self) -> None:
        """Send what the socket takes now. Raises PipeClosedError."""
        while self._outgoing and (sent := self._send(self._outgoing)):
            del self._outgoing[:sent]

    def _send(self, data: bytes | bytearray) -> int:
        """How many bytes of ``data`` the socket took."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._outgoing.clear()
            raise PipeClosedError(str(error)) from error

    def receive(self) -> list[bytes]:
        """The complete frames that have come in. Raises PipeClosedError once there will be no more.

        A length that no sender here uses ends the pair too: it would have us gather bytes for ever.
        """
        closed = False
        for _ in range(READS_A_TURN):
            try:
                count = self._socket.recv_into(self._buffer)
            except BlockingIOError:
                break
            except OSError as error:
                raise PipeClosedError(str(error)) from error
            if not count:
                closed = True
                break
            self._incoming += self._buffer[:count]
        frames = self._take_frames()
        if closed and not frames:
            raise PipeClosedError("end of stream")
        return frames

    def _take_frames(self) -> list[bytes]:
        at, have = 0, len(self._incoming)
        frames: list[bytes] = []
        with memoryview(self._incoming) as incoming:
            while have - at >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(incoming, at)
                if length > MAX_FRAME_BYTES:
                    raise PipeClosedError(f"a frame of {length} bytes")
                end = at + _LENGTH.size + length
                if end > have:
                    break
                frames.append(bytes(incoming[at + _LENGTH.size : end]))
                at = end
        del self._incoming[:at]
        return frames
