"""Whoever comes to a house with one thing to do: a seller with terms, or somebody with a command.

Rule: a session is a :class:`~auctionctl.replica.follower.Follower`'s, which greets and listens; what has to be sent
besides waits here, and is forgotten with the connection on which it would have gone: it is due again after the next
welcome.
"""

from __future__ import annotations

from auctionctl.replica.follower import Follower
from auctionctl.wire.frames import Message


class Errand:
    """The moves of a shell that are the same for every errand. Times are this machine's."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self._outgoing: list[Message] = []

    @property
    def is_welcome(self) -> bool:
        """Whether the house has answered our hello, on this connection."""
        return self.follower.is_welcome

    def connected(self, nonce: bytes, now_ns: int) -> None:
        """The transport is up (again): greet. ``nonce`` is 16 fresh bytes."""
        self.follower.connected(nonce, now_ns)
        self._outgoing.clear()

    def disconnected(self) -> None:
        """The transport is down: nothing is heard until :meth:`connected`."""
        self.follower.disconnected()
        self._outgoing.clear()

    def needs_hello(self, now_ns: int) -> bool:
        """Whether to greet again, by :meth:`connected`."""
        return self.follower.needs_hello(now_ns)

    def say_bye(self) -> None:
        """Tell the house that this session ends. What was sent stays sent."""
        self.follower.say_bye()

    def take_outgoing(self) -> list[Message]:
        """What has to be sent now, in order."""
        outgoing, self._outgoing = self._outgoing, []
        return self.follower.take_outgoing() + outgoing
