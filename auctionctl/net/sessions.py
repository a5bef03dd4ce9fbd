"""The sessions of one gateway: each is one connection, found by its route, its number, or the auctions that it follows.

Rule: a number is the gateway's own and never used again; a route is libzmq's name of a connection, and leaves this
process in no way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec


class Session(msgspec.Struct):
    """One connection. ``identity`` is empty until the house has accepted its hello."""

    number: int
    route: bytes
    user: str
    transport: bytes
    heard_ns: int
    connection: int = 0
    """The inode of its socket; 0 where nobody knows."""
    identity: bytes = b""
    is_operator: bool = False
    is_listed: bool = True
    """Whether its key is on the allow list, or a stranger's."""
    host: str = ""
    """The address that it comes from."""
    since_ns: int = 0
    unanswered: int = 0
    messages: int = 0
    lost: int = 0
    """How many messages to it were lost because it did not read."""
    gone_ns: int | None = None
    """Since when its connection is seen to be over."""
    follows: set[bytes] = msgspec.field(default_factory=set)

    @property
    def is_greeted(self) -> bool:
        """Whether its hello was accepted, or is with the house."""
        return bool(self.identity) or self.unanswered > 0


class Sessions:
    """All of them. ``by_route``, ``by_number`` and ``by_connection`` are to be read, and changed here alone."""

    def __init__(self) -> None:
        self.by_route: dict[bytes, Session] = {}
        self.by_number: dict[int, Session] = {}
        self.by_connection: dict[int, Session] = {}
        self._by_key: dict[bytes, dict[int, Session]] = {}
        self.next_number = 0
        self._followers: dict[bytes, dict[int, Session]] = {}

    def __bool__(self) -> bool:
        return bool(self.by_number)

    def all(self) -> list[Session]:
        """Every session there is now, whatever happens to them meanwhile."""
        return list(self.by_number.values())

    def begin(self, route: bytes, user: str, now_ns: int, connection: int = 0) -> Session:
        """A new session of the key ``user`` (hexadecimal); no other has its route or connection any more."""
        session = Session(self.next_number, route, user, bytes.fromhex(user), now_ns, connection, since_ns=now_ns)
        self.next_number += 1
        self.by_route[route] = self.by_number[session.number] = self.by_connection[connection] = session
        self._by_key.setdefault(session.transport, {})[session.number] = session
        return session

    def forget(self, session: Session) -> bool:
        """It is over; whether it was not, before."""
        if self.by_number.get(session.number) is not session:
            return False
        del self.by_number[session.number]
        if self.by_route.get(session.route) is session:
            del self.by_route[session.route]
        if self.by_connection.get(session.connection) is session:
            del self.by_connection[session.connection]
        of_key = self._by_key[session.transport]
        del of_key[session.number]
        if not of_key:
            del self._by_key[session.transport]
        for auction in session.follows:
            self._followers.get(auction, {}).pop(session.number, None)
        return True

    def of_key(self, transport: bytes) -> list[Session]:
        """Those of one transport key."""
        return list(self._by_key.get(transport, {}).values())

    def count(self, transport: bytes | None) -> int:
        """How many there are of this transport key, or of all, whose connection is not seen to be over."""
        some = self.by_number if transport is None else self._by_key.get(transport, {})
        return sum(session.gone_ns is None for session in some.values())

    def seats(self) -> Iterator[tuple[bytes, str]]:
        """Transport key and address of each whose connection is not seen to be over."""
        return ((each.transport, each.host) for each in self.by_number.values() if each.gone_ns is None)

    def settle(self, numbers: Iterable[int]) -> None:
        """One request of each of these has been answered, or never will be."""
        for number in numbers:
            session = self.by_number.get(number)
            if session is not None:
                session.unanswered -= 1

    def follow(self, number: int, auctions: list[bytes]) -> None:
        """It follows these too from now on, if it is still there."""
        session = self.by_number.get(number)
        if session is not None:
            session.follows.update(auctions)
            for auction in auctions:
                self._followers.setdefault(auction, {})[number] = session

    def followers(self, auction: bytes) -> list[Session]:
        """Who follows ``auction`` now, whatever happens to them meanwhile."""
        return list(self._followers.get(auction, {}).values())
