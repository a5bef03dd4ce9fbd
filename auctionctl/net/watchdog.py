"""Which connections of a gateway have to be cut: a message that has no end, no hello in time, no reading.

libzmq counts whole messages and bounds single frames, so a message of endlessly many frames fills the process while
nothing comes out; nor does it end a peer that is silent after its handshake, or that does not read. Pure: connections
as :mod:`auctionctl.net.tcp_connections` sees them come in, verdicts go out.

Rule: nobody is cut for what the gateway or its house owes. What a connection has sent is counted from its last whole
message on; a hello that waits for the house is in time; and whoever looks late, for having stood still itself, starts
to count anew.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, Protocol

import msgspec

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.tcp_connections import Connection

LOOK_NS: Final = SECOND_NS // 20
"""How often to look: an endless message grows by hundreds of megabytes a second."""
LATE_NS: Final = SECOND_NS
"""Whoever has not looked for so long has stood still."""
GREETING_NS: Final = 2 * SECOND_NS
"""For handshake and hello together."""
SLOW_NS: Final = 5 * SECOND_NS
"""How long a peer may take nothing at all of what it is sent, and lose messages."""
GONE_NS: Final = SECOND_NS
"""By then everything that a connection had sent before it ended has been read."""
UNDELIVERED_BYTES: Final = 4 << 20
"""More than all whole messages that libzmq lets wait, and the buffers before it, ever come to."""


class Fault(enum.Enum):
    """What a connection is cut for."""

    ENDLESS = "a message without an end"
    SILENT = "no hello in time"
    SLOW = "nothing of what it is sent is read"


class Talk(Protocol):
    """What the gateway knows of a connection that has sent a whole message: a session's."""

    @property
    def connection(self) -> int:
        """The inode of its socket."""

    @property
    def messages(self) -> int:
        """How many whole messages have come."""

    @property
    def lost(self) -> int:
        """How many messages to it were lost, because it did not read."""

    @property
    def is_greeted(self) -> bool:
        """Whether its hello was accepted, or is with the house."""


class Verdict(NamedTuple):
    """Cut this connection."""

    connection: Connection
    fault: Fault


class _Watched(msgspec.Struct):
    """What is remembered of one connection from look to look."""

    greeted_ns: int
    """When it last was greeted, or was seen first."""
    delivered_bytes: int
    """What it had sent when its last whole message was seen."""
    acked_bytes: int
    messages: int = 0
    lost: int = 0
    slow_since_ns: int | None = None
    is_condemned: bool = False


class Watchdog:
    """The connections of one gateway. Times are nanoseconds of one clock."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._looked_ns: int | None = None

    def look(self, connections: Iterable[Connection], talks: Mapping[int, Talk], now_ns: int) -> list[Verdict]:
        """Whom to cut, each once; ``talks`` are by inode. To be called every LOOK_NS or so, after reading."""
        is_late = self._looked_ns is not None and now_ns - self._looked_ns > LATE_NS
        self._looked_ns = now_ns
        if is_late:
            self._watched.clear()
        watched: dict[int, _Watched] = {}
        verdicts: list[Verdict] = []
        for connection in connections:
            known = self._watched.get(connection.inode)
            if known is None:
                # Where we stood still, whole messages may be among what has come.
                delivered_bytes = connection.received_bytes if is_late else 0
                known = _Watched(now_ns, delivered_bytes, connection.acked_bytes)
            watched[connection.inode] = known
            fault = self._judge(known, connection, talks.get(connection.inode), now_ns)
            if fault is not None and not known.is_condemned:
                known.is_condemned = True
                verdicts.append(Verdict(connection, fault))
        self._watched = watched
        return verdicts

    def _judge(self, known: _Watched, connection: Connection, talk: Talk | None, now_ns: int) -> Fault | None:
        if talk is not None and talk.messages != known.messages:
            known.messages = talk.messages
            known.delivered_bytes = connection.received_bytes
        if connection.received_bytes - known.delivered_bytes > UNDELIVERED_BYTES:
            return Fault.ENDLESS
        if talk is not None and talk.is_greeted:
            known.greeted_ns = now_ns
        elif now_ns - known.greeted_ns > GREETING_NS:
            return Fault.SILENT
        return self._judge_reading(known, connection, talk, now_ns)

    def _judge_reading(self, known: _Watched, connection: Connection, talk: Talk | None, now_ns: int) -> Fault | None:
        if connection.acked_bytes != known.acked_bytes:
            known.acked_bytes = connection.acked_bytes
            known.slow_since_ns = None
        elif talk is not None and talk.lost != known.lost and known.slow_since_ns is None:
            known.slow_since_ns = now_ns
        if talk is not None:
            known.lost = talk.lost
        is_slow = known.slow_since_ns is not None and now_ns - known.slow_since_ns > SLOW_NS
        return Fault.SLOW if is_slow else None
