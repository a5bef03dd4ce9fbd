"""What of a house's own process belongs into the journal of security events, and how it gets there.

Rule: events are counted, and told once a second when there is room for them: a reader that has fallen asleep holds up
nothing. What the house refuses is read off its answers, so that nothing is refused unseen.
"""

from __future__ import annotations

import socket
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import RemoteProtocolError
from auctionctl.house.house import House
from auctionctl.house.quotas import MAX_FORGERIES, MUTE_NS
from auctionctl.house.security import REFUSALS, SecurityKind, SecurityTally
from auctionctl.keys.allowlist import AllowList
from auctionctl.net.clock import Clock
from auctionctl.net.forgeries import count_forgery
from auctionctl.net.hops import Mute, Noticed, Operation
from auctionctl.net.news import tell
from auctionctl.wire.frames import message_type
from auctionctl.wire.messages import Refused, decode_reply

TELL_NS: Final = SECOND_NS


class Noticing:
    """What the process of ``house`` has seen; ``control`` leads to the supervisor, who keeps the journal."""

    def __init__(self, control: socket.socket, house: House) -> None:
        self._control = control
        self._house = house
        self._tally = SecurityTally()
        self._told_ns = 0

    def sent(self, session: int, body: bytes, clock: Clock) -> None:
        """``body`` is an answer to ``session``: count it if it is a refusal of a kind that matters."""
        if message_type(body) != "refused":
            return
        try:
            answer = decode_reply(body)
        except RemoteProtocolError:
            return
        if not isinstance(answer, Refused):
            return
        self._house.tally.refused[answer.code] += 1
        if (kind := REFUSALS.get(answer.code)) is not None:
            peer = self._house.presence.peers.get(session)
            self._tally.note(kind, "" if peer is None else peer.name, answer.message, clock.now_ns())

    def forged(self, session: int, now_ns: int) -> list[Operation]:
        """A message of ``session`` was not signed by whom it names: count it, and return what the gateway is told."""
        told = count_forgery(self._house, session, now_ns)
        if any(isinstance(each, Mute) for each in told):
            words = f"{MAX_FORGERIES} bad signatures: nothing is taken for {MUTE_NS // SECOND_NS} s"
            self._tally.note(SecurityKind.MUTE, self._house.presence.peers[session].name, words, now_ns)
        return told

    def allow(self, after: AllowList, now_ns: int) -> None:
        """Another allow list is about to be in force: who is new, who is gone, and who loses a session by it."""
        old, new = ({entry.name for entry in each} for each in (self._house.allowed, after))
        changes = (("let in", new - old), ("shut out", old - new))
        told = [f"{what}: {', '.join(sorted(who))}" for what, who in changes if who]
        words = f"{len(new)} names; {'; '.join(told) or 'the same as before'}"
        self._tally.note(SecurityKind.ALLOW_LIST, "", words, now_ns)
        for session in self._house.presence.not_admitted(after):
            name = self._house.presence.peers[session].name
            self._tally.note(SecurityKind.CUT, name, "no longer on the allow list in this role", now_ns)

    def tell(self, now_ns: int) -> None:
        """To the supervisor, now and then. Raises PipeClosedError if nobody is there any more."""
        if not len(self._tally) or now_ns - self._told_ns < TELL_NS:
            return
        self._told_ns = now_ns
        events = self._tally.events
        self._tally.clear()
        for index, event in enumerate(events):
            # One at a time: all of them may be more than a socket takes at once.
            if not tell(self._control, Noticed([event])):
                self._tally.add_all(events[index:])
                return
