"""The house's queue: bounded, with a lane of its own for operators, which nothing that others send can fill.

Rule: what an operator commands is taken before all that waits, in the order in which it came; the ends of sessions are
never refused. Timers need no lane: whatever is due is done before each batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Mapping
from typing import Final

from auctionctl.auction.commands import KINDS
from auctionctl.house.intake import Request
from auctionctl.keys.allowlist import Role
from auctionctl.wire.frames import message_type
from auctionctl.wire.session import Peer

LANE_REQUESTS: Final = 64


class Lanes:
    """Requests that wait. ``peers`` are the sessions that have been greeted."""

    def __init__(self, peers: Mapping[int, Peer]) -> None:
        self._peers = peers
        self._operators: deque[Request] = deque()
        self._others: deque[Request] = deque()

    def __len__(self) -> int:
        return len(self._operators) + len(self._others)

    def put(self, request: Request, limit: int) -> bool:
        """Whether ``request`` waits from now on: where ``limit`` others do, only what has a lane of its own."""
        if len(self._operators) < LANE_REQUESTS and self._is_operation(request):
            self._operators.append(request)
        elif len(self._others) < limit or not request.body:
            self._others.append(request)
        else:
            return False
        return True

    def take(self, most: int) -> list[Request]:
        """The next ones, at most so many, and they wait no longer."""
        taken = list(self._operators)
        self._operators.clear()
        return taken + [self._others.popleft() for _ in range(min(len(self._others), most))]

    def drop(self, sessions: Container[int]) -> None:
        """Nothing of these waits any more: nobody is there to be answered."""
        self._operators = deque(each for each in self._operators if each.session not in sessions)
        self._others = deque(each for each in self._others if each.session not in sessions)

    def _is_operation(self, request: Request) -> bool:
        peer = self._peers.get(request.session)
        return peer is not None and peer.role == Role.OPERATOR and message_type(request.body) in KINDS
