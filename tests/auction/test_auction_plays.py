"""Random auctions that stand still, are called off, paid for or not, beside a plain account of them and a replica.

After every entry the machine, its account (``account.py``) and a second machine that was fed the bytes say the same,
and what the machine says is possible is what it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from auctionctl.auction import commands
from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import decode_bid, decode_join, encode_bid, encode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import KINDS, Capacity, decode_command, encode_command, type_of
from auctionctl.auction.events import (
    Closed,
    Defaulted,
    Gap,
    GapCause,
    HouseEvent,
    Left,
    OfferLapsed,
    Takeover,
    decode_event,
    encode_event,
    kind_of,
)
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import Reserve, ReserveOpening, commit_reserve

from .account import NAMES, Account, Row

SECOND_NS = 1_000_000_000
TYPES = {type_of(each): each for each in commands.AnyCommand.__args__}  # type: ignore[attr-defined]
PEOPLE = (*NAMES, "seller", "otto")
NO_ID = b"?" * 32


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
        self.names = {room.key(name): name for name in PEOPLE}

    def note(self, kind: str, who: bytes | str = "", *values: Any) -> None:
        name = self.names[who] if isinstance(who, bytes) else who
        self.account.rows.append(Row(kind, self.room.now_ns, name, values))

    # What all three say

    def agree(self) -> None:
        auction, account = self.auction, self.account
        where = account.whereabouts()
        assert auction.whereabouts == where
        assert auction.size == len(account.rows) + 1
        assert (auction.end_ns, auction.max_end_ns) == account.ends()
        assert auction.present == {self.room.key(name) for name in account.present()}
        assert (auction.pauses.count, auction.pauses.spent_ns) == (len(account.pauses()), account.stood_ns())
        first, must = auction.must_follow, account.must_follow()
        assert (None if first is None else kind_of(first)) == must
        assert auction.get_timer() == (auction.last_time_ns if must else account.deadline())
        if auction.settlement is not None:
            who, price, index = account.debt()
            settlement = auction.settlement
            assert (settlement.debtor, settlement.price_minor, settlement.bid_index) == (
                self.room.key(who),
                price,
                index,
            )
            assert where not in ("pending_payment", "paid") or settlement.due_ns == account.due_ns() or where == "paid"
            bidder = account.next_bidder()
            told = None if bidder is None else (self.room.key(bidder[1]), (bidder[0], bidder[2]))
            if where in ("defaulted", "reverted"):
                assert settlement.next_bidder == told
        assert state_of(self.replica) == state_of(auction)

    def possible(self) -> None:
        """What is said to be possible is what is taken from whoever may do it; nothing is due now."""
        assert self.auction.must_follow is None
        timer_ns = self.auction.get_timer()
        assert timer_ns is None or self.room.now_ns < timer_ns
        taken = {name for name in TYPES if self.decide(self.frame(name, self.whose(name))) is None}
        assert taken == set(self.auction.possible_commands)

    # Entries

    def say(self, happened: HouseEvent) -> None:
        now_ns = self.room.now_ns
        heard = decode_event(kind_of(happened), encode_event(happened))
        for auction, one in ((self.auction, happened), (self.replica, heard)):
            assert auction.check(one, now_ns) is None
            auction.apply(one, now_ns)

    def due(self) -> None:
        """Run what is due now, as a house does before anything else at this instant."""
        while True:
            self.agree()
            happened = self.auction.due(self.room.now_ns, self.opening)
            must = self.account.must_follow()
            deadline_ns = self.room.now_ns if must else self.account.deadline()
            is_due = deadline_ns is not None and deadline_ns <= self.room.now_ns
            assert (happened is not None) == is_due
            if happened is None:
                return
            offered_to = None if self.auction.settlement is None else self.auction.settlement.offered_to
            self.say(happened)
            match happened:
                case Closed(winner=winner):
                    reserve_minor = 0 if self.opening is None else self.opening.minor
                    self.note("closed", winner or "", winner, reserve_minor)
                case Defaulted(bidder):
                    self.note("defaulted", bidder)
                case OfferLapsed():
                    self.note("declined", offered_to or "")
                case _:
                    self.note(kind_of(happened))

    # Moves

    def wait(self, by_ns: int) -> None:
        self.until(self.room.now_ns + by_ns)

    def wait_for_timer(self, offset_ns: int) -> None:
        timer_ns = self.auction.get_timer()
        if timer_ns is not None:
            self.until(timer_ns + offset_ns)

    def until(self, time_ns: int) -> None:
        """A house looks after everything in time: whatever is due meanwhile happens when it is."""
        while (timer_ns := self.auction.get_timer()) is not None and self.room.now_ns < timer_ns <= time_ns:
            self.room.now_ns = timer_ns
            self.due()
        self.room.now_ns = max(self.room.now_ns, time_ns)

    def join(self, who: str) -> None:
        frame = self.room.join_frame(who)
        refusal = self.auction.decide_join(frame, self.room.now_ns)
        where = self.account.whereabouts()
        owes = where == "pending_payment" and self.account.rules.payment.absence_ns and self.account.debt()[0] == who
        takes = where in ("announced", "open", "paused") or owes
        assert (refusal is None) == bool(takes and who not in self.account.present()), refusal
        if refusal is None:
            self.auction.apply_join(frame, self.room.now_ns)
            self.replica.apply_join(decode_join(encode_join(frame)), self.room.now_ns)
            self.note("joined", who)

    def leave(self, who: str) -> None:
        if self.auction.watches(self.room.key(who)):
            self.say(Left(self.room.key(who)))
            self.note("left", who)

    def come_and_go(self, who: str) -> None:
        self.leave(who)
        self.due()
        self.join(who)

    def bid(self, who: str, over: int) -> None:
        best = max(self.account.bids(), default=(0, "", 0))[1]
        here = sorted(self.account.present() - {best})
        who = here[len(self.account.rows) % len(here)] if here else who
        frame = self.room.bid_frame(who, max(1, self.account.minimum() + over))
        refusal = self.auction.decide_bid(frame, self.room.now_ns)
        right = who in self.account.present() and who != best and over >= 0
        assert (refusal is None) == (self.account.whereabouts() == "open" and right), refusal
        if refusal is None:
            self.auction.apply_bid(frame, self.room.now_ns)
            self.replica.apply_bid(decode_bid(encode_bid(frame)), self.room.now_ns)
            self.note("bid", who, frame.amount_minor)

    def gap(self, back_ns: int, grace_ns: int) -> None:
        """As a house says it: of a deadline that ran when the gap began, and behind the last sign of life."""
        since_ns = self.auction.next_gap_since_ns(self.room.now_ns - back_ns)
        until_ns = self.room.now_ns + grace_ns
        if self.auction.allows("gap") and (self.auction.get_timer() or 0) > since_ns and since_ns < until_ns:
            self.say(Gap(since_ns, until_ns, GapCause.STALLED))
            self.note("gap", "", since_ns, until_ns)
            event("gap while " + self.account.whereabouts())

    def take_over(self, epochs: int) -> None:
        """Another instance of the house goes on: nothing comes of that but the entry."""
        before = self.auction.takeover
        epoch = max(1, epochs + (0 if before is None else before.epoch))
        takeover = Takeover(f"instance-{epoch}", epoch)
        reason = self.auction.check(takeover, self.room.now_ns)
        assert (reason is None) == (self.auction.allows("takeover") and (before is None or epochs > 0)), reason
        if reason is None:
            self.say(takeover)
            self.note("takeover")
            event("takeover while " + self.account.whereabouts())

    def fields(self, name: str) -> tuple[Any, ...]:
        settlement = self.auction.settlement
        if name in ("pause", "resume", "cancel"):
            return ("a reason",)
        if settlement is None:
            return {"pay": (1, "EUR", ""), "offer": (NO_ID, 1, "EUR", 1)}.get(name, self.about(name, NO_ID))
        bidder, bid = settlement.next_bidder or (NO_ID, (1, 1))
        return {
            "pay": (settlement.price_minor, "EUR", "a reference"),
            "offer": (bidder, bid[0], "EUR", bid[1]),
        }.get(name, self.about(name, self.last("offered" if name in ("accept", "decline") else "payment")))

    def about(self, name: str, command: bytes) -> tuple[Any, ...]:
        return {
            "settle": (Capacity.OPERATOR, command),
            "reject_payment": (Capacity.SELLER, command, "nothing came"),
        }.get(name, (command,))

    def last(self, kind: str) -> bytes:
        return next((row.values[0] for row in self.account.of(kind)[::-1] if row.values), NO_ID)

    def whose(self, name: str) -> str:
        settlement = self.auction.settlement
        if name == "pay" and settlement is not None:
            return self.names[settlement.debtor]
        if name in ("accept", "decline") and settlement is not None and settlement.offered_to is not None:
            return self.names[settlement.offered_to]
        return {"offer": "seller", "reject_payment": "seller"}.get(name, "otto")

    def frame(self, name: str, who: str) -> Any:
        return self.room.command_frame(TYPES[name], who, *self.fields(name))

    def decide(self, frame: Any) -> Any:
        name = command_id(encode_command(frame))
        refusal = self.auction.decide_command(frame, name, self.room.now_ns)
        heard = decode_command(encode_command(frame))
        assert self.replica.decide_command(heard, name, self.room.now_ns) == refusal
        return refusal

    def command(self, name: str, who: str | None) -> None:
        frame = self.frame(name, who or self.whose(name))
        refusal = self.decide(frame)
        event(f"{name}: {refusal.code if refusal else 'accepted'}")
        if refusal is not None:
            return
        command = command_id(encode_command(frame))
        offered_to = None if self.auction.settlement is None else self.auction.settlement.offered_to
        for auction in (self.auction, self.replica):
            auction.apply_command(decode_command(encode_command(frame)), command, self.room.now_ns)
        actor = (offered_to or "") if name == "decline" else frame.actor
        self.note(KINDS[name], actor, command)

    def proceed(self, choice: int) -> None:
        """One of the steps that may follow, by whoever may take it; time passes where there is none."""
        possible = [name for name in self.auction.possible_commands if name != "cancel"]
        if not possible or choice >= 3:
            self.wait_for_timer(0)
        else:
            self.command(possible[choice % len(possible)], None)


SPANS = st.sampled_from([0, 1, SECOND_NS]) | st.integers(0, 15 * SECOND_NS)
WHO = st.sampled_from(NAMES)
BIDDING = st.one_of(
    *[st.tuples(st.just("wait"), SPANS)] * 2,
    st.tuples(st.just("wait_for_timer"), st.sampled_from([-SECOND_NS, -1, 0])),
    *[st.tuples(st.just(move), WHO) for move in ("join", "leave", "leave", "come_and_go")],
    *[st.tuples(st.just("bid"), WHO, st.sampled_from([0, 0, 50, -1]))] * 2,
    *[st.tuples(st.just("gap"), SPANS, st.sampled_from([0, 0, 1, SECOND_NS, 5 * SECOND_NS]))] * 2,
    st.tuples(st.just("take_over"), st.sampled_from([1, 1, 2, 0])),
    st.tuples(st.just("command"), st.sampled_from(["pause", "pause", "resume", "resume", "pay", "offer"]), st.none()),
)
SELLING = st.one_of(
    *[st.tuples(st.just("proceed"), st.integers(0, 3))] * 3,
    st.tuples(st.just("wait"), SPANS),
    st.tuples(st.just("join"), WHO),
    st.tuples(st.just("leave"), WHO),
    st.tuples(st.just("gap"), SPANS, st.sampled_from([0, 1, SECOND_NS, 5 * SECOND_NS])),
    st.tuples(st.just("take_over"), st.sampled_from([1, 1, 2, 0])),
    st.tuples(st.just("command"), st.sampled_from(sorted(TYPES)), st.sampled_from([None, *PEOPLE])),
)
CAPS = st.builds(
    PauseRules,
    st.sampled_from([Disconnection.CONTINUE, *[Disconnection.PAUSE_BELOW_MIN_BIDDERS, Disconnection.PAUSE] * 3]),
    st.sampled_from([0, 1, 4, 4, 9, 9]),
    st.sampled_from([0, 5 * SECOND_NS, *[30 * SECOND_NS, 100 * SECOND_NS] * 3]),
    st.sampled_from([0, 1, 2, 3, 3]),
    st.sampled_from([0, 1, *[8 * SECOND_NS, 20 * SECOND_NS] * 3]),
)
PAYMENTS = st.builds(
    lambda absence_ns, on_default, offer_ns: PaymentRules(
        30 * SECOND_NS, absence_ns, on_default, offer_ns if on_default is OnDefault.OFFER else 0
    ),
    st.sampled_from([0, 7 * SECOND_NS, 12 * SECOND_NS]),
    st.sampled_from([*[OnDefault.OFFER] * 6, OnDefault.REVERT]),
    st.sampled_from([9 * SECOND_NS, 20 * SECOND_NS]),
)
OPENINGS = st.none() | st.builds(ReserveOpening, st.sampled_from([0, 1_000, 1_150]), st.just(b"\x07" * 32))
RULES = st.fixed_dictionaries(
    {
        "pauses": CAPS,
        "payment": st.sampled_from([PAYMENTS] * 7 + [st.just(PaymentRules())]).flatmap(lambda payments: payments),
        "cancellation": st.sampled_from(Cancellation),
        "min_bidders": st.integers(1, 3),
        "start_timeout_ns": st.just(60 * SECOND_NS),
    }
)


@settings(max_examples=150, deadline=None)
@given(
    bidding=st.lists(BIDDING, min_size=6, max_size=30),
    selling=st.lists(SELLING, min_size=6, max_size=20),
    rules=RULES,
    opening=OPENINGS,
    early=st.sampled_from([3, 3, 3, 2, 1, 0]),
    is_cancelled=st.sampled_from([*[False] * 7, True]),
)
def test_every_auction_is_what_a_plain_account_of_it_says_and_replays_to_the_same_state(
    room_with: Callable[..., Any],
    *,
    bidding: list[Any],
    selling: list[Any],
    rules: dict[str, Any],
    opening: ReserveOpening | None,
    early: int,
    is_cancelled: bool,
) -> None:
    reserve = None if opening is None else Reserve(commit_reserve(opening, "EUR"), b"sealed")
    play = Play(room_with(reserve=reserve, **rules), opening)
    steps = [*[("join", name) for name in NAMES], *[("bid", name, 0) for name in NAMES[:early]], *bidding]
    if is_cancelled:
        steps.append(("command", "cancel", None))
    for move, *values in steps:
        step(play, move, values)
    while play.account.whereabouts() in ("announced", "open", "paused"):
        step(play, "wait_for_timer", [0])
    for move, *values in selling:
        step(play, move, values)
    while play.auction.get_timer() is not None:
        step(play, "wait_for_timer", [0])
    event(f"end: {play.auction.end_reason}, {play.account.whereabouts()}")
    assert play.auction.is_final or play.account.whereabouts() == "paid"


def step(play: Play, move: str, values: list[Any]) -> None:
    getattr(play, move)(*values)
    play.due()
    play.possible()
