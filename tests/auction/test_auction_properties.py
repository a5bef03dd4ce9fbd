"""Random auctions beside a naive account of them, and replayed from their entries into a second machine.

The account is a plain list of what was accepted. Everything that the machine keeps up to date is recomputed from the
whole list each time, in the words of DESIGN.md section 6 and in fractions; it shares no code with the machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join, decode_bid, decode_join, encode_bid, encode_join
from auctionctl.auction.events import (
    Cancelled,
    Gap,
    GapCause,
    HouseEvent,
    Left,
    Opened,
    decode_event,
    encode_event,
    kind_of,
)
from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.auction.terms import Reserve, ReserveOpening, Rules, commit_reserve

SECOND_NS = 1_000_000_000
NAMES = ("ann", "ben", "cat", "seller")
RIVAL = "whoever is present and does not lead"

Row = tuple[Any, ...]


@dataclass
class Account:
    """What was accepted, in order: ("joined", who, t, nonce), ("left", who, t), ("opened", t), ("bid", …), …"""

    rules: Rules
    announced_ns: int
    rows: list[Row] = field(default_factory=list)

    def of(self, kind: str) -> list[Row]:
        return [row for row in self.rows if row[0] == kind]

    def bids(self) -> list[tuple[int, str, int, int, int]]:
        """(amount, bidder, seq, time, index in the log): the terms are entry 0, so row n is entry n + 1."""
        return [(*row[1:], index) for index, row in enumerate(self.rows, start=1) if row[0] == "bid"]

    def present(self) -> set[str]:
        last = {row[1]: row[0] for row in self.rows if row[0] in ("joined", "left")}
        return {who for who, kind in last.items() if kind == "joined"}

    def phase(self) -> str:
        if self.of("closed") or self.of("cancelled"):
            return "closed"
        return "open" if self.of("opened") else "announced"

    def deadlines(self) -> tuple[int, int, int]:
        """(start deadline, end, longest end), told from the beginning."""
        start, end, longest, opened = self.announced_ns + self.rules.start_timeout_ns, 0, 0, False
        for kind, *rest in self.rows:
            if kind == "opened":
                opened = True
                end = rest[0] + self.rules.duration_ns
                longest = end + self.rules.max_extension_ns
            elif kind == "bid" and end - rest[3] < self.rules.soft_close_window_ns:
                end = sorted([end, longest, rest[3] + self.rules.soft_close_window_ns])[1]
            elif kind == "gap":
                length = rest[1] - rest[0]
                if opened and rest[0] < end:
                    end, longest = end + length, longest + length
                if not opened and rest[0] < start:
                    start += length
        return start, end, longest

    def best(self) -> tuple[int, str, int] | None:
        """(price, leader, index): the highest amount, the earlier entry first."""
        if not self.bids():
            return None
        amount, who, _, _, index = max(self.bids(), key=lambda bid: (bid[0], -bid[4]))
        return amount, who, index

    def minimum(self) -> int:
        best = self.best()
        if best is None:
            return max(1, self.rules.starting_price_minor)
        price, increment = best[0], self.rules.increment
        match increment:
            case Fixed(step):
                return price + step
            case Percent(basis_points):
                return price + max(1, math.ceil(Fraction(price * basis_points, 10_000)))
            case Table(rows):
                return price + [step for bound, step in rows if bound <= price][-1]

    def takes(self, who: str, amount: int, seq: int, not_after_ns: int, now_ns: int) -> bool:
        best = self.best()
        return (
            self.phase() == "open"
            and now_ns < self.deadlines()[1]
            and who != "seller"
            and who in self.present()
            and seq > max((bid[2] for bid in self.bids() if bid[1] == who), default=0)
            and now_ns <= not_after_ns <= now_ns + self.rules.bid_timeout_ns
            and amount >= self.minimum()
            and (best is None or best[1] != who)
        )

    def lets_in(self, who: str, nonce: bytes, now_ns: int) -> bool:
        start, end, _ = self.deadlines()
        in_time = {"announced": now_ns < start, "open": now_ns < end, "closed": False}[self.phase()]
        used = [row for row in self.of("joined") if (row[1], row[3]) == (who, nonce)]
        return in_time and who != "seller" and who not in self.present() and not used

    def must_open(self) -> bool:
        return self.phase() == "announced" and len(self.present()) >= self.rules.min_bidders

    def heard_until(self) -> int:
        """Up to when no gap can be claimed any more: somebody was heard, or a gap has told of it already."""
        heard = [row[2] for row in self.of("joined")]
        heard += [row[1] for kind in ("opened", "closed", "cancelled") for row in self.of(kind)]
        heard += [row[4] for row in self.of("bid")] + [row[2] for row in self.of("gap")]
        return max(heard, default=self.announced_ns)


def state_of(auction: Auction) -> dict[str, Any]:
    return {name: getattr(auction, name) for name in Auction.__slots__}


class Play:
    """A house that keeps one auction, its account, and a replica that is fed with the bytes of each entry."""

    def __init__(self, room: Any, opening: ReserveOpening | None) -> None:
        self.room = room
        self.auction: Auction = room.auction
        self.opening = opening
        self.account = Account(room.terms.rules, room.now_ns)
        self.replica = Auction(room.auction.id, room.terms, room.now_ns)
        self.names = {room.key(name): name for name in NAMES}

    def agree(self) -> None:
        """The machine, the account and the replica say the same."""
        auction, account = self.auction, self.account
        start, end, longest = account.deadlines()
        standing = auction.standing
        assert auction.phase == account.phase()
        assert (auction.start_deadline_ns, auction.end_ns, auction.max_end_ns) == (start, end, longest)
        assert auction.end_ns <= auction.max_end_ns
        assert auction.get_timer() == {"announced": start, "open": end, "closed": None}[account.phase()]
        assert auction.present == {self.room.key(name) for name in account.present()}
        assert auction.minimum_minor == account.minimum()
        told = None if standing is None else (standing.price_minor, self.names[standing.leader], standing.bid_index)
        assert told == account.best()
        assert auction.bid_count == len(account.bids())
        assert auction.size == len(account.rows) + 1
        assert state_of(self.replica) == state_of(auction)

    def say(self, happened: HouseEvent) -> None:
        now_ns = self.room.now_ns
        assert self.auction.check(happened, now_ns) is None
        self.auction.apply(happened, now_ns)
        heard = decode_event(kind_of(happened), encode_event(happened))
        assert self.replica.check(heard, now_ns) is None
        self.replica.apply(heard, now_ns)

    def due(self) -> None:
        """Run what is due now, as a house does before anything else at this instant."""
        while (happened := self.auction.due(self.room.now_ns, self.opening)) is not None:
            kind = kind_of(happened)
            self.say(happened)
            start, end, _ = self.account.deadlines()
            if kind == "opened":
                assert self.account.must_open()
                assert self.room.now_ns < start
                assert self.account.rows[-1][0] == "joined"
                assert self.account.rows[-1][2] == self.room.now_ns
            else:
                assert self.room.now_ns >= {"cancelled": start, "closed": end}[kind]
            self.account.rows.append((kind, self.room.now_ns))

    def wait(self, by_ns: int) -> None:
        self.room.now_ns += by_ns

    def wait_for_timer(self, offset_ns: int) -> None:
        timer_ns = self.auction.get_timer()
        if timer_ns is not None:
            self.room.now_ns = max(self.room.now_ns, timer_ns + offset_ns)

    def join(self, who: str, nonce: bytes | None) -> None:
        changes = {} if nonce is None else {"nonce": nonce}
        frame: Join = self.room.join_frame(who, **changes)
        refusal = self.auction.decide_join(frame, self.room.now_ns)
        assert (refusal is None) == self.account.lets_in(who, frame.nonce, self.room.now_ns), refusal
        heard = decode_join(encode_join(frame))
        assert self.replica.decide_join(heard, self.room.now_ns) == refusal
        event("refused: " + refusal.code if refusal else "joining accepted")
        if refusal is None:
            self.auction.apply_join(frame, self.room.now_ns)
            self.replica.apply_join(heard, self.room.now_ns)
            self.account.rows.append(("joined", who, self.room.now_ns, frame.nonce))
            self.open_if_it_must()

    def open_if_it_must(self) -> None:
        """Straight after a joining: the opening and nothing else, now and not later."""
        must, now_ns = self.account.must_open(), self.room.now_ns
        assert self.auction.is_ready_to_open == must
        if not must:
            return
        assert self.auction.get_timer() == now_ns
        others = [Left(key) for key in self.auction.present]
        for claim in (*others, Gap(now_ns, now_ns, GapCause.STALLED), Cancelled("min_bidders")):
            for time_ns in (now_ns, self.auction.start_deadline_ns):
                assert self.replica.check(claim, time_ns) is not None
        assert self.replica.check(Opened(), now_ns + 1) is not None
        self.due()
        assert self.account.phase() == "open"

    def leave(self, who: str) -> None:
        left = Left(self.room.key(who))
        allowed = self.account.phase() != "closed" and who in self.account.present()
        assert (self.auction.check(left, self.room.now_ns) is None) == allowed
        if allowed:
            self.say(left)
            self.account.rows.append(("left", who, self.room.now_ns))

    def leave_and_join(self, who: str, nonce: bytes | None) -> None:
        self.leave(who)
        self.join(who, nonce)

    def bid(self, who: str, over: int, seq_step: int, not_after_step_ns: int) -> None:
        now_ns = self.room.now_ns
        best = self.account.best()
        if who is RIVAL:
            rivals = sorted(self.account.present() - ({best[1]} if best else set()))
            who = rivals[len(self.account.rows) % len(rivals)] if rivals else "ann"
        amount = max(1, self.account.minimum() + over)
        seq = max(1, max((bid[2] for bid in self.account.bids() if bid[1] == who), default=0) + seq_step)
        not_after_ns = now_ns + not_after_step_ns
        frame: Bid = self.room.bid_frame(who, amount, seq=seq, not_after_ns=not_after_ns)
        refusal = self.auction.decide_bid(frame, now_ns)
        assert (refusal is None) == self.account.takes(who, amount, seq, not_after_ns, now_ns), refusal
        heard = decode_bid(encode_bid(frame))
        assert self.replica.decide_bid(heard, now_ns) == refusal
        event("refused: " + refusal.code if refusal else "bid accepted")
        if refusal is None:
            index = self.auction.apply_bid(frame, now_ns)
            assert self.replica.apply_bid(heard, now_ns) == index
            self.account.rows.append(("bid", amount, who, seq, now_ns))
            assert self.account.bids()[-1][4] == index

    def gap(self, begins: str, offset_ns: int, grace_ns: int) -> None:
        now_ns = self.room.now_ns
        heard_until_ns = self.account.heard_until()
        since_ns = offset_ns + {"around now": now_ns, "around what was heard last": heard_until_ns}[begins]
        until_ns = now_ns + grace_ns
        in_order = heard_until_ns <= since_ns <= until_ns
        allowed = self.account.phase() != "closed" and in_order and grace_ns <= 5 * SECOND_NS
        gap = Gap(since_ns, until_ns, GapCause.STALLED)
        assert (self.auction.check(gap, now_ns) is None) == allowed
        assert (self.auction.next_gap_since_ns(since_ns) == since_ns) == (heard_until_ns <= since_ns)
        if allowed:
            self.say(gap)
            self.account.rows.append(("gap", since_ns, until_ns))
        event(f"gap allowed: {allowed}")


SPANS = st.sampled_from([0, 1, SECOND_NS]) | st.integers(0, 4 * SECOND_NS)
WHO = st.sampled_from(NAMES)
BIDS = st.tuples(
    st.just("bid"),
    st.sampled_from([RIVAL, RIVAL, RIVAL, RIVAL, *NAMES]),
    st.sampled_from([0, 0, 0, 0, 1, 500, 10**6, -1]),
    st.sampled_from([1, 1, 1, 1, 1, 7, 0, -1]),
    st.sampled_from([SECOND_NS, SECOND_NS, SECOND_NS, 0, 30 * SECOND_NS, 30 * SECOND_NS + 1, -1]),
)
OTHERS = st.one_of(
    st.tuples(st.just("wait"), SPANS),
    st.tuples(
        st.just("wait_for_timer"), st.sampled_from([-10 * SECOND_NS, 1 - 10 * SECOND_NS, -SECOND_NS, -1, -1, -1, 0])
    ),
    st.tuples(st.just("join"), WHO, st.sampled_from([None, b"1" * 16])),
    st.tuples(st.just("leave"), WHO),
    st.tuples(st.just("leave_and_join"), WHO, st.sampled_from([None, b"1" * 16])),
    st.tuples(
        st.just("gap"),
        st.sampled_from(["around now", "around what was heard last", "around what was heard last"]),
        st.sampled_from([-SECOND_NS, -1, 0, 0, 0, 1, SECOND_NS]),
        st.sampled_from([0, 1, SECOND_NS, 5 * SECOND_NS, 5 * SECOND_NS + 1]),
    ),
)
STEPS = st.booleans().flatmap(lambda bidding: BIDS if bidding else OTHERS)
INCREMENTS = st.sampled_from([Fixed(1), Fixed(100), Percent(1), Percent(333), Table(((0, 1), (1_100, 50), (2_000, 7)))])
OPENINGS = st.none() | st.builds(ReserveOpening, st.sampled_from([0, 1_000, 1_100, 5_000]), st.just(b"\x07" * 32))
SOFT_CLOSES = st.sampled_from([(0, 0), (10 * SECOND_NS, 25 * SECOND_NS), (10 * SECOND_NS, 1), (1, 2)])


RULES = st.builds(
    lambda soft_close, **rules: rules | {"soft_close_window_ns": soft_close[0], "max_extension_ns": soft_close[1]},
    SOFT_CLOSES,
    increment=INCREMENTS,
    min_bidders=st.integers(1, 3),
    starting_price_minor=st.integers(0, 1_000),
)


@settings(max_examples=250, deadline=None)
@given(st.lists(STEPS, min_size=25, max_size=60), RULES, OPENINGS, st.sampled_from([3, 3, 3, 2, 0]))
def test_every_auction_is_what_a_plain_account_of_it_says_and_replays_to_the_same_state(
    room_with: Callable[..., Any], steps: list[Row], rules: dict[str, Any], opening: ReserveOpening | None, early: int
) -> None:
    reserve = None if opening is None else Reserve(commit_reserve(opening, "EUR"), b"sealed")
    play = Play(room_with(reserve=reserve, **rules), opening)
    for name in NAMES[:early]:
        play.join(name, None)
    for move, *values in steps:
        getattr(play, move)(*values)
        if move != "gap":
            play.due()
        play.agree()
    while play.auction.get_timer() is not None:
        play.wait_for_timer(0)
        play.due()
        play.agree()
    ends_as_its_account_says(play)


def ends_as_its_account_says(play: Play) -> None:
    """Winner, price and reason, recomputed from the list of bids."""
    outcome, best = play.auction.outcome, play.account.best()
    event(f"end: {play.auction.end_reason}")
    assert outcome is not None
    if play.account.of("cancelled"):
        assert play.auction.end_reason == "cancelled"
        assert not play.account.bids()
        return
    if best is None:
        expected: Row = ("no_bids", None, None, None)
    elif play.opening is not None and best[0] < play.opening.minor:
        expected = ("reserve_not_met", None, None, None)
    else:
        expected = ("completed", play.room.key(best[1]), best[0], best[2])
    assert (outcome.end_reason, outcome.winner, outcome.price_minor, outcome.bid_index) == expected
    assert outcome.reserve == play.opening
    accepted = play.account.bids()
    assert all(one[0] < other[0] and one[1] != other[1] for one, other in pairwise(accepted))
