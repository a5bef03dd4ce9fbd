"""Reputations: how far a house's bidders kept to what they had bid, by its registry alone.

The beta reputation system (Jøsang and Ismail 2002): with r the weight of what was done well and s of what was not, the
value is (r + 1) / (r + s + 2): a stranger has one half. Evidence is forgotten by half in 90 days, which is no setting,
for then two would get two values from one registry. Rule: integers alone, and every entry is weighed by itself, so that
the value depends on neither the order nor the time at which somebody reads; it changes with an entry, and at midnight
UTC, so that a value that was read a moment ago still holds. A holder keeps its reputation when it rotates its key: all
keys of one chain have the same, whichever of them did it.

What a bidder can gain by having friends sell to it is the limit of every such system: the man page says so.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from auctionctl.auction.rules import WHOLE_PPM
from auctionctl.auction.terms import SECOND_NS
from auctionctl.replica.conduct import Deeds
from auctionctl.replica.succession import Successions

DAY_NS: Final = 86_400 * SECOND_NS
HALF_LIFE_DAYS: Final = 90
SCALE_BITS: Final = 32
"""Evidence of today weighs 2^32 for each point."""
FORGOTTEN_DAYS: Final = HALF_LIFE_DAYS * SCALE_BITS
"""Older evidence weighs less than the least unit."""

STOOD_POINTS: Final = 1
PAID_POINTS: Final = 3
DEFAULTED_POINTS: Final = 12
"""Four settled purchases make up for one default, and no small ones alone: a default costs its seller the sale."""
MAX_LEFT: Final = 3
"""How often leaving while leading counts in one auction, a point each time: a bad connection is no default."""
MAX_INVALID: Final = 5
"""How many invalid bids count in one auction, a point each: they rest on the house's word alone."""


class Points(NamedTuple):
    """What was done well, and what was not."""

    good: int
    bad: int


class Record(NamedTuple):
    """What a bidder did in one auction, and when the registry said so."""

    time_ns: int
    auction: bytes
    deeds: Deeds


def points_of(deeds: Deeds) -> Points:
    """How the deeds of one auction are weighed."""
    good = STOOD_POINTS * deeds.stood + PAID_POINTS * deeds.paid
    bad = DEFAULTED_POINTS * deeds.defaulted + min(deeds.left, MAX_LEFT) + min(deeds.invalid, MAX_INVALID)
    return Points(good, bad)


@functools.cache
def weight(age_days: int) -> int:
    """What one point is worth after so many days: the greatest x with x^90 <= 2^(2880 - age), at most 2^32."""
    if age_days > FORGOTTEN_DAYS:
        return 0
    least, beyond, limit = 0, (1 << SCALE_BITS) + 1, 1 << (FORGOTTEN_DAYS - age_days)
    while beyond - least > 1:
        middle = (least + beyond) // 2
        least, beyond = (middle, beyond) if middle**HALF_LIFE_DAYS <= limit else (least, middle)
    return least


def reputation_ppm(evidence: Iterable[tuple[int, Points]], now_ns: int) -> int:
    """The value at ``now_ns``, in parts per million; ``evidence`` is days since 1970 and points, none from later."""
    today, one = now_ns // DAY_NS, weight(0)
    good = bad = 0
    for day, points in evidence:
        worth = weight(today - day)
        good += points.good * worth
        bad += points.bad * worth
    return (good + one) * WHOLE_PPM // (good + bad + 2 * one)


class Reputations:
    """All evidence of one registry, entry by entry; ``holders`` says which keys are one holder's, as it grows."""

    def __init__(self, holders: Successions | None = None) -> None:
        self.records: dict[bytes, list[Record]] = {}
        """Signing key → what is known of a bidder under that key, in order of time."""
        self.auctions: dict[bytes, tuple[Deeds, ...]] = {}
        """Auction → what the registry says of its bidders, by signing key."""
        self.points = Points(0, 0)
        """All that was done well and all that was not, by whomever, as of the day when it was said."""
        self._days: dict[bytes, dict[int, Points]] = {}
        self._holders = Successions() if holders is None else holders

    def add(self, auction: bytes, deeds: tuple[Deeds, ...], time_ns: int) -> None:
        """What the registry said at ``time_ns``, which is not before what it said earlier."""
        self.auctions[auction] = self.auctions.get(auction, ()) + deeds
        day = time_ns // DAY_NS
        for each in deeds:
            self.records.setdefault(each.bidder, []).append(Record(time_ns, auction, each))
            days = self._days.setdefault(each.bidder, {})
            before, more = days.get(day, Points(0, 0)), points_of(each)
            days[day] = Points(before.good + more.good, before.bad + more.bad)
            self.points = Points(self.points.good + more.good, self.points.bad + more.bad)

    def ppm(self, bidder: bytes, now_ns: int) -> int:
        """The reputation of ``bidder`` by all that was said so far, as of ``now_ns``."""
        keys = self._holders.keys_of(bidder)
        return reputation_ppm((item for key in keys for item in self._days.get(key, {}).items()), now_ns)

    def records_of(self, bidder: bytes) -> list[Record]:
        """What is known of the holder of this key, under whichever key, in order of time."""
        keys = self._holders.keys_of(bidder)
        return sorted((record for key in keys for record in self.records.get(key, ())), key=lambda each: each.time_ns)

    def ppm_then(self, bidder: bytes, time_ns: int, within_ns: int = 0) -> frozenset[int]:
        """What it was at ``time_ns``; both before and after all that was said ``within_ns`` of that time."""
        said_ns = {record.time_ns for record in self.records_of(bidder) if abs(record.time_ns - time_ns) <= within_ns}
        before = {time_ns - within_ns, *(at_ns + 1 for at_ns in said_ns)}
        return frozenset(reputation_ppm(self._until(bidder, before_ns), time_ns) for before_ns in before)

    def _until(self, bidder: bytes, before_ns: int) -> Iterator[tuple[int, Points]]:
        for record in self.records_of(bidder):
            if record.time_ns < before_ns:
                yield record.time_ns // DAY_NS, points_of(record.deeds)
