"""What guards a gateway from whoever is let in: looks at its connections now and then, cuts what harms it.

The judgement is :mod:`auctionctl.net.watchdog`'s, the looking :mod:`auctionctl.net.tcp_connections`'s. Rule: looking
costs at most one part in LOOKING_SHARE of the time, however many connections there are; and what repeats has its key
muted, on whose other connections nothing can be expected either.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.door import Door
from auctionctl.net.sessions import Session, Sessions
from auctionctl.net.tcp_connections import Connection, TcpConnections
from auctionctl.net.watchdog import GONE_NS, LOOK_NS, Fault, Watchdog

LOOKING_SHARE: Final = 20
ON_THE_WAY_NS: Final = SECOND_NS
"""Whoever was let in less long ago may yet be about to say hello: another's silence is not his."""
POINTS: Final = MappingProxyType({Fault.ENDLESS: 2, Fault.SILENT: 1, Fault.SLOW: 1})
"""Of POINTS_TO_MUTE: nobody sends a message without an end by accident."""


class Caught(NamedTuple):
    """A connection was cut. ``key`` is empty where nobody can tell whose it was; ``muted_ns`` is 0 without a mute."""

    key: bytes
    host: str
    fault: Fault
    muted_ns: int


class Guard:
    """The guard of the sessions behind one ``door``."""

    def __init__(self, sessions: Sessions, door: Door, connections: TcpConnections) -> None:
        self._sessions = sessions
        self._door = door
        self._connections = connections
        self._watchdog = Watchdog()
        self._next_ns = 0
        self._seen: dict[int, Connection] = {}

    @property
    def seen(self) -> Mapping[int, Connection]:
        """The connections at the last look, by inode."""
        return self._seen

    def look(self, now_ns: int) -> tuple[list[Caught], list[Session]]:
        """Look, if it is time to: what was cut, and the sessions that are over because their connection is."""
        if now_ns < self._next_ns:
            return [], []
        started_ns = time.perf_counter_ns()
        connections = self._connections.look()
        by_connection = self._sessions.by_connection
        verdicts = self._watchdog.look(connections, by_connection, now_ns)
        caught = []
        for connection, fault in verdicts:
            self._connections.cut(connection)
            session = by_connection.get(connection.inode)
            let_in_by_ns = now_ns - (ON_THE_WAY_NS if fault is Fault.SILENT else 0)
            key = self._door.suspect(connection.host, let_in_by_ns) if session is None else session.transport
            muted_ns = 0 if key is None else self._door.offend(key, connection.host, POINTS[fault], now_ns)
            caught.append(Caught(key or b"", connection.host, fault, muted_ns))
            if key is not None and muted_ns:
                for each in self._sessions.of_key(key):
                    self.cut(each)
        self._seen = {connection.inode: connection for connection in connections}
        over = self._find_over(now_ns)
        self._next_ns = now_ns + max(LOOK_NS, LOOKING_SHARE * (time.perf_counter_ns() - started_ns))
        return caught, over

    def cut(self, session: Session) -> None:
        """Cut the connection of ``session``."""
        connection = self._seen.get(session.connection)
        if connection is None:  # It is new.
            connection = next((each for each in self._connections.look() if each.inode == session.connection), None)
        if connection is not None:
            self._connections.cut(connection)

    def _find_over(self, now_ns: int) -> list[Session]:
        """Sessions whose connection has been gone for so long that nothing of it can be left to read."""
        over = []
        for session in self._sessions.all():
            if session.connection in self._seen or not session.connection:
                session.gone_ns = None
            elif session.gone_ns is None:
                session.gone_ns = now_ns
            elif now_ns - session.gone_ns > GONE_NS:
                over.append(session)
        return over
