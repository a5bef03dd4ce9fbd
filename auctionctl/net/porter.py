"""The porter of a gateway: lets connections in, and puts out whoever may not stay; its supervisor hears of all of it.

Rule: the supervisor hears of a key before its connection is attached, and of a mute before what it is for, for either
may be the last that this process says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from auctionctl.net.clock import Clock
from auctionctl.net.door import Answer, Door
from auctionctl.net.gateway_orders import SetBans
from auctionctl.net.gateway_words import ChoseRoute, Cut, FromGateway, Heard, Knocked, Muting, NotWatched, Trying
from auctionctl.net.guard import Guard
from auctionctl.net.hops import Admit, Noticed
from auctionctl.net.mutes import POINTS_TO_MUTE
from auctionctl.net.route_numbers import is_ahead
from auctionctl.net.sessions import Session, Sessions
from auctionctl.net.tcp_connections import TcpConnections, can_look
from auctionctl.net.turned_away import TurnedAway

MISGREETING_POINTS: Final = 1
"""Of POINTS_TO_MUTE."""
MISGREETED: Final = "hellos that are not signed by whom they name"


class Porter:
    """``say`` tells the supervisor something; ``end`` ends a session, whose connection is over or cut."""

    def __init__(self, sessions: Sessions, say: Callable[[FromGateway], None], end: Callable[[Session], None]) -> None:
        self.door: Final = Door(sessions.count, seats=sessions.seats)
        self.turned_away: Final = TurnedAway()
        self.guard: Guard | None = None
        self._sessions = sessions
        self._say = say
        self._end = end

    def open(self, port: int, now_ns: int) -> None:
        """Connections come in by ``port`` from now on."""
        self.door.open(now_ns)
        if can_look():
            self.guard = Guard(self._sessions, self.door, TcpConnections(port))
        else:
            self._say(NotWatched())

    def knock(self, key: bytes, host: str, clock: Clock) -> Answer:
        """The answer to ``key``, which comes from the address ``host``."""
        now_ns = clock.now_ns()
        answer = self.door.knock(key, host, now_ns)
        if answer is Answer.COME_IN:
            self._say(Knocked(key))
        else:
            self.turned_away.note(key, host, answer, now_ns)
        return answer

    def entered(self, session: Session) -> None:
        """It has said something, for the first time."""
        session.is_listed = self.door.is_listed(session.transport)
        self.door.entered(session.transport)
        self._say(Trying(session.transport))

    def admit(self, admitted: Admit, now_ns: int) -> None:
        """Another list is in force."""
        self.door.admit(admitted.transports, admitted.shut_out)
        for session in self._sessions.all():
            session.is_listed = self.door.is_listed(session.transport)
        self._turn_out(now_ns)

    def ban(self, bans: SetBans, now_ns: int) -> None:
        """Other bans are."""
        self.door.ban(bans.banned, bans.suspects)
        for mute in bans.muted:
            self.door.mutes.restore(mute, now_ns)
        self._turn_out(now_ns)

    def look(self, now_ns: int) -> None:
        """At the connections themselves: what harms is cut, what is over is ended, and what was refused is told."""
        if self.guard is not None:
            caught, over = self.guard.look(now_ns)
            for session in over:
                self._end(session)
            self._tell_mutes()
            for each in caught:
                self._say(Cut(each.key, each.host, each.fault.value, each.muted_ns))
        self._tell_mutes()
        for event in self.turned_away.take(now_ns):
            self._say(Noticed([event]))

    def check_route(self, session: Session, given: bytes, now_ns: int) -> None:
        """Whoever has a routing id that has not been ``given`` out would end this process sooner or later."""
        if not is_ahead(session.route, given):
            self._say(Heard(session.transport))
            return
        self._say(ChoseRoute(session.transport))
        self.door.ban_too(session.transport)
        self.door.offend(session.transport, session.host, POINTS_TO_MUTE, now_ns)
        self._tell_mutes()
        self._cut_off(session.transport)

    def misgreeted(self, session: Session, now_ns: int) -> None:
        """Whoever does not sign its hello, again and again, is kept out for a while, whoever it says it is."""
        muted_ns = self.door.offend(session.transport, session.host, MISGREETING_POINTS, now_ns)
        self._tell_mutes()
        if muted_ns:
            self._say(Cut(session.transport, session.host, MISGREETED, muted_ns))
            self._cut_off(session.transport)

    def _tell_mutes(self) -> None:
        """Before what they are for: once that is reported, a gateway may end without giving them up."""
        for mute in self.door.mutes.take_begun():
            self._say(Muting(mute.key, mute.whole_ns))

    def _turn_out(self, now_ns: int) -> None:
        """Whoever may not come in any more does not stay either."""
        for key in {session.transport for session in self._sessions.all()}:
            if not self.door.may_stay(key, now_ns):
                self._cut_off(key)

    def _cut_off(self, key: bytes) -> None:
        for session in self._sessions.of_key(key):
            if self.guard is not None:
                self.guard.cut(session)
            self._end(session)
