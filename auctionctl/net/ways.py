"""The ways by which bids come to the house, one a verifier, and since when none of them has brought anything.

That a gateway has died shows at once; that it stands still, or hangs, shows in nothing but silence. So the gateway
beats: four times a second it sends an empty chunk by each way that bids take, through the verifiers, whose standing
still would keep bids away just as well. Rule: a silence of all ways for more than SILENCE_NS is a loss of the gateway,
from the last beat on (DESIGN.md section 6, gaps); whoever stood still himself meanwhile has heard nothing, and does not
blame others. One silent way among several is no gap: it keeps back the auctions that take it, loses nothing, and is
replaced when it has been silent for HUNG_NS.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.terms import SECOND_NS

BEAT_NS: Final = SECOND_NS // 4
SILENCE_NS: Final = SECOND_NS
HUNG_NS: Final = 10 * SECOND_NS
"""Far more than any load explains: whoever has been silent for so long does not come back."""


class Ways:
    """What was last heard by each way; a way counts from its first beat on. Times are nanoseconds of one clock."""

    def __init__(self) -> None:
        self._heard_ns: dict[int, int] = {}
        self._looked_ns: int | None = None

    def forget(self) -> None:
        """The gateway is gone, and all its ways with it."""
        self._heard_ns.clear()

    def beat(self, way: int, now_ns: int) -> None:
        """A beat has come by ``way``."""
        self._heard_ns[way] = now_ns

    def heard(self, way: int, now_ns: int) -> None:
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
        """The ways that have been silent for too long."""
        return [way for way, heard_ns in self._heard_ns.items() if now_ns - heard_ns > HUNG_NS]
