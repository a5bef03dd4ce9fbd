"""The house's clock: wall time at the start, monotonic from then on (DESIGN.md section 7)."""

from __future__ import annotations

import time
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ClockBackError, ConfigurationError

MAX_CLOCK_BACK_NS: Final = 5 * SECOND_NS
MAX_CLOCK_AHEAD_NS: Final = MAX_CLOCK_BACK_NS


class Clock:
    """Never goes back while the process lives, whatever is done to the wall clock."""

    __slots__ = ("_offset_ns",)

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._offset_ns + time.monotonic_ns()


def check_not_ahead(now_ns: int, servers_ns: int) -> None:
    """Whether an instance may begin by whose clock it was ``now_ns`` before the cluster answered that it is so late.

    Raises ConfigurationError where it is far ahead: of what it had written when it died, nobody could take over before
    that time has come.
    """
    if now_ns - servers_ns > MAX_CLOCK_AHEAD_NS:
        raise ConfigurationError(
            f"the clock of this machine is {(now_ns - servers_ns) // SECOND_NS} s ahead of the cluster's, and other"
            " instances could take over nothing from this one",
            hint="set it, or those of the servers, by NTP, and start again: auctionctl doctor --store shows each",
        )


def check_clock(now_ns: int, last_ns: int) -> int:
    """The time at which a house may start whose last sign of life is of ``last_ns``: not before that.

    Raises ClockBackError where the clock has gone back far: new entries would be dated before old ones (DESIGN.md
    section 7).
    """
    if last_ns - now_ns > MAX_CLOCK_BACK_NS:
        raise ClockBackError(
            f"the clock of this machine is {(last_ns - now_ns) // SECOND_NS} s before the house's last entry",
            hint="set the clock, then start again",
        )
    return max(now_ns, last_ns)
