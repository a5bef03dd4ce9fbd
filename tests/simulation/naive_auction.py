"""The rules of an auction once more, as plainly as they can be put, and sharing no line with the product.

Entries are read with a bare msgpack decoder, by place. Rule: where this and :mod:`auctionctl.auction` differ, one
of them is wrong, and the simulation fails. Source: DESIGN.md sections 6 and 7, and nothing else.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import msgspec
from naive_pauses import NaivePauses
from naive_sale import NaiveBid, NaiveSale

_decode = msgspec.msgpack.Decoder().decode


class Broken(Exception):
    """The log breaks a rule: which, and where."""


COMMANDS: Final = frozenset(
    {"joined", "bid", "paused", "resumed", "cancelled", "payment", "payment_rejected", "settled"}
    | {"offered", "accepted", "declined"}
)
"""Kinds of entries that hold what a participant signed, where they are signed."""
OPERATIONS: Final = frozenset({"pause", "resume", "cancel"})
FOLLOWING: Final = {
    "none": "terms",
    "announced": "joined left gap takeover opened cancelled",
    "open": "joined left gap takeover bid paused closed cancelled",
    "paused": "joined left gap takeover resumed cancelled",
    "closed": "",
    "pending_payment": "joined left gap takeover payment defaulted",
    "paid": "payment_rejected settled takeover",
    "defaulted": "gap takeover offered reverted",
    "offered": "gap takeover accepted declined",
    "settled": "",
    "reverted": "",
}
"""Where it stands → which kinds of entries may follow."""
FOREVER_NS: Final = 2**62
COMMAND_NS: Final = 300 * 10**9
GRACE_NS: Final = 5 * 10**9


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
        self.bids: list[NaiveBid] = []
        self.seqs: dict[bytes, int] = {}
        self.joins: list[tuple[bytes, bytes]] = []
        self.commands: dict[bytes, int] = {}
        self.gaps: list[tuple[int, int]] = []
        self.takeovers: list[tuple[str, int]] = []
        self.lefts: list[tuple[bytes, int]] = []
        self.ends: list[tuple[str, Any]] = []  # kind and body of each entry that ended it
        self.floor_ns = 0  # no gap reaches back over it, and no deadline runs from before it
        self.terms: Any = None
        self.pauses: Any = None
        self.sale: NaiveSale | None = None
        self.stage_index = 0  # of the entry by which it came to where it stands

    # What the terms say

    @property
    def house(self) -> bytes:
        return self.terms[1]

    @property
    def seller(self) -> bytes:
        return self.terms[2]

    @property
    def rules(self) -> Any:
        """format, currency, start, increment, duration, start timeout, min bidders, bid timeout, window, longest,
        reserve, pauses, payment, cancellation, by place."""
        return self.terms[6]

    @property
    def has_ended(self) -> bool:
        """Whether bidding has."""
        return self.phase == "closed"

    @property
    def is_final(self) -> bool:
        return self.where in ("closed", "settled", "reverted")

    @property
    def where(self) -> str:
        return self.phase if self.sale is None else self.sale.stage

    @property
    def is_full(self) -> bool:
        return self.phase == "announced" and len(self.present) >= self.rules[6]

    @property
    def is_below(self) -> bool:
        return len(self.present) < self.rules[6]

    @property
    def must_follow(self) -> str:
        """The kind of the entry that has to come next, if any."""
        if self.is_full:
            return "opened"
        if self.phase == "open" and self.time_ns < self.end_ns and self.pauses.must_begin(self.is_below, self.gaps):
            return "paused"
        if self.phase == "paused" and self.pauses.must_end(self.is_below):
            return "resumed"
        return "reverted" if self.where == "defaulted" and self.sale is not None and self.sale.next_bid is None else ""

    @property
    def running_ns(self) -> int:
        """The deadline that runs, or 0."""
        if self.must_follow:
            return self.time_ns
        if self.sale is not None:
            return self.sale.deadline_ns or 0
        return {"announced": self.start_deadline_ns, "open": self.end_ns, "paused": self._cap_ns}.get(self.phase, 0)

    @property
    def bidding_ns(self) -> int:
        """Until when somebody could still do something: an auction that stands still goes on, whatever its cap."""
        return FOREVER_NS if self.phase == "paused" else self.running_ns

    @property
    def _cap_ns(self) -> int:
        return self.pauses.cap_ns(self.gaps) if self.phase == "paused" else 0

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
        if command[0] == "bid":
            return self._judge_bid(command, now_ns)
        if command[0] == "join":
            return self._judge_join(command, now_ns)
        return self._judge_command(command, sha256(body).digest(), now_ns)

    def _judge_command(self, command: Any, name: bytes, now_ns: int) -> str:
        kind, house, _, _, _, _, not_after_ns, *_ = command
        if house != self.house:
            return "wrong_house"
        if name in self.commands:
            return "command_repeated"
        if late := self._judge_times(not_after_ns, now_ns, COMMAND_NS):
            return late
        if kind not in OPERATIONS:
            return "no_sale" if self.sale is None else self.sale.judge(command, now_ns, self.seller, self.rules[1])
        if self.phase == "closed" or now_ns >= self.running_ns:
            return "closed"
        if kind == "pause":
            if self.phase != "open":
                return "paused" if self.phase == "paused" else "not_open"
            return "" if self.pauses.allows_another(self.gaps) else "pauses_used_up"
        if kind == "resume":
            if self.phase != "paused":
                return "not_paused"
            return "paused_by_terms" if self.pauses.is_by_terms else ""
        return "has_bids" if self.bids and self.rules[13] == "before_first_bid" else ""

    def _judge_bid(self, bid: Any, now_ns: int) -> str:
        _, house, _, bidder, seq, amount, currency, _, not_after, *_ = bid
        if house != self.house:
            return "wrong_house"
        if self.phase in ("announced", "paused"):
            return "paused" if self.phase == "paused" else "not_open"
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
        late = self._judge_times(not_after, now_ns, self.rules[7])
        if late:
            return late
        if not self.bids:
            return "below_starting_price" if amount < self.minimum_minor() else ""
        if bidder == self.leader:
            return "already_leading"
        return "below_increment" if amount < self.minimum_minor() else ""

    def _judge_join(self, join: Any, now_ns: int) -> str:
        _, house, _, bidder, nonce, _, not_after, stated = join
        if house != self.house:
            return "wrong_house"
        if (self.has_ended and not self._minds(bidder)) or now_ns >= self.running_ns:
            return "closed"
        if bidder == self.seller:
            return "own_auction"
        if bidder in self.present:
            return "already_joined"
        if (bidder, nonce) in self.joins:
            return "join_repeated"
        if late := self._judge_times(not_after, now_ns, self.rules[7]):
            return late
        if stated and not self.rules[14]:
            return "wrong_reputation"
        return "low_reputation" if stated < self.rules[14] and not self.last_seq(bidder) else ""

    def _minds(self, bidder: bytes) -> bool:
        """Whether, bidding being over, it matters that ``bidder`` comes or goes."""
        return self.sale is not None and self.sale.minds_absence and bidder == self.sale.debtor

    def _judge_times(self, not_after_ns: int, now_ns: int, ahead_ns: int) -> str:
        if now_ns > not_after_ns:
            return "expired"
        return "not_after_too_far" if not_after_ns - now_ns > ahead_ns else ""

    # The log

    def apply(self, data: bytes) -> None:
        """The next entry; Broken if it cannot be one."""
        kind, time_ns, body, signature = _decode(data)
        if time_ns < self.time_ns:
            raise Broken(f"entry {self.size} is dated before the one below it")
        if kind not in FOLLOWING[self.where].split():
            raise Broken(f"entry {self.size}: {kind} has no place while {self.where}")
        first = self.must_follow if self.size else ""
        if first and (kind != first or time_ns != self.time_ns):
            raise Broken(f"entry {self.size}, {kind}, where {first} had to follow at once")
        at_ns, where = max(self.floor_ns, time_ns), self.where
        if signature and kind in COMMANDS:
            code = self.judge(body, time_ns)
            self._count(body)
            if code:
                raise Broken(f"entry {self.size} should have been refused: {code}")
            getattr(self, f"_signed_{kind}")(_decode(body), time_ns, at_ns)
        else:
            getattr(self, f"_{kind}")(body, time_ns, at_ns)
        self.time_ns = time_ns
        if kind not in ("left", "gap", "takeover"):
            self.floor_ns = at_ns
        if self.where != where:
            self.stage_index = self.size
        self.size += 1

    def _count(self, body: bytes) -> None:
        name = sha256(body).digest()
        if name in self.commands:
            raise Broken(f"entry {self.size} is the command of entry {self.commands[name]} again")
        self.commands[name] = self.size

    # What participants sign

    def _terms(self, body: bytes, time_ns: int, at_ns: int) -> None:
        self.terms = _decode(body)
        self.phase = "announced"
        self.pauses = NaivePauses(self.rules[11])
        self.start_deadline_ns = time_ns + self.rules[5]
        self._count(body)

    def _signed_joined(self, join: Any, time_ns: int, at_ns: int) -> None:
        _, _, _, bidder, nonce, *_ = join
        self.present.append(bidder)
        self.joins.append((bidder, nonce))
        if self.sale is not None:
            self.sale.away_ns = None
            return
        if bidder in self.pauses.absent:
            self.pauses.absent.remove(bidder)
        self.pauses.back(bidder, at_ns, self.gaps)

    def _signed_bid(self, bid: Any, time_ns: int, at_ns: int) -> None:
        _, _, _, bidder, seq, amount, *_ = bid
        self.bids.append((self.size, bidder, amount, seq))
        self.seqs[bidder] = seq
        window_ns = self.rules[8]
        if window_ns and time_ns + window_ns > self.end_ns:
            moved_ns = min(time_ns + window_ns, self.max_end_ns)
            if moved_ns > self.end_ns:
                self.end_ns = moved_ns
                self.extensions += 1

    def _signed_paused(self, _: Any, time_ns: int, at_ns: int) -> None:
        self.phase = "paused"
        self.pauses.begin(at_ns, False, self.gaps)

    def _signed_resumed(self, _: Any, time_ns: int, at_ns: int) -> None:
        self.phase = "open"
        moved_ns = self.pauses.end(at_ns, self.gaps)
        self.end_ns += moved_ns
        self.max_end_ns += moved_ns

    def _signed_cancelled(self, _: Any, time_ns: int, at_ns: int) -> None:
        self._end("cancelled", ["cancelled", "operator"])

    def _signed_payment(self, pay: Any, time_ns: int, at_ns: int) -> None:
        sale = self._sale
        sale.stage, sale.paid_at_ns = "paid", at_ns
        sale.payment = max(self.commands, key=lambda name: self.commands[name])

    def _signed_payment_rejected(self, _: Any, time_ns: int, at_ns: int) -> None:
        sale = self._sale
        sale.stage = "pending_payment"
        if not sale.was_rejected:
            sale.due_ns += at_ns - sale.paid_at_ns
        sale.was_rejected = True
        sale.away_ns = None if sale.debtor in self.present else at_ns

    def _signed_settled(self, _: Any, time_ns: int, at_ns: int) -> None:
        self._sale.stage = "settled"

    def _signed_offered(self, offer: Any, time_ns: int, at_ns: int) -> None:
        sale = self._sale
        sale.stage, sale.offered_to, sale.by_ns = "offered", offer[7], at_ns + sale.rules[3]
        sale.offer = max(self.commands, key=lambda name: self.commands[name])

    def _signed_accepted(self, accept: Any, time_ns: int, at_ns: int) -> None:
        self._sale.owe(accept[3], at_ns, accept[3] in self.present)

    def _signed_declined(self, _: Any, time_ns: int, at_ns: int) -> None:
        self._sale.drop(self._sale.offered_to, at_ns)

    @property
    def _sale(self) -> NaiveSale:
        if self.sale is None:
            raise Broken(f"entry {self.size}: nothing was sold")
        return self.sale

    # What the house says

    def _opened(self, _: bytes, time_ns: int, at_ns: int) -> None:
        if not self.is_full:
            raise Broken(f"entry {self.size}: opened with too few bidders")
        self.phase = "open"
        self.pauses.absent.clear()
        self.end_ns = time_ns + self.rules[4]
        self.max_end_ns = self.end_ns + self.rules[9]

    def _left(self, body: bytes, time_ns: int, at_ns: int) -> None:
        bidder = _decode(body)[1]
        if bidder not in self.present or (self.has_ended and not self._minds(bidder)):
            raise Broken(f"entry {self.size}: somebody left who was not there, or does not matter")
        if self.phase == "paused" and time_ns >= self._cap_ns:
            raise Broken(f"entry {self.size}: somebody left where it had to go on")
        self.present.remove(bidder)
        self.lefts.append((bidder, time_ns))
        if self.sale is not None:
            self.sale.away_ns = at_ns
            return
        self.pauses.absent.append(bidder)
        if self.phase == "paused" and self.pauses.is_by_terms:
            self.pauses.wait(bidder, at_ns, self.gaps)

    def _gap(self, body: bytes, time_ns: int, at_ns: int) -> None:
        _, since_ns, until_ns, _ = _decode(body)
        if not self.floor_ns <= since_ns <= until_ns <= time_ns + GRACE_NS:
            raise Broken(f"entry {self.size}: a gap over a sign of life or another gap, or too far ahead")
        self.gaps.append((since_ns, until_ns))
        self.floor_ns = until_ns
        by_ns = until_ns - since_ns
        if self.phase == "announced" and self.start_deadline_ns > since_ns:
            self.start_deadline_ns += by_ns
        elif self.phase == "open" and self.end_ns > since_ns:
            self.end_ns += by_ns
            self.max_end_ns += by_ns
        elif self.sale is not None:
            self.sale.gap(since_ns, until_ns)

    def _takeover(self, body: bytes, time_ns: int, at_ns: int) -> None:
        _, instance, epoch = _decode(body)
        if not instance or any(epoch <= before for _, before in self.takeovers):
            raise Broken(f"entry {self.size}: taken over by nobody, or by whom another had outdated")
        self.takeovers.append((instance, epoch))

    def _paused(self, body: bytes, time_ns: int, at_ns: int) -> None:
        if self.must_follow != "paused":
            raise Broken(f"entry {self.size}: paused without cause")
        self.phase = "paused"
        self.pauses.begin(at_ns, True, self.gaps)

    def _resumed(self, body: bytes, time_ns: int, at_ns: int) -> None:
        cause = "terms" if self.must_follow else "cap"
        if _decode(body)[1] != cause or (cause == "cap" and time_ns < self._cap_ns):
            raise Broken(f"entry {self.size}: resumed without cause")
        self._signed_resumed(None, time_ns, at_ns)

    def _cancelled(self, body: bytes, time_ns: int, at_ns: int) -> None:
        if self.phase != "announced" or time_ns < self.start_deadline_ns:
            raise Broken(f"entry {self.size}: cancelled without cause")
        self._end("cancelled", _decode(body))

    def _closed(self, body: bytes, time_ns: int, at_ns: int) -> None:
        if time_ns < self.end_ns:
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
        self._end("closed", _decode(body))
        if winner is not None and self.rules[12][0]:
            self.sale = NaiveSale(self.rules[12], self.bids, 0 if opening is None else opening[0])
            self.sale.owe(winner, at_ns, winner in self.present)

    def _defaulted(self, body: bytes, time_ns: int, at_ns: int) -> None:
        sale, (_, bidder, cause) = self._sale, _decode(body)
        is_due = sale.deadline_ns is not None and time_ns >= sale.deadline_ns
        if not is_due or bidder != sale.debtor or (cause == "late") != (time_ns >= sale.due_ns):
            raise Broken(f"entry {self.size}: defaulted too soon, or not so")
        sale.drop(bidder, at_ns)

    def _declined(self, body: bytes, time_ns: int, at_ns: int) -> None:
        sale = self._sale
        if time_ns < sale.by_ns or _decode(body)[1] != sale.offer:
            raise Broken(f"entry {self.size}: an offer lapsed too soon, or another one did")
        sale.drop(sale.offered_to, at_ns)

    def _reverted(self, body: bytes, time_ns: int, at_ns: int) -> None:
        sale = self._sale
        if sale.next_bid is not None and time_ns < sale.by_ns:
            raise Broken(f"entry {self.size}: reverted while the lot could be offered")
        sale.stage = "reverted"

    def _end(self, kind: str, body: Any) -> None:
        self.ends.append((kind, body))
        self.phase = "closed"
