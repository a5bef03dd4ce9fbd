"""What those of one kind, listed or strangers, may send in a while: commands of each and of all, and questions.

The house decides by this, and its gateway asks the same beforehand so that nothing is checked and carried in vain.
Rule: what one limit refuses counts for no other.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.bid import command_id
from auctionctl.house.intake import COMMANDS
from auctionctl.house.limits import Limits
from auctionctl.house.rates import Rate, RateLimit
from auctionctl.wire.messages import Refused

QUESTIONS: Final = frozenset({"list", "read", "subscribe", "status", "measure"})
QUESTION_BURST_S: Final = 64
QUESTION_RATE: Final = Rate(256, 256 * QUESTION_BURST_S)
"""Each is answered with at most 64 KiB."""


class Share:
    """What ``each`` of a kind may use, and all of them, and everybody, ``together``. Times are in nanoseconds."""

    __slots__ = ("_each", "_questions", "_together")

    def __init__(self, each: Rate, questions: Rate, together: tuple[RateLimit, ...]) -> None:
        self._each = RateLimit(each)
        self._questions = RateLimit(questions)
        self._together = together

    def refuse(self, who: bytes, type_name: str, body: bytes, now_ns: int) -> Refused | None:
        """Why a message of ``who`` (a signing key) is not taken now, and when it would be; None: it counts."""
        if type_name in COMMANDS:
            if wait_ns := self._each.take(who, now_ns):
                return _too_many(f"{self._each.rate.per_s} commands a second of one identity", body, wait_ns)
            for limit in self._together:
                if wait_ns := limit.take("", now_ns):
                    self._give_back(who, limit)
                    return _too_many(f"{limit.rate.per_s} commands a second in all", body, wait_ns)
        elif type_name in QUESTIONS and (wait_ns := self._questions.take(who, now_ns)):
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

    __slots__ = ("limits", "listed", "strangers")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        everybody = RateLimit(Rate(limits.all_bids_per_s, limits.all_bids_per_s))
        self.listed = Share(Rate(limits.bids_per_s, limits.bids_burst), QUESTION_RATE, (everybody,))
        questions = Rate(limits.stranger_questions_per_s, limits.stranger_questions_per_s * QUESTION_BURST_S)
        each = Rate(limits.stranger_bids_per_s, limits.stranger_bids_burst)
        strangers = RateLimit(Rate(limits.all_stranger_bids_per_s, limits.all_stranger_bids_per_s))
        self.strangers = Share(each, questions, (strangers, everybody))


def _too_many(limit: str, body: bytes, wait_ns: int) -> Refused:
    return Refused("rate", f"this house takes {limit}; no log can say so", command_id(body), wait_ns)
