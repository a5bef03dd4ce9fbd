"""What those of one kind, listed or strangers, may send in a while: commands of each and of all, and questions.

The house decides by this, and its gateway asks the same beforehand so that nothing is checked and carried in vain.
Rule: what one limit refuses counts for no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auctionctl.auction.command_id import command_id
from auctionctl.house.intake import COMMANDS
from auctionctl.house.limits import Limits
from auctionctl.house.rates import Rate, RateLimit
from auctionctl.wire.messages import Refused

UNCOUNTED: Final = frozenset({"hello", "bye"})
"""What is neither a command nor counted as a question: it is limited otherwise, or ends what it comes from."""
QUESTION_BURST_S: Final = 64
QUESTION_RATE: Final = Rate(256, 256 * QUESTION_BURST_S)
"""A reminder costs the check of a signature at most; of others, the bytes of the answers are counted too. What no house
knows counts as well: somebody has to answer it."""


class Share:
    """What ``each`` of a kind may use, and all of them, and everybody, ``together``. Times are in nanoseconds."""

    __slots__ = ("_each", "_questions", "_together")

    def __init__(self, each: Rate, questions: Rate, together: tuple[RateLimit, ...]) -> None:
        self._each = RateLimit(each)
        self._questions = RateLimit(questions)
        self._together = together

    def adjust(self, each: Rate, questions: Rate, own: Mapping[object, Rate]) -> None:
        """These hold from now on, and its ``own`` for an identity that has one."""
        self._each.adjust(each, own)
        self._questions.adjust(questions, {})

    def refuse(self, who: bytes, type_name: str, body: bytes, now_ns: int) -> Refused | None:
        """Why a message of ``who`` (a signing key) is not taken now, and when it would be; None: it counts."""
        if type_name in COMMANDS:
            if wait_ns := self._each.take(who, now_ns):
                return _too_many(f"{self._each.rate_of(who).per_s} commands a second of one identity", body, wait_ns)
            for limit in self._together:
                if wait_ns := limit.take("", now_ns):
                    self._give_back(who, limit)
                    return _too_many(f"{limit.rate.per_s} commands a second in all", body, wait_ns)
        elif type_name not in UNCOUNTED and (wait_ns := self._questions.take(who, now_ns)):
            reason = f"this house answers {self._questions.rate.per_s} questions a second"
            return Refused("rate", reason, b"", wait_ns)
        return None

    def _give_back(self, who: bytes, refused_by: RateLimit) -> None:
        """What ``who`` took before it came to the limit that refused."""
        self._each.give_back(who)
        for limit in self._together[: self._together.index(refused_by)]:
            limit.give_back("")


class Shares:
    """Those of everybody under ``limits``."""

    __slots__ = ("_every_stranger", "_everybody", "listed", "strangers")

    def __init__(self, limits: Limits) -> None:
        self._everybody, self._every_stranger = RateLimit(QUESTION_RATE), RateLimit(QUESTION_RATE)
        self.listed = Share(QUESTION_RATE, QUESTION_RATE, (self._everybody,))
        self.strangers = Share(QUESTION_RATE, QUESTION_RATE, (self._every_stranger, self._everybody))
        self.obey(limits, {})

    def obey(self, limits: Limits, own: Mapping[bytes, Limits]) -> None:
        """These are in force from now on, and its ``own`` for an identity that has some.

        What was used is forgotten where a rate is another one.
        """
        self._everybody.adjust(Rate(limits.all_bids_per_s, limits.all_bids_per_s), {})
        self._every_stranger.adjust(Rate(limits.all_stranger_bids_per_s, limits.all_stranger_bids_per_s), {})
        own_rates: dict[object, Rate] = {
            identity: Rate(its.bids_per_s, its.bids_burst) for identity, its in own.items()
        }
        self.listed.adjust(Rate(limits.bids_per_s, limits.bids_burst), QUESTION_RATE, own_rates)
        questions = Rate(limits.stranger_questions_per_s, limits.stranger_questions_per_s * QUESTION_BURST_S)
        self.strangers.adjust(Rate(limits.stranger_bids_per_s, limits.stranger_bids_burst), questions, {})


def _too_many(limit: str, body: bytes, wait_ns: int) -> Refused:
    return Refused("rate", f"this house takes {limit}; no log can say so", command_id(body), wait_ns)
