"""How many places a house may name that are not in its address: what it says of them is not signed.

Rule: a client goes to a few places an hour at most that it was not given itself, so that whoever answers for a house
cannot have it knock at every door of a network. Times are this machine's, in nanoseconds.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.terms import SECOND_NS

MAX_AN_HOUR: Final = 16
HOUR_NS: Final = 3_600 * SECOND_NS


class PlaceBudget:
    """The places that were gone to within an hour."""

    def __init__(self) -> None:
        self._since_ns: dict[str, int] = {}

    def grants(self, place: str, now_ns: int) -> bool:
        """Whether ``place`` may be gone to; one that was within the hour may be again."""
        self._since_ns = {each: at_ns for each, at_ns in self._since_ns.items() if now_ns - at_ns < HOUR_NS}
        if place not in self._since_ns and len(self._since_ns) >= MAX_AN_HOUR:
            return False
        self._since_ns.setdefault(place, now_ns)
        return True
