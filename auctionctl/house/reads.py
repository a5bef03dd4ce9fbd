"""How many bytes of logs each identity reads in a while.

Rule: what is read is counted when it has been, since nobody knows before how much that is: one answer too many is
waited for with the next. A stranger reads a part of what others do, and uses nothing of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auctionctl.house.limits import Limits
from auctionctl.house.rates import Rate, RateLimit
from auctionctl.wire.messages import Refused
from auctionctl.wire.session import Peer

STRANGER_READS: Final = 16
"""A stranger reads one part in so many of what others do."""


class Reads:
    """What has been read lately, by signing keys. Times are the house's, in nanoseconds."""

    def __init__(self, limits: Limits) -> None:
        self._listed = RateLimit(_rate(limits))
        self._strangers = RateLimit(_rate(limits, STRANGER_READS))

    def obey(self, limits: Limits, own: Mapping[bytes, Limits]) -> None:
        """These are in force from now on, and its ``own`` for an identity that has some."""
        self._listed.adjust(_rate(limits), {identity: _rate(its) for identity, its in own.items()})
        self._strangers.adjust(_rate(limits, STRANGER_READS), {})

    def refuse(self, peer: Peer, log: bytes, now_ns: int) -> Refused | None:
        """Why ``peer`` reads nothing of ``log`` (empty for the registry, and the catalogue) now, or None."""
        limit, who = self._of(peer), peer.identity.signing
        if not (wait_ns := limit.wait_ns(who, now_ns)):
            return None
        words = f"this house gives {limit.rate_of(who).per_s} bytes a second to one identity"
        return Refused("rate", words, log, wait_ns)

    def used(self, peer: Peer, size_bytes: int, now_ns: int) -> None:
        """``peer`` has been answered with so many bytes."""
        self._of(peer).use(peer.identity.signing, size_bytes, now_ns)

    def _of(self, peer: Peer) -> RateLimit:
        return self._listed if peer.is_listed else self._strangers


def _rate(limits: Limits, part: int = 1) -> Rate:
    return Rate(max(1, limits.read_bytes_per_s // part), max(1, limits.read_bytes_burst // part))
