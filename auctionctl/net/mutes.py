"""Keys that are kept out for a while, because they did again what they had been cut for.

Rule: what a bad network can do to an honest client counts less than what takes intent, and is forgotten after a while;
each mute of a key lasts twice as long as the one before. Pure, and bounded: whoever did nothing lately is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auctionctl.auction.terms import SECOND_NS

MEMORY_NS: Final = 600 * SECOND_NS
"""How long an offence counts, and how long after a mute the next one is its repetition."""
FIRST_MUTE_NS: Final = 60 * SECOND_NS
LONGEST_MUTE_NS: Final = 3_600 * SECOND_NS
POINTS_TO_MUTE: Final = 4
MAX_KEYS: Final = 20_000
"""Twice what an allow list holds."""


@dataclass(slots=True)
class _Record:
    points: int = 0
    last_ns: int = 0
    muted_until_ns: int = 0
    next_mute_ns: int = FIRST_MUTE_NS


class Mutes:
    """The offences of keys. Times are nanoseconds of one clock."""

    def __init__(self) -> None:
        self._records: dict[bytes, _Record] = {}

    def offend(self, key: bytes, points: int, now_ns: int) -> int:
        """``key`` has done something worth so many points; for how long it is muted for that, in ns, or 0."""
        record = self._records.pop(key, None)
        if record is None or now_ns - max(record.last_ns, record.muted_until_ns) > MEMORY_NS:
            record = _Record()
        self._records[key] = record
        if len(self._records) > MAX_KEYS:
            del self._records[next(iter(self._records))]
        if now_ns < record.muted_until_ns:
            return 0  # What it did before is paid for already.
        record.points += points
        record.last_ns = now_ns
        if record.points < POINTS_TO_MUTE:
            return 0
        mute_ns = record.next_mute_ns
        record.points = 0
        record.muted_until_ns = now_ns + mute_ns
        record.next_mute_ns = min(2 * mute_ns, LONGEST_MUTE_NS)
        return mute_ns

    def is_muted(self, key: bytes, now_ns: int) -> bool:
        """Whether ``key`` is kept out now."""
        record = self._records.get(key)
        return record is not None and now_ns < record.muted_until_ns
