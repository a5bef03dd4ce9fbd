"""How the sale of one auction is paid for, defaulted on and offered anew, as plainly as it can be put.

Shares no line with the product (:mod:`naive_auction`). Rule: who owes, who may be asked next and who is out of the
question is looked up in the list of bids each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

NaiveBid = tuple[int, bytes, int, int]
"""Index, bidder, amount, seq."""


@dataclass
class NaiveSale:
    """``rules``: how long to pay, how long one may be gone, what follows a default, how long to offer and to answer."""

    rules: Any
    bids: Sequence[NaiveBid]
    reserve_minor: int
    stage: str = "pending_payment"
    debtor: bytes = b""
    price_minor: int = 0
    bid_index: int = 0
    due_ns: int = 0
    was_rejected: bool = False
    by_ns: int = 0
    away_ns: int | None = None
    paid_at_ns: int = 0
    payment: bytes = b""
    offer: bytes = b""
    offered_to: bytes = b""
    out: list[bytes] = field(default_factory=list)

    def owe(self, debtor: bytes, at_ns: int, is_here: bool) -> None:
        self.stage, self.debtor = "pending_payment", debtor
        self.bid_index, _, self.price_minor, _ = self.last_bid_of(debtor)
        self.due_ns = at_ns + self.rules[0]
        self.was_rejected = False
        self.away_ns = None if is_here else at_ns

    def last_bid_of(self, bidder: bytes) -> NaiveBid:
        return next(bid for bid in reversed(self.bids) if bid[1] == bidder)

    @property
    def next_bid(self) -> NaiveBid | None:
        """The highest bid of those who are not out of the question; the last bid of an auction is its highest."""
        if self.rules[2] != "offer":
            return None
        found = next((bid for bid in reversed(self.bids) if bid[1] not in self.out), None)
        return found if found is not None and found[2] >= self.reserve_minor else None

    @property
    def minds_absence(self) -> bool:
        return self.stage == "pending_payment" and self.rules[1] > 0

    @property
    def deadline_ns(self) -> int | None:
        if self.stage == "pending_payment":
            is_gone = self.away_ns is not None and self.rules[1] > 0
            return (
                min(self.due_ns, self.away_ns + self.rules[1]) if is_gone and self.away_ns is not None else self.due_ns
            )
        return self.by_ns if self.stage in ("defaulted", "offered") else None

    def drop(self, bidder: bytes, at_ns: int) -> None:
        """``bidder`` is out of the question; the seller may make an offer."""
        self.stage = "defaulted"
        self.out.append(bidder)
        self.offered_to = b""
        self.by_ns = at_ns + self.rules[3]

    def gap(self, since_ns: int, until_ns: int) -> None:
        by_ns = until_ns - since_ns
        if self.stage in ("defaulted", "offered") and self.by_ns > since_ns:
            self.by_ns += by_ns
        if self.stage == "pending_payment":
            if self.away_ns is not None and self.rules[1] and self.away_ns + self.rules[1] > since_ns:
                self.away_ns += max(0, until_ns - max(since_ns, self.away_ns))
            if self.due_ns > since_ns:
                self.due_ns += by_ns

    # Why a command is refused

    def judge(self, command: Any, now_ns: int, seller: bytes, currency: str) -> str:
        kind, actor = command[0], command[3]
        is_late = self.deadline_ns is not None and now_ns >= self.deadline_ns
        if self.stage in ("settled", "reverted"):
            return self.stage
        if self.stage == "defaulted" and is_late:
            return "reverted"
        if kind == "pay":
            return self._judge_pay(command, is_late, currency)
        if kind in ("settle", "reject_payment"):
            if command[7] == "seller" and actor != seller:
                return "not_the_seller"
            if self.stage != "paid":
                return "not_paid"
            return "" if command[8] == self.payment else "wrong_payment"
        if kind == "offer":
            return self._judge_offer(command, seller, currency)
        if is_late or self.stage != "offered":
            return "no_offer"
        if actor != self.offered_to:
            return "not_offered"
        return "" if command[7] == self.offer else "wrong_offer"

    def _judge_pay(self, pay: Any, is_late: bool, currency: str) -> str:
        if is_late or self.stage in ("defaulted", "offered"):
            return "defaulted"
        if pay[3] != self.debtor:
            return "not_the_winner"
        if self.stage == "paid":
            return "already_paid"
        return "" if (pay[7], pay[8]) == (self.price_minor, currency) else "wrong_amount"

    def _judge_offer(self, offer: Any, seller: bytes, currency: str) -> str:
        if offer[3] != seller:
            return "not_the_seller"
        found = self.next_bid
        if self.stage != "defaulted" or found is None:
            return "no_default"
        index, bidder, amount, _ = found
        return (
            "" if (offer[7], offer[8], offer[10], offer[9]) == (bidder, amount, index, currency) else "not_next_bidder"
        )
