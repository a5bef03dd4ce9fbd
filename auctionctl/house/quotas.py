"""How much of a house one identity may use in a while, and when nothing more is taken of it (DESIGN.md section 8).

Rule: what is refused here never reaches the rules and is answered unsigned, with a time to come back: it rests on what
no log holds, so nobody can judge it again. An operator's commands are not counted: they get through whatever others do.
Repeated bytes count like new ones, for they cost the same. The allow list may say other limits for an identity than
those for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from auctionctl.auction.bid import Bid
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.intake import COMMANDS, Request, name_of, refuse, refused
from auctionctl.house.limits import Limits
from auctionctl.house.rates import MAX_KEYS
from auctionctl.house.reads import Reads
from auctionctl.house.shares import Shares
from auctionctl.keys.allowlist import AllowList, Role
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Refused
from auctionctl.wire.session import Peer

if TYPE_CHECKING:
    # A gateway knows quotas, and nothing of logs.
    from auctionctl.house.auction_log import AuctionLog

MAX_FORGERIES: Final = 5
"""So many bad signatures within MUTE_NS are no mistakes."""
MUTE_NS: Final = 60 * SECOND_NS
_OPERATOR: Final = Role.OPERATOR  # at hand, for it is asked of every request
MUTED: Final = "too many signatures of yours were bad: nothing is taken for a while"


class Quotas:
    """What each identity (signing key, 32 bytes) has used. ``peers`` are the sessions that have been greeted.

    Times are the house's, in nanoseconds.
    """

    def __init__(self, limits: Limits, allowed: AllowList, peers: Mapping[int, Peer]) -> None:
        self._peers = peers
        self._limits = limits
        self._allowed: AllowList | None = None
        self._muted_until_ns: dict[bytes, int] = {}
        self._forgeries: dict[bytes, list[int]] = {}
        """Who has lately sent what it had not signed, and when."""
        self._shares = Shares(limits)
        self._reads = Reads(limits)
        self.obey(limits, allowed)

    def obey(self, limits: Limits, allowed: AllowList) -> None:
        """These are in force from now on, if they were not."""
        if limits is not self._limits or allowed is not self._allowed:
            self._limits, self._allowed = limits, allowed
            own = limits.of_their_own(allowed.own_limits)
            self._shares.obey(limits, own)
            self._reads.obey(limits, own)

    def refuse(self, request: Request, type_name: str, now_ns: int) -> Refused | None:
        """Why a message of this type is not taken now, or None; then it counts."""
        session, _, body, _, _ = request
        peer = self._peers.get(session)
        refusal = refuse(peer, type_name, body)
        if refusal is not None or peer is None:
            return refusal
        who = peer.identity.signing
        if self._muted_until_ns and (wait_ns := self._muted_until_ns.get(who, 0) - now_ns) > 0:
            return Refused("muted", MUTED, name_of(type_name, body), wait_ns)
        if peer.role == _OPERATOR and type_name in COMMANDS:
            return None
        share = self._shares.listed if peer.is_listed else self._shares.strangers
        return share.refuse(who, type_name, body, now_ns)

    def refuse_reading(self, session: int, log: bytes, now_ns: int) -> Refused | None:
        """Why nothing of ``log`` (empty for the registry, and the catalogue) is read for this session now, or None."""
        return self._reads.refuse(self._peers[session], log, now_ns)

    def has_read(self, session: int, size_bytes: int, now_ns: int) -> None:
        """This session has been answered with so many bytes."""
        self._reads.used(self._peers[session], size_bytes, now_ns)

    def refuse_bid(self, log: AuctionLog, bid: Bid, name: bytes) -> Message | None:
        """The answer to a bid of somebody who has made as many in this auction as the house takes; None to another.

        Counted are those since the house's process began: a limit of what it keeps, not a rule of the auction.
        """
        most = self._limits.max_bids_an_auction
        if log.bid_counts.get(bid.bidder, 0) < most:
            return None
        return refused("quota", f"this house takes {most} bids of one bidder in one auction", name, MUTE_NS)

    def forged(self, identity: bytes, now_ns: int) -> bool:
        """A message in the name of ``identity``'s session was not signed by it; whether it is muted for that now."""
        times = [each_ns for each_ns in self._forgeries.get(identity, ()) if each_ns > now_ns - MUTE_NS]
        if len(times) < MAX_FORGERIES - 1:
            if len(self._forgeries) >= MAX_KEYS:
                self._forgeries.clear()  # Whoever had a few then has them to spare again: a table is not memory.
            self._forgeries[identity] = [*times, now_ns]
            return False
        self._forgeries.pop(identity, None)
        self._muted_until_ns = {key: until for key, until in self._muted_until_ns.items() if until > now_ns}
        self._muted_until_ns[identity] = now_ns + MUTE_NS
        return True
