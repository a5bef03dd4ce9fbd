"""The house's clock, as far as it can be told from here: how far it is off, and whether that is too far.

Rule: nobody is accused by a slow network. What the house says of its time lies between two readings of our clock, or
before one; only what no delay explains counts. The exception is a clock that lags behind in everything that is signed:
that may be delay, so two stamps have to show it, a second apart, which no backlog that is read at once does.

Source: DESIGN.md section 7 (agents warn if the house's time is off by more than 5 s).
"""

from __future__ import annotations

from typing import Final

from auctionctl.tlog.cosignature import SECOND_NS

TOLERANCE_NS: Final = 5 * SECOND_NS


class HouseClock:
    """Times are nanoseconds since 1970, the house's or ours. Nothing has been heard yet."""

    __slots__ = ("_late_since_ns", "_off_ns", "_was_told", "ahead_ns", "round_trip_ns")

    def __init__(self) -> None:
        self.ahead_ns = 0
        """House time minus ours, as of the last answer, or of what came since and was dated later than that."""
        self.round_trip_ns = 0
        self._off_ns = 0
        self._was_told = False
        self._late_since_ns: int | None = None

    def welcomed(self, house_ns: int, asked_ns: int, now_ns: int) -> None:
        """The house has answered a hello, whose way there and back was not measured yet."""
        self.ahead_ns = house_ns - now_ns
        self._bound(house_ns - now_ns, house_ns - asked_ns)

    def answered(self, house_ns: int, asked_ns: int, now_ns: int) -> None:
        """The house has answered a ping at ``house_ns``, in the middle of the round trip as far as we know."""
        self.round_trip_ns = now_ns - asked_ns
        self.ahead_ns = house_ns - (now_ns - self.round_trip_ns // 2)
        self._bound(house_ns - now_ns, house_ns - asked_ns)

    def dated(self, house_ns: int, now_ns: int) -> None:
        """Something that the house dated ``house_ns`` has come; whenever that was, it was not later than now.

        Between two answers our clock may have fallen behind: that of a machine that sleeps stands still.
        """
        self.ahead_ns = max(self.ahead_ns, house_ns - now_ns)
        if house_ns - now_ns > TOLERANCE_NS:
            self._off_ns = house_ns - now_ns

    def stamped(self, time_s: int, now_ns: int) -> None:
        """A clock head of this second has come, which the house sends at once."""
        self.dated(time_s * SECOND_NS, now_ns)
        late_ns = now_ns - (time_s + 1) * SECOND_NS - self.round_trip_ns
        if late_ns <= TOLERANCE_NS:
            self._late_since_ns = None
        elif self._late_since_ns is None:
            self._late_since_ns = now_ns
        elif now_ns - self._late_since_ns >= SECOND_NS:
            self._off_ns = -late_ns

    def take_off_ns(self) -> int | None:
        """By how much the house's clock is ahead of ours, or behind, at least, if that is too much; told once."""
        if not self._off_ns or self._was_told:
            return None
        self._was_told = True
        return self._off_ns

    def _bound(self, least_ns: int, most_ns: int) -> None:
        if least_ns > TOLERANCE_NS:
            self._off_ns = least_ns
        elif most_ns < -TOLERANCE_NS:
            self._off_ns = most_ns
