"""Keys that are kept out for a while, because they did again what they had been cut for.

Rule: what a bad network can do to an honest client counts less than what takes intent, and is forgotten after a while;
each mute of a key lasts twice as long as the one before. Pure, and bounded: whoever did nothing lately is forgotten.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from auctionctl.auction.terms import SECOND_NS

MEMORY_NS: Final = 600 * SECOND_NS
"""How long an offence counts, and how long after a mute the next one is its repetition."""
FIRST_MUTE_NS: Final = 60 * SECOND_NS
LONGEST_MUTE_NS: Final = 3_600 * SECOND_NS
POINTS_TO_MUTE: Final = 4
MAX_KEYS: Final = 20_000
"""Twice what an allow list holds."""


class KeptOut(NamedTuple):
    """``key`` is kept out for so long, the ``left_ns`` of the ``whole_ns`` that its mute lasts."""

    key: bytes
    left_ns: int
    whole_ns: int


class _Record(msgspec.Struct):
    points: int = 0
    last_ns: int = 0
    muted_until_ns: int = 0
    next_mute_ns: int = FIRST_MUTE_NS


class Mutes:
    """The offences of keys. Times are nanoseconds of one clock."""

    def __init__(self) -> None:
        self._records: dict[bytes, _Record] = {}
        self._begun: list[KeptOut] = []

    def offend(self, key: bytes, points: int, now_ns: int) -> int:
        """``key`` has done something worth so many points; for how long it is muted for that, in ns, or 0."""
        record = self._records.pop(key, None)
        if record is None or now_ns - max(record.last_ns, record.muted_until_ns) > MEMORY_NS:
            record = _Record()
        self._keep(key, record)
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
        self._begun.append(KeptOut(key, mute_ns, mute_ns))
        return mute_ns

    def take_begun(self) -> list[KeptOut]:
        """The mutes that have begun since this was last asked."""
        begun, self._begun = self._begun, []
        return begun

    def restore(self, mute: KeptOut, now_ns: int) -> None:
        """It began in another process."""
        left_ns, whole_ns = (min(max(each, 0), LONGEST_MUTE_NS) for each in (mute.left_ns, mute.whole_ns))
        next_ns = min(max(2 * whole_ns, FIRST_MUTE_NS), LONGEST_MUTE_NS)
        self._keep(mute.key, _Record(0, now_ns, now_ns + left_ns, next_ns))

    def _keep(self, key: bytes, record: _Record) -> None:
        """As the latest, in place of the one that has done nothing for longest."""
        self._records.pop(key, None)
        self._records[key] = record
        if len(self._records) > MAX_KEYS:
            del self._records[next(iter(self._records))]

    def is_muted(self, key: bytes, now_ns: int) -> bool:
        """Whether ``key`` is kept out now."""
        record = self._records.get(key)
        return record is not None and now_ns < record.muted_until_ns
