"""What a gateway tells its house once a second: how it is, how its sessions are, and how soon requests were answered.

Rule: everything that is told is kept for other reasons anyway; nothing is counted for each message here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.metrics import Histogram
from auctionctl.net.guard import Guard
from auctionctl.net.hops import MAX_CODES_TOLD, MAX_SESSIONS_TOLD, Counted, SessionCounted
from auctionctl.net.process_state import own_state
from auctionctl.net.sessions import Session, Sessions
from auctionctl.net.tcp_connections import Connection
from auctionctl.net.turned_away import TurnedAway
from auctionctl.net.under_way import UnderWay

TELL_NS: Final = SECOND_NS


class Counting:
    """Of the gateway that has these ``sessions`` and these requests ``under_way``, and has ``turned_away`` others."""

    def __init__(self, sessions: Sessions, under_way: UnderWay, turned_away: TurnedAway) -> None:
        self._sessions = sessions
        self._under_way = under_way
        self._turned_away = turned_away
        self._told_ns = 0
        self._is_begun = False
        self._guard: Guard | None = None

    def begin(self, guard: Guard | None) -> None:
        """The gateway listens, and ``guard`` looks at its connections, if anybody can."""
        self._is_begun, self._guard = True, guard

    def take(self, now_ns: int) -> list[Counted]:
        """What to tell now, if it is time to."""
        if not self._is_begun or now_ns - self._told_ns < TELL_NS:
            return []
        self._told_ns = now_ns
        seen: Mapping[int, Connection] = {} if self._guard is None else self._guard.seen
        totals, self._under_way.totals = self._under_way.totals, Histogram()
        answers, self._under_way.answers = self._under_way.answers, Histogram()
        sessions = [_counted(each, seen.get(each.connection)) for each in self._chosen()]
        counts = (len(seen) or len(self._sessions.by_number), self._under_way.count)
        took = (list(totals.counts.items()), totals.sum_ns)
        refused = self._turned_away.codes.most_common(MAX_CODES_TOLD)
        return [Counted(own_state(), *counts, *took, sessions, list(answers.counts.items()), answers.sum_ns, refused)]

    def _chosen(self) -> list[Session]:
        known = [each for each in self._sessions.all() if each.identity]
        if len(known) > MAX_SESSIONS_TOLD:
            known.sort(key=lambda each: (-each.unanswered, -each.lost, -each.messages))
        return known[:MAX_SESSIONS_TOLD]


def _counted(session: Session, connection: Connection | None) -> SessionCounted:
    round_trip_ns = 0 if connection is None else connection.round_trip_ns
    times_ns = (session.since_ns, session.heard_ns, round_trip_ns)
    return SessionCounted(session.number, session.host, *times_ns, session.messages, session.lost, session.unanswered)
