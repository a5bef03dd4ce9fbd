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
QUESTION_BURST_S: Final = 64
QUESTION_RATE: Final = Rate(256, 256 * QUESTION_BURST_S)
"""Each is answered with at most 64 KiB."""


class Share:
    """What those of one kind may use: ``each`` of them, and all of them together, each of several limits."""

    __slots__ = ("_each", "_together", "questions")

    def __init__(self, each: Rate, questions: Rate, together: tuple[RateLimit, ...]) -> None:
        self.questions = RateLimit(questions)
        self._each = RateLimit(each)
        self._together = together

    def refuse(self, who: bytes, now_ns: int) -> tuple[str, int] | None:
        """The limit that another command of ``who`` would pass, and for how many ns; None: it counts for all limits."""
        if wait_ns := self._each.take(who, now_ns):
            return f"{self._each.rate.per_s} commands a second of one identity", wait_ns
        for number, limit in enumerate(self._together):
            if wait_ns := limit.take("", now_ns):
                self._each.give_back(who)
                for earlier in self._together[:number]:
                    earlier.give_back("")
                return f"{limit.rate.per_s} commands a second in all", wait_ns
        return None


class Quotas:
    """What each identity (signing key, 32 bytes) has used. Times are the house's, in nanoseconds."""

    def __init__(self, limits: Limits) -> None:
        self._muted_until_ns: dict[bytes, int] = {}
        self._forgeries: dict[bytes, list[int]] = {}
        """Who has lately sent what it had not signed, and when."""
        self._obey(limits)

    def _obey(self, limits: Limits) -> None:
        self._limits = limits
        everybody = RateLimit(Rate(limits.all_bids_per_s, limits.all_bids_per_s))
        self._listed = Share(Rate(limits.bids_per_s, limits.bids_burst), QUESTION_RATE, (everybody,))
        questions = Rate(limits.stranger_questions_per_s, limits.stranger_questions_per_s * QUESTION_BURST_S)
        each = Rate(limits.stranger_bids_per_s, limits.stranger_bids_burst)
        strangers = RateLimit(Rate(limits.all_stranger_bids_per_s, limits.all_stranger_bids_per_s))
        self._strangers = Share(each, questions, (strangers, everybody))

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
        if type_name in QUESTIONS:
            questions = self._share_of(peer).questions
            if wait_ns := questions.take(peer.identity.signing, now_ns):
                return Refused("rate", f"this house answers {questions.rate.per_s} questions a second", b"", wait_ns)
        return None

    def _share_of(self, peer: Peer) -> Share:
        return self._listed if peer.is_listed else self._strangers

    def _refuse_command(self, peer: Peer, request: Request, now_ns: int) -> Refused | None:
        refusal = self._share_of(peer).refuse(peer.identity.signing, now_ns)
        if refusal is None:
            return None
        limit, wait_ns = refusal
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
