"""What was bid in one auction, as a strategy may see it: bidders by number, in the order of their first bid.

Its rule: one step a bid, and bounded memory: of each bidder the last bid, of all bids the last MAX_RECENT.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

MAX_RECENT: Final = 256


class ObservedBid(msgspec.Struct, frozen=True, gc=False):
    """An accepted bid: whose (a number from 0 on, by first bid), the amount in minor units, the house's time in ns."""

    bidder: int
    amount_minor: int
    time_ns: int


class BidTape:
    """The accepted bids of one auction so far. It grows: what a strategy wants to remember of it, it has to copy."""

    __slots__ = ("_numbers", "count", "last", "recent")

    def __init__(self) -> None:
        self.count = 0
        """How many bids there were in all."""
        self.last: list[ObservedBid] = []
        """The last bid of each bidder, by number: in an ascending auction its highest."""
        self.recent: deque[ObservedBid] = deque(maxlen=MAX_RECENT)
        """The last bids, the newest at the right end."""
        self._numbers: dict[bytes, int] = {}

    def add(self, bidder: bytes, amount_minor: int, time_ns: int) -> None:
        """The next accepted bid, by this signing key (or any other name)."""
        number = self._numbers.get(bidder)
        self.count += 1
        if number is None:
            number = self._numbers[bidder] = len(self.last)
            bid = ObservedBid(number, amount_minor, time_ns)
            self.last.append(bid)
        else:
            self.last[number] = bid = ObservedBid(number, amount_minor, time_ns)
        self.recent.append(bid)

    def number_of(self, bidder: bytes) -> int | None:
        """The number of ``bidder``, or None before its first bid."""
        return self._numbers.get(bidder)
