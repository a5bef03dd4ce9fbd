"""Control sockets: messages with file descriptors between the supervisor and its children.

A message is a length-prefixed frame; a descriptor rides with the prefix (SCM_RIGHTS). End of stream means that the
other process is gone: a child then ends, the supervisor then restarts it.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from auctionctl.net.child_words import encode
from auctionctl.net.pipes import PipeClosedError

_LENGTH: Final = struct.Struct(">I")

Word = TypeVar("Word")


def send_control(end: socket.socket, message: bytes, descriptors: tuple[int, ...] = ()) -> None:
    """Send one message, blocking. Raises PipeClosedError if nobody is there any more."""
    try:
        sent = socket.send_fds(end, [_LENGTH.pack(len(message))], descriptors)
        assert sent == _LENGTH.size
        end.sendall(message)
    except OSError as error:
        raise PipeClosedError(str(error)) from error


def receive_control(end: socket.socket) -> tuple[bytes, list[int]]:
    """One message and its descriptors, blocking until it is whole. Raises PipeClosedError at the end of the stream."""
    try:
        prefix, descriptors, _, _ = socket.recv_fds(end, _LENGTH.size, 1)
        while prefix and len(prefix) < _LENGTH.size:
            prefix += _receive(end, _LENGTH.size - len(prefix))
        if not prefix:
            raise PipeClosedError("end of stream")
        (length,) = _LENGTH.unpack(prefix)
        return _receive(end, length), descriptors
    except OSError as error:
        raise PipeClosedError(str(error)) from error


def _receive(end: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = end.recv(length - len(data))
        if not part:
            raise PipeClosedError("end of stream")
        data += part
    return bytes(data)


def tell_child(end: socket.socket, message: msgspec.Struct, *descriptors: int) -> None:
    """The supervisor's side."""
    send_control(end, encode(message), descriptors)


def hear_supervisor(end: socket.socket, decode: Callable[[bytes], Word]) -> tuple[Word, list[int]]:
    """The child's side; ``decode`` knows what is said to a child of its kind."""
    message, descriptors = receive_control(end)
    return decode(message), descriptors
