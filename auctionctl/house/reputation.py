"""What a house says of its bidders, in its registry, once an auction is final (DESIGN.md section 7).

Rule: it is said in the commit that makes the auction final; what a crash or a full store kept from being said, by the
next one that can. A reputation is what :mod:`auctionctl.replica.reputation` makes of the registry, here as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.registry import RegistryLog
from auctionctl.replica.conduct import MAX_DEEDS, deeds_of
from auctionctl.replica.registry import Conduct


def say_conduct(registry: RegistryLog, ended: Iterable[AuctionLog], now_ns: int) -> None:
    """Enter what ``ended`` auctions, all of them final, say of their bidders, unless that was said before."""
    if not registry.is_writable:
        return
    for log in ended:
        if log.is_halted or log.id in registry.state.reputations.auctions or log.id not in registry.state.auctions:
            continue
        deeds = deeds_of(log.auction, log.invalid)
        for start in range(0, len(deeds), MAX_DEEDS):
            registry.add(Conduct(log.id, deeds[start : start + MAX_DEEDS]), now_ns)
