"""The connections that libzmq holds in this process, seen from outside: what each has received, and how to cut one.

libzmq tells nothing of a peer that never completes a message and can drop no peer of a ROUTER, so its descriptors are
looked at: /proc/self/fd for which there are, TCP_INFO for how much has come. Rule: a descriptor of libzmq's is never
closed here. What is cut is a duplicate, whose inode is compared first, since a number may have been used again
meanwhile. Source: tcp(7), ``struct tcp_info`` of linux/tcp.h; where either is missing there is nothing to look at.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
import sys
from pathlib import Path
from typing import Final, NamedTuple

_DESCRIPTORS: Final = "/proc/self/fd"
_INFO_BYTES: Final = 136
_COUNTERS: Final = struct.Struct("=QQ")
"""tcpi_bytes_acked and tcpi_bytes_received."""
_COUNTERS_AT: Final = 120
_ROUND_TRIP: Final = struct.Struct("=I")
"""tcpi_rtt, in microseconds."""
_ROUND_TRIP_AT: Final = 68
_ESTABLISHED: Final = 1
_CLOSE_WAIT: Final = 8
_OPEN: Final = frozenset({_ESTABLISHED, _CLOSE_WAIT})


class Connection(NamedTuple):
    """One connection. ``inode`` names it for as long as it lasts; ``host`` is whoever is at the other end."""

    inode: int
    descriptor: int
    host: str
    received_bytes: int
    acked_bytes: int
    round_trip_ns: int = 0
    """As TCP has measured and smoothed it; 0 before it has."""


def can_look() -> bool:
    """Whether this system shows what is needed here."""
    return sys.platform == "linux" and Path(_DESCRIPTORS).is_dir()


def inode_of(descriptor: int) -> int:
    """What names the socket behind ``descriptor``; 0 if there is none any more."""
    try:
        return os.fstat(descriptor).st_ino
    except OSError:
        return 0


class TcpConnections:
    """Those of this process that came in by the listening socket of ``port``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._hosts: dict[int, str] = {}
        """Inode → host; empty for a socket that is none of ours."""

    def look(self) -> list[Connection]:
        """Every connection there is now."""
        hosts, found = {}, []
        for name in os.listdir(_DESCRIPTORS):
            descriptor = int(name)
            try:
                status = os.fstat(descriptor)
            except OSError:
                continue  # The one by which the directory was read.
            if not stat.S_ISSOCK(status.st_mode):
                continue
            inode = status.st_ino
            host = self._hosts.get(inode)
            if host is None:
                host = self._host_of(descriptor)
            hosts[inode] = host
            if host and (counters := _counters(descriptor)) is not None:
                found.append(Connection(inode, descriptor, host, *counters))
        self._hosts = hosts
        return found

    def _host_of(self, descriptor: int) -> str:
        try:
            looking = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            return ""
        with looking:
            if looking.family not in (socket.AF_INET, socket.AF_INET6) or looking.type != socket.SOCK_STREAM:
                return ""
            try:
                is_ours = looking.getsockname()[1] == self._port
                return str(looking.getpeername()[0]) if is_ours else ""
            except OSError:
                return ""  # The listening socket, or one that is over.

    def cut(self, connection: Connection) -> None:
        """End it for both sides; libzmq finds the end of its stream, and closes its descriptor itself."""
        try:
            duplicate = socket.socket(fileno=os.dup(connection.descriptor))
        except OSError:
            return
        with duplicate, contextlib.suppress(OSError):
            if inode_of(duplicate.fileno()) == connection.inode:
                duplicate.shutdown(socket.SHUT_RDWR)


def _counters(descriptor: int) -> tuple[int, int, int] | None:
    """(bytes received, bytes acknowledged, round trip in nanoseconds) of an open connection."""
    try:
        borrowed = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
    except OSError:
        return None  # libzmq has closed it meanwhile.
    try:
        info = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return None
    finally:
        borrowed.detach()  # libzmq's it is: it must not be closed with this object.
    if len(info) < _INFO_BYTES or info[0] not in _OPEN:
        return None
    acked_bytes, received_bytes = _COUNTERS.unpack_from(info, _COUNTERS_AT)
    (round_trip_us,) = _ROUND_TRIP.unpack_from(info, _ROUND_TRIP_AT)
    return received_bytes, acked_bytes, round_trip_us * 1_000
