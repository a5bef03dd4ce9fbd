"""The house's queue: bounded, with a lane of its own for operators, which nothing that others send can fill.

Rule: what an operator commands is taken before all that waits, in the order in which it came; the ends of sessions are
never refused. Timers need no lane: whatever is due is done before each batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Mapping, Sequence
from typing import Final

from auctionctl.auction.commands import KINDS
from auctionctl.house.intake import Request
from auctionctl.keys.allowlist import Role
from auctionctl.wire.frames import message_type
from auctionctl.wire.session import Peer

LANE_REQUESTS: Final = 64
BATCH_REQUESTS: Final = 192
MOST_REQUESTS: Final = 2_000
COMMIT_SHARE_NS: Final = 10_000
_OPERATOR: Final = Role.OPERATOR  # at hand, for it is asked of every request


def most_at_once(commit_ns: int) -> int:
    """How many requests are judged and answered at once at the most, after a commit that took ``commit_ns``.

    What a batch costs is shared by all that is in it, and all of it is answered at its end: while it is judged, whoever
    waits for an answer sends nothing, and nothing is there to be checked. So a batch is no larger than its commit is
    worth: COMMIT_SHARE_NS for each of it, where that is more than BATCH_REQUESTS. Measured on two cores and a disk of
    0.3 ms with 400 and 3,200 bids under way: where all that waited was judged at once, the cores were idle for an
    eighth and for a fifth of their time, and the house took a tenth more of the processor for a bid.
    The commit of a cluster takes longer the more is in it: there, what bounds a batch is MOST_REQUESTS.
    """
    return min(MOST_REQUESTS, max(BATCH_REQUESTS, commit_ns // COMMIT_SHARE_NS))


class Lanes:
    """Requests that wait. ``peers`` are the sessions that have been greeted."""

    def __init__(self, peers: Mapping[int, Peer]) -> None:
        self._peers = peers
        self._operators: deque[Request] = deque()
        self._others: deque[Request] = deque()

    def __len__(self) -> int:
        return len(self._operators) + len(self._others)

    def put(self, requests: Sequence[Request], limit: int) -> list[Request]:
        """These wait from now on; but where ``limit`` others do, only those with a lane of their own. Returns the rest.

        Whoever is greeted meanwhile has no lane before the next ones.
        """
        peers, others, left_over = self._peers, self._others, []
        room = limit - len(others)
        for request in requests:
            peer = peers.get(request.session)
            if peer is not None and peer.role == _OPERATOR and self._has_lane(request):
                self._operators.append(request)
            elif room > 0 or not request.body:
                others.append(request)
                room -= 1
            else:
                left_over.append(request)
        return left_over

    def take(self, most: int) -> list[Request]:
        """The next ones, at most so many, and they wait no longer."""
        taken, others = [*self._operators], self._others
        self._operators.clear()
        if len(others) <= most:
            taken += others
            others.clear()
        else:
            taken += [others.popleft() for _ in range(most)]
        return taken

    def drop(self, sessions: Container[int]) -> None:
        """Nothing of these waits any more: nobody is there to be answered."""
        self._operators = deque(each for each in self._operators if each.session not in sessions)
        self._others = deque(each for each in self._others if each.session not in sessions)

    def _has_lane(self, request: Request) -> bool:
        """Whether there is room in an operator's lane for what an operator sends, and it belongs there."""
        return len(self._operators) < LANE_REQUESTS and message_type(request.body) in KINDS
