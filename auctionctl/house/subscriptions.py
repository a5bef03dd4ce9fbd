"""Which session follows which logs, and how many of them at most.

Rule: counted is what may yet grow. Of a log that is complete nothing is ever published, so nobody follows it, and
whoever did has that much room again; a session that has ended follows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from auctionctl.house.log import HouseLog


class Subscriptions:
    """Sessions by number; ``find`` gives the log of an id, if the house holds it."""

    def __init__(self, find: Callable[[bytes], HouseLog | None]) -> None:
        self._find = find
        self._of: dict[int, set[bytes]] = {}
        """What each session follows, as far as it may yet grow."""

    def add(self, session: int, logs: Sequence[HouseLog], most: int) -> bool:
        """``session`` follows these too, unless it would follow more than ``most``: then nothing changes."""
        before = self._of.get(session, set())
        following = before.union(log.id for log in logs)
        if len(following) > max(most, len(before)):
            return False
        self._of[session] = following
        for log in logs:
            log.followers.add(session)
        return True

    def end(self, session: int) -> None:
        """``session`` is over."""
        for log_id in self._of.pop(session, ()):
            if (log := self._find(log_id)) is not None:
                log.followers.discard(session)

    def end_all(self) -> None:
        """Every session is over."""
        for session in list(self._of):
            self.end(session)

    def drop(self, log: HouseLog) -> set[int]:
        """Nobody follows ``log`` here any more; who did."""
        sessions, log.followers = log.followers, set()
        for session in sessions:
            self._of.get(session, set()).discard(log.id)
        return sessions

    def completed(self, logs: Iterable[HouseLog]) -> None:
        """Those of ``logs`` that are complete count no more; all of them are durable, and their followers know."""
        for log in logs:
            if log.is_complete:
                for session in log.followers:
                    self._of.get(session, set()).discard(log.id)
