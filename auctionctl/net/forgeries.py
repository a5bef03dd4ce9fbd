"""What comes of a signature that does not hold: for whom it counts, and what the gateway has to know of it.

Rule: it counts for whoever's session it came by. Before a hello was accepted that is a connection, whose key the
gateway alone knows; afterwards it is an identity, which the house mutes.
"""

from __future__ import annotations

from auctionctl.house.house import House
from auctionctl.house.quotas import MUTE_NS
from auctionctl.net.hops import Misgreeted, Mute, Operation


def count_forgery(house: House, session: int, now_ns: int) -> list[Operation]:
    """A message of ``session`` was not signed by whom it names; what the gateway is told of it."""
    peer = house.presence.peers.get(session)
    if peer is None:
        return [Misgreeted(session)]
    identity = peer.identity.signing
    return [Mute(identity, MUTE_NS)] if house.quotas.forged(identity, now_ns) else []
