"""A plain account of an auction with pauses and a settlement, told anew from its entries each time.

It shares no code with the machine, and keeps nothing up to date: whatever it says is recomputed from the whole list, in
the words of DESIGN.md section 6. Its idea of time is a clock that stands still: a deadline is where its time has run
out on a clock that does not count gaps, pauses, or the time in which a payment is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from auctionctl.auction.increments import Fixed
from auctionctl.auction.rules import Rules

END_OF_TIME = 2**63
NAMES = ("ann", "ben", "cat")
AFTER = {
    "payment": "paid",
    "payment_rejected": "pending_payment",
    "settled": "settled",
    "defaulted": "defaulted",
    "offered": "offered",
    "accepted": "pending_payment",
    "declined": "defaulted",
    "reverted": "reverted",
}
"""Kind of an entry in a settlement → the stage after it, if it changes one."""

Interval = tuple[int, int]


class Row(NamedTuple):
    """One entry: what it is, when, and what it says."""

    kind: str
    time_ns: int
    who: str = ""
    values: tuple[Any, ...] = ()


def length(intervals: list[Interval]) -> int:
    """How much time the intervals cover together."""
    points = sorted({point for interval in intervals for point in interval})
    return sum(b - a for a, b in pairwise(points) if any(start <= a and b <= end for start, end in intervals))


@dataclass
class Account:
    """``rows`` are the entries after the terms, so that row n is entry n + 1."""

    rules: Rules
    announced_ns: int
    rows: list[Row] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Row]:
        return [row for row in self.rows if row.kind in kinds]

    def first(self, *kinds: str) -> Row | None:
        return next(iter(self.of(*kinds)), None)

    def since(self, row: Row) -> list[Row]:
        """``row``, and everything after it."""
        return self.rows[[each is row for each in self.rows].index(True) :]

    # What stands still

    def gaps(self) -> list[Interval]:
        return [row.values for row in self.of("gap")]  # type: ignore[misc]

    def counted(self, start_ns: int, end_ns: int) -> int:
        """How much of that time no gap covers."""
        span = (start_ns, end_ns)
        return length([span, *self.gaps()]) - length(self.gaps()) if start_ns < end_ns else 0

    def after(self, start_ns: int, time_ns: int) -> int:
        """When so much time has passed since ``start_ns``, on a clock that stands still in gaps."""
        return start_ns + time_ns + sum(max(0, end - max(start, start_ns)) for start, end in self.gaps())

    def pauses(self) -> list[tuple[Row, Row | None]]:
        """Each pause: the entries with which it began and ended."""
        turns = self.of("paused", "resumed", "cancelled")
        return [
            (row, turns[place + 1] if place + 1 < len(turns) else None)
            for place, row in enumerate(turns)
            if row.kind == "paused"
        ]

    # Who is there

    def present(self) -> set[str]:
        last = {row.who: row.kind for row in self.of("joined", "left")}
        return {who for who, kind in last.items() if kind == "joined"}

    def absent(self, rows: list[Row]) -> list[str]:
        """Who has left since the opening and is not back, in the order of leaving."""
        found: dict[str, None] = {}
        for row in rows[self._opening(rows) :]:
            if row.kind == "left":
                found[row.who] = None
            if row.kind == "joined":
                found.pop(row.who, None)
        return list(found)

    def _opening(self, rows: list[Row]) -> int:
        return next((place for place, row in enumerate(rows) if row.kind == "opened"), len(rows))

    # Who is waited for

    def waits(self) -> list[tuple[str, int, int | None]]:
        """Each time that a bidder was waited for: from when, until when; None while it lasts."""
        waits: list[tuple[str, int, int | None]] = []

        def may_wait(who: str) -> bool:
            own = [wait for wait in waits if wait[0] == who]
            return len(own) < self.rules.pauses.max_pauses_a_bidder and self._waited_for(who, waits) > 0

        by_terms = False
        for place, row in enumerate(self.rows):
            over = {"joined": {row.who}, "resumed": set(NAMES), "cancelled": set(NAMES)}.get(row.kind, set())
            waits = [(who, start, row.time_ns if end is None and who in over else end) for who, start, end in waits]
            if row.kind == "paused":
                by_terms = not row.who
                if by_terms:
                    here = [who for who in self.absent(self.rows[:place]) if may_wait(who)]
                    waits += [(who, row.time_ns, None) for who in here]
            if row.kind in ("resumed", "cancelled"):
                by_terms = False
            if row.kind == "left" and by_terms and may_wait(row.who):
                waits.append((row.who, row.time_ns, None))
        return waits

    def _waited_for(self, who: str, waits: list[tuple[str, int, int | None]]) -> int:
        """How much longer ``who`` may be waited for."""
        times = [self.counted(start, end) for name, start, end in waits if name == who and end is not None]
        return max(0, self.rules.pauses.max_pause_a_bidder_ns - sum(times))

    def stood_ns(self) -> int:
        """How long it stood still and then went on, without the gaps in that."""
        over = [(begin, end) for begin, end in self.pauses() if end is not None and end.kind == "resumed"]
        return sum(self.counted(begin.time_ns, end.time_ns) for begin, end in over)

    def allows_another(self) -> bool:
        rules = self.rules.pauses
        return len(self.pauses()) < rules.max_pauses and self.stood_ns() < rules.max_pause_ns

    def must_follow(self) -> str | None:
        """What has to come next, whatever the time."""
        rules = self.rules.pauses
        below = len(self.present()) < self.rules.min_bidders
        waiting = [wait for wait in self.waits() if wait[2] is None]
        match self.whereabouts():
            case "announced":
                return None if below else "opened"
            case "open":
                waits = self.waits()
                wanted = {"continue": False, "pause": True, "pause_below_min_bidders": below}[rules.disconnection]
                missed = [
                    who
                    for who in self.absent(self.rows)
                    if len([wait for wait in waits if wait[0] == who]) < rules.max_pauses_a_bidder
                    and self._waited_for(who, waits) > 0
                ]
                runs = self.rows[-1].time_ns < self.ends()[0]
                return "paused" if wanted and missed and runs and self.allows_another() else None
            case "paused" if not self.pauses()[-1][0].who:
                enough = rules.disconnection == "pause_below_min_bidders" and not below
                return "resumed" if enough or not waiting else None
            case "defaulted":
                return "reverted" if self.next_bidder() is None else None
            case _:
                return None

    # Where it stands

    def whereabouts(self) -> str:
        """The phase, or the stage of the settlement."""
        closed = self.first("closed", "cancelled")
        if closed is not None:
            followed = closed.kind == "closed" and closed.values[0] is not None and self.rules.payment.payment_ns
            stages = [AFTER[row.kind] for row in self.since(closed) if row.kind in AFTER]
            return ["pending_payment", *stages][-1] if followed else "closed"
        if self.first("opened") is None:
            return "announced"
        return "paused" if self.pauses() and self.pauses()[-1][1] is None else "open"

    def ends(self) -> tuple[int, int]:
        """(end, longest end): told from the opening on, each pause and gap once where they overlap."""
        rules, still = self.rules, list[Interval]()
        end = longest = 0
        opened = False
        begun: Row | None = None
        for row in self.rows:
            before, more = length(still), list[Interval]()
            if row.kind == "opened":
                opened, end = True, row.time_ns + rules.duration_ns
                longest = end + rules.max_extension_ns
            elif row.kind == "bid" and end - row.time_ns < rules.soft_close_window_ns:
                end = sorted([end, longest, row.time_ns + rules.soft_close_window_ns])[1]
            elif row.kind == "paused":
                begun = row
            elif row.kind == "resumed" and begun is not None:
                within = [gap.values for gap in self.since(begun) if gap.kind == "gap" and gap.time_ns <= row.time_ns]
                more = [(begun.time_ns, self._stood_until(row)), *within[: self._gaps_before(begun, row)]]
                begun = None
            elif row.kind == "gap" and begun is None and opened and row.values[0] < end:
                more = [row.values]  # type: ignore[list-item]
            still += more
            moved = length(still) - before
            end, longest = end + moved, longest + moved
        return end, longest

    def _stood_until(self, resumed: Row) -> int:
        """However late an auction goes on that has reached its cap: its pause ended there."""
        place = [each is resumed for each in self.rows].index(True)
        before = Account(self.rules, self.announced_ns, self.rows[:place])
        cap_ns = None if before.must_follow() == "resumed" else before.deadline()
        return resumed.time_ns if cap_ns is None else min(resumed.time_ns, cap_ns)

    def _gaps_before(self, begun: Row, end: Row) -> int:
        rows = self.since(begun)
        return sum(row.kind == "gap" for row in rows[: [each is end for each in rows].index(True)])

    def deadline(self) -> int | None:
        """When something is due, if nothing happens until then."""
        where, rules = self.whereabouts(), self.rules
        if where == "announced":
            return self.after(self.announced_ns, rules.start_timeout_ns)
        if where == "open":
            return self.ends()[0]
        if where == "paused":
            needed = list[int]()
            since_begin = self.since(self.pauses()[-1][0])
            for place, row in enumerate(since_begin, len(self.rows) - len(since_begin)):
                before = Account(rules, self.announced_ns, self.rows[:place])
                if row.kind == "joined" and (row.who, None) in {(who, end) for who, _, end in before.waits()}:
                    needed.append(min(row.time_ns, before._cap(needed)))
            return self._cap(needed)
        return self._sale_deadline(where)

    def _cap(self, needed: list[int]) -> int:
        """``needed`` are the times at which those came back for whom it waits: as long it stood with good reason."""
        begin, waits, allowed_ns = self.pauses()[-1][0], self.waits(), self.rules.pauses.max_pause_ns
        in_all = self.after(begin.time_ns, allowed_ns - self.stood_ns())
        each = [self.after(start, self._waited_for(who, waits)) for who, start, end in waits if end is None]
        return in_all if begin.who else min(in_all, max(each + [self.after(each_ns, 0) for each_ns in needed]))

    def _sale_deadline(self, where: str) -> int | None:
        payment = self.rules.payment
        if where == "pending_payment":
            due, gone = self.due_ns(), self._gone_since()
            absent = END_OF_TIME if gone is None or not payment.absence_ns else self.after(gone, payment.absence_ns)
            return min(due, absent)
        if where in ("defaulted", "offered"):
            last = self.of("defaulted", "declined", "offered")[-1]
            return self.after(last.time_ns, payment.offer_ns)
        return None

    def _owed_since(self) -> Row:
        return self.of("closed", "accepted")[-1]

    def due_ns(self) -> int:
        """When the debtor has to have paid."""
        begun = self._owed_since()
        reports = [row for row in self.since(begun) if row.kind in ("payment", "payment_rejected")]
        looked = self.counted(reports[0].time_ns, reports[1].time_ns) if len(reports) > 1 else 0
        return self.after(begun.time_ns, self.rules.payment.payment_ns) + looked

    def _gone_since(self) -> int | None:
        """Since when the absence of the debtor counts."""
        debtor, begun = self.debt()[0], self._owed_since()
        if debtor in self.present():
            return None
        resets = [row.time_ns for row in self.since(begun) if row.kind == "payment_rejected"]
        left = [row.time_ns for row in self.since(begun) if row.kind == "left" and row.who == debtor]
        return max([begun.time_ns, *resets, *left])

    # Money

    def bids(self) -> list[tuple[int, str, int]]:
        """(amount, bidder, index in the log)."""
        return [(row.values[0], row.who, index) for index, row in enumerate(self.rows, 1) if row.kind == "bid"]

    def minimum(self) -> int:
        assert isinstance(self.rules.increment, Fixed)
        best = max((bid[0] for bid in self.bids()), default=None)
        return self.rules.starting_price_minor if best is None else best + self.rules.increment.minor

    def debt(self) -> tuple[str, int, int]:
        """(debtor, price, index of its bid): the winner, or whoever accepted last."""
        who = self._owed_since().who
        amount, _, index = max(bid for bid in self.bids() if bid[1] == who)
        return who, amount, index

    def next_bidder(self) -> tuple[int, str, int] | None:
        """To whom the lot is offered next: nobody who has defaulted or declined, at its best bid, if it may be sold."""
        if self.rules.payment.on_default != "offer":
            return None
        asked = {row.who for row in self.of("defaulted", "declined")}
        closed = self.of("closed")[-1]
        left = [bid for bid in self.bids() if bid[1] not in asked and bid[0] >= closed.values[1]]
        return max(left, default=None)
