"""How the price of one auction came about, as far as a board needs it: in bounded memory, however many bids there are.

Rule: prices and times are those of replayed bids; of many, every other one is forgotten, the newest never.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.views.auction_row import Trend

MAX_POINTS: Final = 1_024
MINUTE_S: Final = 60


class PriceHistory:
    """The bids of one auction, in order of their times (nanoseconds on the house's clock)."""

    def __init__(self) -> None:
        self._times_ns: list[int] = []
        self._minors: list[int] = []
        self._seconds: deque[tuple[int, int]] = deque()
        """(second, how many bids in it), of the last minute before the last bid."""

    def add(self, time_ns: int, minor: int) -> None:
        """One more bid was accepted."""
        if len(self._times_ns) >= MAX_POINTS:
            del self._times_ns[::2], self._minors[::2]
        self._times_ns.append(time_ns)
        self._minors.append(minor)
        second = time_ns // SECOND_NS
        count = self._seconds.pop()[1] if self._seconds and self._seconds[-1][0] == second else 0
        self._seconds.append((second, count + 1))
        while self._seconds[0][0] <= second - MINUTE_S:
            self._seconds.popleft()

    def trend(self, start_ns: int, now_ns: int, count: int) -> Trend:
        """As of ``now_ns``: the bids of the last minute, and the price at ``count`` times since ``start_ns``."""
        since = now_ns // SECOND_NS - MINUTE_S
        bids = sum(bids for second, bids in self._seconds if second > since)
        return Trend(bids, self._prices(start_ns, now_ns, count))

    def whole(self, start_ns: int, end_ns: int, count: int) -> Trend:
        """Of an auction that ended at ``end_ns``: nobody bids any more, and the price at ``count`` times until then."""
        return Trend(0, self._prices(start_ns, end_ns, count))

    def _prices(self, start_ns: int, end_ns: int, count: int) -> tuple[int | None, ...]:
        return tuple(self._price_at(start_ns + (end_ns - start_ns) * n // count) for n in range(1, count + 1))

    def _price_at(self, time_ns: int) -> int | None:
        before = bisect_right(self._times_ns, time_ns)
        return self._minors[before - 1] if before else None
