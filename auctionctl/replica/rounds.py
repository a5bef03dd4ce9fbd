"""Whether a house sends whoever asks for a log from one instance to the next and back: then it is asked less and less.

Rule: a log may move a few times in a row, as instances come and go; more often is going round in circles, which is
told once, and ends in a wait, and not in a hang. Times are this machine's, in nanoseconds.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.terms import SECOND_NS

MAX_HOPS: Final = 4
"""How often a log may move within WINDOW_NS before that is a circle."""
WINDOW_NS: Final = 10 * SECOND_NS
LONGEST_REST_NS: Final = 8 * SECOND_NS
MAX_REMEMBERED: Final = 4_096


class Rounds:
    """The moves of every log, or of every command, as far as they are recent."""

    def __init__(self) -> None:
        self._hops_ns: dict[bytes, list[int]] = {}
        self._rests: dict[bytes, int] = {}
        self._resting_until_ns: dict[bytes, int] = {}

    def rest_ns(self, log: bytes, is_hop: bool, now_ns: int) -> int:
        """For how long ``log`` should be left alone from now on; 0 if it may be followed where it has moved.

        ``is_hop`` says whether the house has named another place than the last time.
        """
        until_ns = self._resting_until_ns.get(log, 0)
        if until_ns > now_ns:
            return until_ns - now_ns  # What is under way still moves in circles.
        hops_ns = [each for each in self._hops_ns.get(log, ()) if now_ns - each < WINDOW_NS]
        if not is_hop:
            return 0
        if not hops_ns:
            self._rests.pop(log, None)
        if log not in self._hops_ns and len(self._hops_ns) >= MAX_REMEMBERED:
            self._forget(next(iter(self._hops_ns)))
        self._hops_ns[log] = [*hops_ns, now_ns][-MAX_HOPS:]
        if len(hops_ns) < MAX_HOPS:
            return 0
        rests = self._rests[log] = self._rests.get(log, 0) + 1
        rest_ns = min(SECOND_NS << min(rests - 1, 8), LONGEST_REST_NS)
        self._resting_until_ns[log] = now_ns + rest_ns
        return rest_ns

    def is_circle(self, log: bytes) -> bool:
        """Whether ``log`` goes round in circles, as far as is remembered."""
        return log in self._rests

    def _forget(self, log: bytes) -> None:
        for remembered in (self._hops_ns, self._rests, self._resting_until_ns):
            remembered.pop(log, None)
