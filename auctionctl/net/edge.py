"""What a gateway takes of its sessions, and passes on: the house's limits where they cost the house nothing.

The house decides (:mod:`auctionctl.house.quotas`); what is refused here would be refused there, in the same words, but
has cost no check of a signature. Rule: no session fills the queue, nor do strangers together; what operators command
has a lane of its own, here as in the house, and is not counted. Identities cost a stranger nothing, one after the other
on one connection or on many, so that those of one address have no more together than as many as may be connected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.intake import COMMANDS, name_of
from auctionctl.house.limits import Limits
from auctionctl.house.quotas import MUTED
from auctionctl.house.rates import Rate, RateLimit
from auctionctl.house.shares import QUESTION_BURST_S, QUESTION_RATE, UNCOUNTED, Shares
from auctionctl.net.addresses import site_of
from auctionctl.net.door import Door
from auctionctl.net.sessions import Session
from auctionctl.net.strangers import LISTED_SHARE, StrangerLimits
from auctionctl.wire.messages import Refused

SHARES: Final = 4
"""No session has more than one part in so many of the house's queue under way, or LEAST_SHARE if that is more."""
LEAST_SHARE: Final = 16
"""And no stranger more than this."""
PING: Final = "ping"
BUSY_RETRY_NS: Final = SECOND_NS // 20


class Edge:
    """One gateway's. ``limits`` are the house's; ``door`` knows who is a stranger. Times are the gateway's, in ns."""

    def __init__(self, door: Door, limits: Limits) -> None:
        self._door = door
        self._muted_until_ns: dict[bytes, int] = {}
        self._shares = Shares(limits)
        self._own: Mapping[bytes, Mapping[str, int]] = {}
        self._site_commands, self._site_questions = RateLimit(QUESTION_RATE), RateLimit(QUESTION_RATE)
        self.obey(limits)

    def allow(self, own: Mapping[bytes, Mapping[str, int]]) -> None:
        """The allow list says limits of its ``own`` for these identities (signing keys), and for no others."""
        self._own = own
        self._shares.obey(self._limits, self._limits.of_their_own(own))

    def obey(self, limits: Limits) -> None:
        """These are the limits from now on."""
        self._limits = limits
        self.allow(self._own)
        self.queue = limits.queue
        """How many requests the house takes at once."""
        self._spare = max(self.queue // LISTED_SHARE, 1)
        """With fewer under way there is room for anybody, in whose session fewer than LEAST_SHARE are."""
        seats = (self._door.limits.strangers or StrangerLimits()).connections_an_address
        commands = Rate(seats * limits.stranger_bids_per_s, seats * limits.stranger_bids_burst)
        self._site_commands.adjust(commands, {})
        questions_per_s = seats * limits.stranger_questions_per_s
        self._site_questions.adjust(Rate(questions_per_s, questions_per_s * QUESTION_BURST_S), {})

    def mute(self, identity: bytes, until_ns: int, now_ns: int) -> None:
        """The house takes nothing of ``identity`` (a signing key) until then."""
        self._muted_until_ns = {key: until for key, until in self._muted_until_ns.items() if until > now_ns}
        self._muted_until_ns[identity] = until_ns

    def refuse(self, session: Session, type_name: str, body: bytes, under_way: int, now_ns: int) -> Refused | None:
        """Why a message is not passed on, while so many requests are ``under_way``; None: it is, and counts."""
        if type_name == "hello":
            if wait_ns := self._door.greet(session.transport, session.host, now_ns):
                return Refused("rate", "too many hellos: of one key, or of strangers at one address", b"", wait_ns)
        elif self._muted_until_ns and (wait_ns := self._muted_until_ns.get(session.identity, 0) - now_ns) > 0:
            return Refused("muted", MUTED, name_of(type_name, body), wait_ns)
        may_be_full = session.unanswered >= LEAST_SHARE or under_way >= self._spare
        if may_be_full and self._is_full(session, type_name, under_way):
            return Refused("busy", "the queue of this house is full", name_of(type_name, body), BUSY_RETRY_NS)
        if session.is_operator and type_name in COMMANDS:
            return None
        if session.is_listed:
            return self._shares.listed.refuse(session.identity or session.transport, type_name, body, now_ns)
        return self._count_stranger(session, type_name, body, now_ns)

    def refuse_answer(self, session: Session, now_ns: int) -> Refused | None:
        """Why the gateway does not itself answer what is a ping, or no message; None: it does, and a question counts.

        It does so of whoever is muted, who could not keep its session otherwise.
        """
        if session.is_listed:
            return self._shares.listed.refuse(session.identity or session.transport, PING, b"", now_ns)
        return self._count_stranger(session, PING, b"", now_ns)

    def _count_stranger(self, session: Session, type_name: str, body: bytes, now_ns: int) -> Refused | None:
        """Why a message of a stranger is too many, or None; then it counts."""
        who = session.identity or session.transport
        site = site_of(session.host)
        is_command = type_name in COMMANDS
        limit = self._site_commands if is_command else self._site_questions
        if type_name not in UNCOUNTED and (wait_ns := limit.take(site, now_ns)):
            what = "commands" if is_command else "questions"
            reason = f"this house takes {limit.rate.per_s} {what} a second of strangers at one address"
            return Refused("rate", reason, name_of(type_name, body), wait_ns)
        refusal = self._shares.strangers.refuse(who, type_name, body, now_ns)
        if refusal is not None:
            limit.give_back(site)  # What one limit refuses counts for no other.
        return refusal

    def _is_full(self, session: Session, type_name: str, under_way: int) -> bool:
        """Whether there is no room in the house's queue, of which nobody gets more than a part."""
        if not session.is_listed:
            return session.unanswered >= LEAST_SHARE or under_way >= self._spare
        if session.unanswered >= max(self.queue // SHARES, LEAST_SHARE):
            return True
        # What operators command has a lane of its own in the house, too.
        return under_way >= self.queue and type_name != "hello" and not session.is_operator
