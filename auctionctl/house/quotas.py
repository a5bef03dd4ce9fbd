"""How much of a house one identity may use in a while, and when nothing more is taken of it (DESIGN.md section 8).

Rule: what is refused here never reaches the rules and is answered unsigned, with a time to come back: it rests on what
no log holds, so nobody can judge it again. An operator's commands are not counted: they get through whatever others do.
Repeated bytes count like new ones, for they cost the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auctionctl.auction.bid import Bid, Join, command_id
from auctionctl.auction.commands import AnyCommand
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.intake import COMMANDS, Request, refuse, refused
from auctionctl.house.limits import Limits
from auctionctl.house.rates import MAX_KEYS, Rate, RateLimit
from auctionctl.keys.allowlist import Role
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Refused
from auctionctl.wire.session import Peer

MAX_FORGERIES: Final = 5
"""So many bad signatures within MUTE_NS are no mistakes."""
MUTE_NS: Final = 60 * SECOND_NS
QUESTIONS: Final = frozenset({"list", "read", "subscribe", "status"})
QUESTION_RATE: Final = Rate(256, 16_384)
"""Each is answered with at most 64 KiB."""


class Quotas:
    """What each identity (signing key, 32 bytes) has used. Times are the house's, in nanoseconds."""

    def __init__(self, limits: Limits) -> None:
        self._muted_until_ns: dict[bytes, int] = {}
        self._forgeries: dict[bytes, list[int]] = {}
        """Who has lately sent what it had not signed, and when."""
        self._questions = RateLimit(QUESTION_RATE)
        self._obey(limits)

    def _obey(self, limits: Limits) -> None:
        self._limits = limits
        self._each = RateLimit(Rate(limits.bids_per_s, limits.bids_burst))
        self._all = RateLimit(Rate(limits.all_bids_per_s, limits.all_bids_per_s))

    def refuse(
        self, peers: Mapping[int, Peer], request: Request, type_name: str, limits: Limits, now_ns: int
    ) -> Refused | None:
        """Why a message of this type is not taken now, or None; then it counts. ``limits`` are those in force."""
        peer, body = peers.get(request.session), request.body
        refusal = refuse(peer, type_name, body)
        if refusal is not None or peer is None:
            return refusal
        if limits is not self._limits:
            self._obey(limits)
        if self._muted_until_ns and (wait_ns := self._muted_until_ns.get(peer.identity.signing, 0) - now_ns) > 0:
            reason = "too many signatures of yours were bad: nothing is taken for a while"
            return Refused("muted", reason, _name_of(type_name, body), wait_ns)
        if type_name in COMMANDS:
            return None if peer.role == Role.OPERATOR else self._refuse_command(peer, request, now_ns)
        if type_name in QUESTIONS and (wait_ns := self._questions.take(peer.identity.signing, now_ns)):
            return Refused("rate", f"this house answers {QUESTION_RATE.per_s} questions a second", b"", wait_ns)
        return None

    def _refuse_command(self, peer: Peer, request: Request, now_ns: int) -> Refused | None:
        me = peer.identity.signing
        if wait_ns := self._each.take(me, now_ns):
            limit = f"{self._limits.bids_per_s} commands a second of one identity"
        elif wait_ns := self._all.take("", now_ns):
            self._each.give_back(me)
            limit = f"{self._limits.all_bids_per_s} commands a second in all"
        else:
            return None
        return Refused("rate", f"this house takes {limit}; no log can say so", command_id(request.body), wait_ns)

    def refuse_bid(self, log: AuctionLog, command: Bid | Join | AnyCommand, name: bytes) -> Message | None:
        """The answer to a bid of somebody who has made as many in this auction as the house takes; None to another.

        Counted are those since the house's process began: a limit of what it keeps, not a rule of the auction.
        """
        most = self._limits.max_bids_an_auction
        if not isinstance(command, Bid) or log.bid_counts.get(command.bidder, 0) < most:
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


def _name_of(type_name: str, body: bytes) -> bytes:
    """The id of a command; nothing else has a name of its own."""
    return command_id(body) if type_name in COMMANDS else b""
