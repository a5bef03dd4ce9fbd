"""What strangers have of a gateway: less than listed keys, of one address no more than a little, and never all of it.

Keys cost nothing, so what a stranger may is bounded by the address that it comes from; whatever strangers do, a part of
all connections is left to listed keys. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from auctionctl.house.rates import Rate, RateLimit
from auctionctl.net.addresses import site_of

LISTED_SHARE: Final = 2
"""One part in so many of all connections is for listed keys alone."""
MINUTE_S: Final = 60


class StrangerLimits(msgspec.Struct, frozen=True):
    """How many connections there may be of one stranger, from one address, and of strangers in all; how often within
    a minute somebody may knock from one address, whether there is room or not, and say hello."""

    connections_a_key: int = 2
    connections_an_address: int = 8
    connections: int = 128
    arrivals_a_minute: int = 20

    def share(self, gateways: int) -> StrangerLimits:
        """What one of so many gateways has of them, rounded up."""
        return StrangerLimits(*(-(-getattr(self, name) // gateways) for name in self.__struct_fields__))


class Strangers:
    """``seats`` are (key, address) of all connections that have said something, those of listed keys too.

    Times are nanoseconds of one clock.
    """

    def __init__(self, limits: StrangerLimits, seats: Callable[[], Iterable[tuple[bytes, str]]]) -> None:
        self.limits = limits
        self._seats = seats
        a_minute = Rate(limits.arrivals_a_minute, limits.arrivals_a_minute)
        self._arrivals = RateLimit(a_minute)
        self._greetings = RateLimit(a_minute)

    def count(self, host: str, listed: frozenset[bytes]) -> tuple[int, int]:
        """How many connections strangers have, from the address of ``host`` and in all; ``listed`` keys are none."""
        site = site_of(host)
        sites = [site_of(other) for key, other in self._seats() if key not in listed]
        return sites.count(site), len(sites)

    def arrive(self, host: str, now_ns: int) -> int:
        """0 if somebody who knocks from ``host`` is looked at now, which counts; else in how many nanoseconds."""
        return _take_of_a_minute(self._arrivals, host, now_ns)

    def greet(self, host: str, now_ns: int) -> int:
        """0 if a hello from ``host`` is taken now, which counts; else in how many nanoseconds."""
        return _take_of_a_minute(self._greetings, host, now_ns)


def _take_of_a_minute(limit: RateLimit, host: str, now_ns: int) -> int:
    """Of a rate that is one a minute: by a clock whose seconds are minutes."""
    return limit.take(site_of(host), now_ns // MINUTE_S) * MINUTE_S
