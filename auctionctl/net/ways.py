"""The ways by which bids come to the house, one a gateway and verifier, and since when none has brought anything.

That a gateway has died shows at once; that it stands still, or hangs, shows in nothing but silence. So the gateway
beats: four times a second it sends an empty chunk by each way that bids take, through the verifiers, whose standing
still would keep bids away just as well. Rule: a silence of all ways for more than SILENCE_NS is a loss of the gateway,
from the last beat on (DESIGN.md section 6, gaps); whoever stood still himself meanwhile has heard nothing, and does not
blame others. One silent way among several is no gap: it keeps back the auctions that take it, loses nothing, and is
replaced when it has been silent for HUNG_NS. Nor is one silent gateway among several that serve: those who are
connected to it find that out no sooner than the house does, so that it is replaced after STUCK_NS.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from auctionctl.auction.terms import SECOND_NS

BEAT_NS: Final = SECOND_NS // 4
SILENCE_NS: Final = SECOND_NS
HUNG_NS: Final = 10 * SECOND_NS
"""Far more than any load explains: whoever has been silent for so long does not come back."""
STUCK_NS: Final = 3 * SECOND_NS
"""Its sessions can come in by another gateway: they do when their connection to this one has ended."""


class Way(NamedTuple):
    """From this gateway, by its name, through the verifier in this slot."""

    gateway: str
    verifier: int


class Ways:
    """What was last heard by each way; a way counts from its first beat on. Times are nanoseconds of one clock."""

    def __init__(self) -> None:
        self._heard_ns: dict[Way, int] = {}
        self._looked_ns: int | None = None

    def forget(self, gateway: str) -> None:
        """It is gone, and all its ways with it."""
        self._heard_ns = {way: heard_ns for way, heard_ns in self._heard_ns.items() if way.gateway != gateway}

    def beat(self, way: Way, now_ns: int) -> None:
        """A beat has come by ``way``."""
        self._heard_ns[way] = now_ns

    def heard(self, way: Way, now_ns: int) -> None:
        """Something else has come by ``way``: as good as a beat, where there are any."""
        if way in self._heard_ns:
            self._heard_ns[way] = now_ns

    def look(self, now_ns: int) -> int | None:
        """Since when nothing has come, or None while something does. To be called at least every SILENCE_NS / 2."""
        looked_ns, self._looked_ns = self._looked_ns, now_ns
        if looked_ns is not None and now_ns - looked_ns > SILENCE_NS // 2:
            # We stood still: what has come meanwhile has not been read yet.
            self._heard_ns = dict.fromkeys(self._heard_ns, now_ns)
        last_ns = max(self._heard_ns.values(), default=now_ns)
        return last_ns if now_ns - last_ns > SILENCE_NS else None

    def hung(self, now_ns: int) -> list[int]:
        """The verifiers by all whose ways there has been silence for too long."""
        last_ns: dict[int, int] = {}
        for way, heard_ns in self._heard_ns.items():
            last_ns[way.verifier] = max(heard_ns, last_ns.get(way.verifier, heard_ns))
        return [verifier for verifier, heard_ns in last_ns.items() if now_ns - heard_ns > HUNG_NS]

    def stuck(self, now_ns: int) -> list[str]:
        """The gateways of which nothing has come for too long, though others' words do come."""
        last_ns: dict[str, int] = {}
        for way, heard_ns in self._heard_ns.items():
            last_ns[way.gateway] = max(heard_ns, last_ns.get(way.gateway, heard_ns))
        if now_ns - max(last_ns.values(), default=now_ns) > SILENCE_NS:
            return []
        return [gateway for gateway, heard_ns in last_ns.items() if now_ns - heard_ns > STUCK_NS]
