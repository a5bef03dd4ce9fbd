"""Whom a gateway did not let in, and what it did not pass on: counted, and told to its supervisor once a second.

Rule: keys cost nothing, so that a flood of them is told as a few (:class:`~auctionctl.house.security.SecurityTally`).
"""

from __future__ import annotations

from collections import Counter

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.security import REFUSALS, SecurityEvent, SecurityKind, SecurityTally
from auctionctl.net.door import Answer
from auctionctl.wire.messages import Refused

TELL_NS = SECOND_NS
OF_ADDRESSES = frozenset({Answer.ADDRESS_IS_FULL, Answer.TOO_OFTEN})
TOO_MANY = frozenset({Answer.KEY_IS_FULL, Answer.HOUSE_IS_FULL, Answer.STRANGERS_ARE_FULL, *OF_ADDRESSES})


class TurnedAway:
    """Times are nanoseconds of one clock."""

    def __init__(self) -> None:
        self._tally = SecurityTally()
        self._told_ns = 0
        self.codes: Counter[str] = Counter()
        """How many messages were answered by a refusal and not passed on, by its code."""

    def note(self, key: bytes, host: str, answer: Answer, now_ns: int) -> None:
        """``key``, from the address ``host``, was told ``answer``."""
        if answer is not Answer.LATER:
            kind = SecurityKind.RATE if answer in TOO_MANY else SecurityKind.REFUSED_KEY
            who = host if answer in OF_ADDRESSES else key.hex()
            self._tally.note(kind, who, f"{answer.value}, from {host}", now_ns)

    def refused(self, key: bytes, refusal: Refused, now_ns: int) -> None:
        """A message of ``key``, which is let in, was answered by this and not passed on."""
        self.codes[refusal.code] += 1
        if (kind := REFUSALS.get(refusal.code)) is not None:
            self._tally.note(kind, key.hex(), refusal.message, now_ns)

    def take(self, now_ns: int) -> list[SecurityEvent]:
        """What is to be told now."""
        if not len(self._tally) or now_ns - self._told_ns < TELL_NS:
            return []
        self._told_ns = now_ns
        events = self._tally.events
        self._tally.clear()
        return events
