"""Clock heads: while an auction runs, the house says again and again how long its log is, and how late it is.

Whoever follows an open auction gets its head with the house's signature over the time: every second in the last minute
before the end, every ten seconds before that and while it is paused, and once with the close. An entry that comes later
and is dated earlier then proves that the house back-dated it (:mod:`auctionctl.tlog.cosignature`; DESIGN.md section 7).
Nobody follows, nothing is signed.

Rule: a stamp is never later than what the store has as the time when the house was last alive, and a house that starts
again begins no earlier than there; so no crash makes an honest house contradict itself, not even with a clock that has
gone back. Where that time is from an earlier second, a commit comes first, of nothing if there is nothing to append;
one for all stamps of a second, which therefore fall due together, on the second.

The form has one signature a head, which cannot be shared as those of checkpoints are: 17 µs, and as much again where
the checkpoint has no signature of its own yet. So no more than ``CLOCK_HEADS_A_TURN`` are signed in one turn of the
house; what is left over waits for the next turn, in order. Logs that are not near their end take turns within the ten
seconds, by their ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auctionctl.auction.auction import Auction
from auctionctl.auction.phase import Phase
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.effects import Effect, Publish
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.cosignature import Cosigner
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import ClockHead, encode

LAST_MINUTE_NS: Final = 60 * SECOND_NS
"""So long before its end, and until then, an auction's head is stamped every second; not while it stands still."""
SLOW_S: Final = 10
"""Before that, every so many seconds."""
CLOCK_HEADS_A_TURN: Final = 32
"""About a millisecond; and few enough for a session that follows many, for which 64 messages may wait."""
FULL_PAUSE_S: Final = 10
"""How long a store that was full is not asked to keep the time: such a commit takes what it came with down with it."""


class ClockHeads:
    """Which logs are due for a stamp, and the latest time that may be stamped. Times are the house's."""

    def __init__(self, key: SecretKey) -> None:
        self._cosigner = Cosigner(key.identity.text, key)
        self._followed: dict[bytes, None] = {}
        self._due: dict[bytes, None] = {}
        self._second = 0
        """The last one for which has been found out what is due."""
        self._quiet_until_s = 0
        self._durable_ns = 0
        self._committing_ns: int | None = None

    def follow(self, auction: bytes) -> None:
        """Somebody has subscribed to this auction. It is forgotten when it has ended, or nobody follows it any more."""
        self._followed[auction] = None

    def ended(self, auction: bytes) -> None:
        """The current batch closes or cancels this auction: whoever follows it gets a stamp over that, too."""
        if auction in self._followed:
            del self._followed[auction]
            self._due[auction] = None

    def get_timer(self) -> int | None:
        """When something may next be due, or None."""
        if self._due:
            return self._second * SECOND_NS
        return (max(self._second, self._quiet_until_s - 1) + 1) * SECOND_NS if self._followed else None

    def fall_due(self, now_ns: int, logs: Mapping[bytes, AuctionLog]) -> None:
        """Find out what is due at ``now_ns``: at most once a second, over all that is followed."""
        second = now_ns // SECOND_NS
        passed, self._second = second - self._second, max(second, self._second)
        if passed <= 0 or second < self._quiet_until_s:
            return
        for auction in list(self._followed):
            log = logs.get(auction)
            if log is None or not log.followers or log.is_halted or log.auction.outcome is not None:
                del self._followed[auction]
            elif log.auction.opened_at_ns:
                # Seconds may have been skipped, and with them this log's turn.
                is_its_turn = (second + auction[0]) % SLOW_S < passed
                if is_its_turn or _is_near_its_end(log.auction, now_ns):
                    self._due[auction] = None

    # The commit point

    @property
    def needs_commit(self) -> bool:
        """Whether something is due, and the time of this second has to become durable before it can be stamped."""
        return bool(self._due) and self._durable_ns // SECOND_NS < self._second

    def committing(self, alive_ns: int) -> None:
        """A commit is asked for, by which ``alive_ns`` becomes durable as the time when the house was last alive."""
        self._committing_ns = alive_ns

    def rolled_back(self) -> None:
        """It was not made. What was due comes late or never; what has ended is ended again by another batch."""
        self._committing_ns = None
        self._followed |= self._due
        self._due.clear()
        self._quiet_until_s = self._second + FULL_PAUSE_S

    def release(self, logs: Mapping[bytes, AuctionLog]) -> list[Effect]:
        """Everything in ``logs`` is durable: stamp what is due, as much as one turn takes."""
        if self._committing_ns is not None:
            self._durable_ns = max(self._durable_ns, self._committing_ns)
            self._committing_ns = None
        effects: list[Effect] = []
        while self._due and len(effects) < CLOCK_HEADS_A_TURN:
            auction = next(iter(self._due))
            del self._due[auction]
            log = logs.get(auction)
            if log is not None and log.followers and not log.is_halted:
                note = self._cosigner.stamp(log.sign_head(), self._durable_ns // SECOND_NS)
                effects.append(Publish(auction, Message(encode(ClockHead(auction, note)))))
        return effects


def _is_near_its_end(auction: Auction, now_ns: int) -> bool:
    return auction.phase is Phase.OPEN and auction.end_ns - now_ns <= LAST_MINUTE_NS
