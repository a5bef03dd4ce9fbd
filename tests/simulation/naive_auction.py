"""The rules of an auction once more, as plainly as they can be put, and sharing no line with the product.

Entries are read with a bare msgpack decoder, by place. Rule: where this and :mod:`auctionctl.auction` differ, one
of them is wrong, and the simulation fails. Source: DESIGN.md sections 6 and 7, and nothing else.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

_decode = msgspec.msgpack.Decoder().decode


class Broken(Exception):
    """The log breaks a rule: which, and where."""


class NaiveAuction:
    """One log, entry by entry. Times in nanoseconds, amounts in minor units."""

    def __init__(self) -> None:
        self.size = 0
        self.phase = "none"
        self.time_ns = 0
        self.start_deadline_ns = 0
        self.end_ns = 0
        self.max_end_ns = 0
        self.extensions = 0
        self.present: list[bytes] = []
        self.bids: list[tuple[int, bytes, int, int]] = []  # index, bidder, amount, seq
        self.seqs: dict[bytes, int] = {}
        self.joins: list[tuple[bytes, bytes]] = []
        self.commands: dict[bytes, int] = {}
        self.gaps: list[tuple[int, int]] = []
        self.lefts: list[tuple[bytes, int]] = []
        self.ends: list[tuple[str, Any]] = []  # kind and body of each entry that ended it
        self.last_join_ns = 0
        self.last_sign_ns = 0
        self.terms: Any = None

    # What the terms say

    @property
    def house(self) -> bytes:
        return self.terms[1]

    @property
    def seller(self) -> bytes:
        return self.terms[2]

    @property
    def rules(self) -> Any:
        """By place: format, currency, start, increment, duration, start timeout, min bidders, bid timeout, window, …"""
        return self.terms[6]

    @property
    def has_ended(self) -> bool:
        return self.phase == "closed"

    @property
    def is_full(self) -> bool:
        return self.phase == "announced" and len(self.present) >= self.rules[6]

    @property
    def running_ns(self) -> int:
        """The deadline that runs, or 0."""
        if self.phase == "announced" and not self.is_full:
            return self.start_deadline_ns
        return self.end_ns if self.phase == "open" else 0

    @property
    def leader(self) -> bytes:
        return self.bids[-1][1] if self.bids else b""

    @property
    def price_minor(self) -> int | None:
        return self.bids[-1][2] if self.bids else None

    def last_seq(self, bidder: bytes) -> int:
        return self.seqs.get(bidder, 0)

    def minimum_minor(self) -> int:
        price = self.price_minor
        if price is None:
            return max(1, self.rules[2])
        kind, value = self.rules[3]
        if kind == "fixed":
            return price + value
        if kind == "percent":
            step, rest = divmod(price * value, 10_000)
            return price + max(1, step + (rest > 0))
        for bound, step in reversed(value):
            if bound <= price:
                return price + step
        raise Broken("a table without a row for this price")

    # Whether a command is taken, at this size and this time

    def judge(self, body: bytes, now_ns: int) -> str:
        """The code of the rule that refuses the command in ``body``; empty if none does."""
        command = _decode(body)
        return self._judge_bid(command, now_ns) if command[0] == "bid" else self._judge_join(command, now_ns)

    def _judge_bid(self, bid: Any, now_ns: int) -> str:
        _, house, _, bidder, seq, amount, currency, _, not_after, *_ = bid
        if house != self.house:
            return "wrong_house"
        if self.phase == "announced":
            return "not_open"
        if self.phase != "open" or now_ns >= self.end_ns:
            return "closed"
        if bidder == self.seller:
            return "own_auction"
        if bidder not in self.present:
            return "not_joined"
        if currency != self.rules[1]:
            return "wrong_currency"
        last = self.last_seq(bidder)
        if seq == last:
            return "sequence_conflict"
        if seq < last:
            return "stale"
        late = self._judge_times(not_after, now_ns)
        if late:
            return late
        if not self.bids:
            return "below_starting_price" if amount < self.minimum_minor() else ""
        if bidder == self.leader:
            return "already_leading"
        return "below_increment" if amount < self.minimum_minor() else ""

    def _judge_join(self, join: Any, now_ns: int) -> str:
        _, house, _, bidder, nonce, _, not_after = join
        if house != self.house:
            return "wrong_house"
        deadline_ns = self.start_deadline_ns if self.phase == "announced" else self.end_ns
        if self.phase == "closed" or now_ns >= deadline_ns:
            return "closed"
        if bidder == self.seller:
            return "own_auction"
        if bidder in self.present:
            return "already_joined"
        if (bidder, nonce) in self.joins:
            return "join_repeated"
        return self._judge_times(not_after, now_ns)

    def _judge_times(self, not_after_ns: int, now_ns: int) -> str:
        if now_ns > not_after_ns:
            return "expired"
        return "not_after_too_far" if not_after_ns - now_ns > self.rules[7] else ""

    # The log

    def apply(self, data: bytes) -> None:
        """The next entry; Broken if it cannot be one."""
        kind, time_ns, body, _ = _decode(data)
        if time_ns < self.time_ns:
            raise Broken(f"entry {self.size} is dated before the one below it")
        if self.has_ended:
            raise Broken(f"entry {self.size}, {kind}, after the end")
        if self.is_full and kind != "opened":
            raise Broken(f"entry {self.size}, {kind}, where it had to open")
        handler = getattr(self, f"_{kind}", None)
        if handler is None or (self.phase == "none") != (kind == "terms"):
            raise Broken(f"entry {self.size}: {kind} has no place here")
        self.time_ns = time_ns
        handler(body, time_ns)
        self.size += 1

    def _terms(self, body: bytes, time_ns: int) -> None:
        self.terms = _decode(body)
        self.phase = "announced"
        self.start_deadline_ns = time_ns + self.rules[5]
        self.last_sign_ns = time_ns
        self._count(body)

    def _joined(self, body: bytes, time_ns: int) -> None:
        self._accept(body, time_ns)
        _, _, _, bidder, nonce, *_ = _decode(body)
        self.present.append(bidder)
        self.joins.append((bidder, nonce))
        self.last_join_ns = self.last_sign_ns = time_ns

    def _bid(self, body: bytes, time_ns: int) -> None:
        if self.phase != "open":
            raise Broken(f"entry {self.size}: a bid while {self.phase}")
        self._accept(body, time_ns)
        _, _, _, bidder, seq, amount, *_ = _decode(body)
        self.bids.append((self.size, bidder, amount, seq))
        self.seqs[bidder] = seq
        self.last_sign_ns = time_ns
        window_ns = self.rules[8]
        if window_ns and time_ns + window_ns > self.end_ns:
            moved_ns = min(time_ns + window_ns, self.max_end_ns)
            if moved_ns > self.end_ns:
                self.end_ns = moved_ns
                self.extensions += 1

    def _accept(self, body: bytes, time_ns: int) -> None:
        code = self.judge(body, time_ns)
        self._count(body)
        if code:
            raise Broken(f"entry {self.size} should have been refused: {code}")

    def _count(self, body: bytes) -> None:
        name = sha256(body).digest()
        if name in self.commands:
            raise Broken(f"entry {self.size} is the command of entry {self.commands[name]} again")
        self.commands[name] = self.size

    def _opened(self, body: bytes, time_ns: int) -> None:
        if not self.is_full:
            raise Broken(f"entry {self.size}: opened with too few bidders")
        if time_ns != self.last_join_ns:
            raise Broken(f"entry {self.size}: opened later than the joining that made it possible")
        self.phase = "open"
        self.end_ns = time_ns + self.rules[4]
        self.max_end_ns = self.end_ns + self.rules[9]

    def _left(self, body: bytes, time_ns: int) -> None:
        bidder = _decode(body)[1]
        if bidder not in self.present:
            raise Broken(f"entry {self.size}: who was not there left")
        self.present.remove(bidder)
        self.lefts.append((bidder, time_ns))

    def _gap(self, body: bytes, time_ns: int) -> None:
        _, since_ns, until_ns, _ = _decode(body)
        if since_ns < self.last_sign_ns or (self.gaps and since_ns < self.gaps[-1][1]):
            raise Broken(f"entry {self.size}: a gap over a sign of life or another gap")
        self.gaps.append((since_ns, until_ns))
        by_ns = until_ns - since_ns
        if self.phase == "announced" and self.start_deadline_ns > since_ns:
            self.start_deadline_ns += by_ns
        elif self.phase == "open" and self.end_ns > since_ns:
            self.end_ns += by_ns
            self.max_end_ns += by_ns

    def _cancelled(self, body: bytes, time_ns: int) -> None:
        if self.phase != "announced" or time_ns < self.start_deadline_ns:
            raise Broken(f"entry {self.size}: cancelled without cause")
        self._end("cancelled", body)

    def _closed(self, body: bytes, time_ns: int) -> None:
        if self.phase != "open" or time_ns < self.end_ns:
            raise Broken(f"entry {self.size}: closed before its end")
        _, reason, winner, price, index, opening = _decode(body)
        expected: tuple[Any, ...] = ("no_bids", None, None, None)
        if self.bids:
            best, by, amount, _ = self.bids[-1]
            is_sold = opening is None or amount >= opening[0]
            expected = ("completed", by, amount, best) if is_sold else ("reserve_not_met", None, None, None)
        if (reason, winner, price, index) != expected:
            raise Broken(f"entry {self.size}: {reason} at {price}, where {expected[0]} at {expected[2]} is right")
        if (opening is None) != (self.rules[10] is None):
            raise Broken(f"entry {self.size}: a reserve is opened exactly where there is one")
        self._end("closed", body)

    def _end(self, kind: str, body: bytes) -> None:
        self.ends.append((kind, _decode(body)))
        self.phase = "closed"
