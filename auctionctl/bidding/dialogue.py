"""A strategy that is asked in lines of JSON, whoever answers: questions, answers, and what becomes of them.

Its rule: nobody waits here. To be asked is to put a question, and to answer Wait until its answer has come; then the
agent looks again. An answer counts for the very view that it was asked for; one that comes later than the limit, that
cannot be read, or that money and rules do not allow, is no bid, and a complaint. What is kept is bounded: one question
an auction, one unfinished line. Times are the house's, in nanoseconds; the form is in auctionctl-strategies(7).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec

from auctionctl.auction.price import format_minor, minor_digits, parse_money
from auctionctl.bidding.strategy import AuctionView, Failed, Offer, Purse, Wait
from auctionctl.errors import MoneyError

SCHEMA: Final = "auctionctl.question/1"
MAX_ANSWER_BYTES: Final = 4_096
MAX_UNASKED: Final = 100
"""How many lines that answer nothing are borne from one answer to the next: whoever writes more floods us."""
LEAST_WAIT_NS: Final = 10_000_000
"""Whoever wants to be asked again at once is asked a hundred times a second, and not as fast as a machine can."""
HANGING_LIMITS: Final = 3
"""Whoever has been silent for so many times the limit, although asked, counts as hanging."""
RECENT_BIDS: Final = 32
RECENT_LOTS: Final = 16


class Lot(msgspec.Struct, frozen=True):
    """A closed lot, as a question tells of it."""

    words: list[str]
    starting_price: int
    estimate: int | None
    price: int | None
    is_sold: bool
    bidders: int
    ended_ns: int
    paid: int


class Question(msgspec.Struct, frozen=True):
    """One line to whoever is asked. Amounts are minor units, of which ``digits`` stand after the point."""

    schema: str
    id: int
    auction: str
    title: str
    currency: str
    digits: int
    now_ns: int
    limit_ns: int
    starting_price: int
    price: int | None
    minimum: int
    increment: int
    estimate: int | None
    opened_at_ns: int
    end_ns: int
    max_end_ns: int
    duration_ns: int
    soft_close_window_ns: int
    round_trip_ns: int
    active_bidders: int
    bid_count: int
    own_number: int | None
    recent_bids: list[tuple[int, int, int]]
    closed_lots: list[Lot]
    lots_open: int
    lots_to_come: int
    available: int
    budget: int
    committed: int
    spent: int
    parameters: Mapping[str, str]


class Answer(msgspec.Struct, frozen=True):
    """One line back. Neither ``bid`` nor ``wait_ns``: nothing, until something changes."""

    id: int
    bid: int | str | None = None
    currency: str | None = None
    wait_ns: int | None = None


Basis = tuple[int, int | None, int, int, int]

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Answer)


@dataclass(slots=True)
class _Turn:
    """What was asked last of one auction, and what came of it."""

    number: int
    basis: Basis
    asked_ns: int
    minimum_minor: int
    available_minor: int
    currency: str
    answer: Offer | Wait | None = None


class Dialogue:
    """With one respondent, over all auctions. ``complain`` is told, in a line of text, what went wrong."""

    def __init__(self, parameters: Mapping[str, str], limit_ns: int, complain: Callable[[str], None]) -> None:
        self.limit_ns = limit_ns
        self._parameters = parameters
        self._complain = complain
        self._is_up = False
        self._asked = 0
        self._turns: dict[bytes, _Turn] = {}
        self._names: dict[int, bytes] = {}
        self._unsent: dict[bytes, bytes] = {}
        self._ready: set[bytes] = set()
        self._missed: set[bytes] = set()
        self._partial = b""
        self._is_skipping = False
        self._heard_number = 0
        self._unasked = 0
        self._silent_since_ns: int | None = None
        self._is_hanging = False

    # What the agent asks

    def decide(self, view: AuctionView, purse: Purse, now_ns: int) -> Offer | Wait:
        """The answer for this very view, if it is there; else the question is put, and until then nothing is done."""
        if view.is_leading:
            self.forget(view.auction)
            return Wait()
        if not self._is_up:
            self._missed.add(view.auction)
            return Failed()
        if self._silent_since_ns is not None and now_ns > self._hanging_ns(self._silent_since_ns):
            self._is_hanging = True
        basis = (view.bid_count, view.price_minor, view.minimum_minor, view.end_ns, purse.available_minor)
        turn = self._turns.get(view.auction)
        if turn is None or turn.basis != basis:
            return self._ask(view, purse, now_ns, basis)
        if turn.answer is None:
            return self._wait_for(turn, now_ns)
        if isinstance(turn.answer, Wait) and turn.answer.until_ns is not None and turn.answer.until_ns <= now_ns:
            return self._ask(view, purse, now_ns, basis)
        return turn.answer

    def _ask(self, view: AuctionView, purse: Purse, now_ns: int, basis: Basis) -> Wait:
        self.forget(view.auction)
        self._asked += 1
        number = self._asked
        self._turns[view.auction] = _Turn(
            number, basis, now_ns, view.minimum_minor, purse.available_minor, view.currency
        )
        self._names[number] = view.auction
        if self._silent_since_ns is None:
            self._silent_since_ns = now_ns
        self._unsent[view.auction] = self._question(number, view, purse, now_ns)
        return Wait(now_ns + self.limit_ns)

    def _wait_for(self, turn: _Turn, now_ns: int) -> Wait:
        late_ns = turn.asked_ns + self.limit_ns
        if now_ns < late_ns:
            return Wait(late_ns)
        turn.answer = Failed()
        self._complain(f"it gave no answer within {self.limit_ns / 1e9:g} s, and makes no bid")
        return Failed(max(now_ns, self._hanging_ns(turn.asked_ns)) + 1)

    def _hanging_ns(self, since_ns: int) -> int:
        return since_ns + HANGING_LIMITS * self.limit_ns

    def forget(self, auction: bytes) -> None:
        """What was asked of ``auction`` matters no more."""
        turn = self._turns.pop(auction, None)
        if turn is not None:
            self._names.pop(turn.number, None)
        self._unsent.pop(auction, None)

    def _question(self, number: int, view: AuctionView, purse: Purse, now_ns: int) -> bytes:
        recent = list(islice(reversed(view.tape.recent), RECENT_BIDS))[::-1]
        lots = [
            Lot(
                sorted(lot.words),
                lot.starting_price_minor,
                lot.estimate_minor,
                lot.price_minor,
                lot.is_sold,
                lot.bidders,
                lot.ended_ns,
                lot.paid_minor,
            )
            for lot in view.closed_lots[-RECENT_LOTS:]
        ]
        question = Question(
            schema=SCHEMA,
            id=number,
            auction=view.auction.hex(),
            title=view.title,
            currency=view.currency,
            digits=minor_digits(view.currency),
            now_ns=now_ns,
            limit_ns=self.limit_ns,
            starting_price=view.starting_price_minor,
            price=view.price_minor,
            minimum=view.minimum_minor,
            increment=view.increment_minor,
            estimate=view.estimate_minor,
            opened_at_ns=view.opened_at_ns,
            end_ns=view.end_ns,
            max_end_ns=view.max_end_ns,
            duration_ns=view.duration_ns,
            soft_close_window_ns=view.soft_close_window_ns,
            round_trip_ns=view.round_trip_ns,
            active_bidders=view.active_bidders,
            bid_count=view.bid_count,
            own_number=view.own_number,
            recent_bids=[(bid.bidder, bid.amount_minor, bid.time_ns) for bid in recent],
            closed_lots=lots,
            lots_open=view.lots_open,
            lots_to_come=view.lots_to_come,
            available=purse.available_minor,
            budget=purse.budget_minor,
            committed=purse.committed_minor,
            spent=purse.spent_minor,
            parameters=self._parameters,
        )
        return _encoder.encode(question) + b"\n"

    # What the respondent's shell does

    def came_up(self) -> None:
        """There is a respondent (again), who knows of nothing: whatever was missed is asked."""
        self._is_up = True
        self._ready |= self._missed
        self._missed.clear()

    def went_down(self) -> None:
        """The respondent is gone, and with it all that it was asked."""
        self._is_up = False
        self._missed |= self._turns.keys()
        self._turns.clear()
        self._names.clear()
        self._unsent.clear()
        self._partial, self._is_skipping = b"", False
        self._heard_number, self._unasked = self._asked, 0
        self._silent_since_ns, self._is_hanging = None, False

    @property
    def is_hopeless(self) -> bool:
        """Whether the respondent floods us, or hangs: it has to be ended, and another begun."""
        return self._unasked > MAX_UNASKED or self._is_hanging

    def next_line(self) -> bytes | None:
        """The next question to be sent, or None; one that is out of date by then is never sent."""
        auction = next(iter(self._unsent), None)
        return None if auction is None else self._unsent.pop(auction)

    def receive(self, data: bytes) -> None:
        """Some bytes from the respondent, lines or parts of lines."""
        *lines, rest = (self._partial + data).split(b"\n")
        for line in lines:
            if self.is_hopeless:
                return
            if self._is_skipping:
                self._is_skipping = False
            elif line.strip():
                self._heard(line)
        self._partial = b"" if self._is_skipping else rest
        if len(rest) > MAX_ANSWER_BYTES:
            self._partial = b""
            self._unasked += self._is_skipping
            if not self._is_skipping:
                self._is_skipping = True
                self._garbage(f"a line of more than {MAX_ANSWER_BYTES} bytes")

    def take_ready(self) -> set[bytes]:
        """The auctions that should be looked at again, as an answer is there."""
        ready, self._ready = self._ready, set()
        return ready

    # What comes in

    def _heard(self, line: bytes) -> None:
        self._silent_since_ns = None
        if len(line) > MAX_ANSWER_BYTES:
            self._garbage(f"a line of more than {MAX_ANSWER_BYTES} bytes")
            return
        try:
            answer = _decoder.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            self._garbage(f"{line[:60]!r} is no answer: {str(error)[:120]}")
            return
        auction = self._names.pop(answer.id, None)
        is_new = self._heard_number < answer.id <= self._asked
        self._heard_number = answer.id if is_new else self._heard_number
        if auction is None:
            # Of a view that is gone: to be slow is no crime, as to make numbers up would be.
            self._unasked += not is_new
            return
        # It answers what it is asked: what it says besides is no flood, unless there is much of it at once.
        self._unasked = 0
        self._ready.add(auction)
        turn = self._turns[auction]
        if turn.answer is not None:
            # Too late to count; but it listens again, and is asked anew: else one pause would cost it the lot.
            self.forget(auction)
        else:
            turn.answer = self._read(turn, answer)

    def _read(self, turn: _Turn, answer: Answer) -> Offer | Wait:
        if answer.wait_ns is not None and answer.wait_ns < 0:
            return self._refused(f"it wants to wait for {answer.wait_ns} ns")
        if answer.bid is None:
            return Wait(None if answer.wait_ns is None else turn.asked_ns + max(answer.wait_ns, LEAST_WAIT_NS))
        if answer.currency not in (None, turn.currency):
            return self._refused(f"it bids in {answer.currency:.16}, and the auction is in {turn.currency}")
        amount_minor = answer.bid
        if isinstance(amount_minor, str):
            try:
                amount_minor = parse_money(amount_minor[:64], currency=turn.currency).minor
            except MoneyError as error:
                return self._refused(f"its bid cannot be read: {error}")
        if amount_minor < turn.minimum_minor:
            return self._refused(f"it bids less than {format_minor(turn.minimum_minor, turn.currency)}, the least bid")
        if amount_minor > turn.available_minor:
            left = format_minor(turn.available_minor, turn.currency)
            return self._refused(f"it bids more than {left}, which are left of the budget")
        return Offer(amount_minor)

    def _refused(self, reason: str) -> Wait:
        self._complain(f"{reason}; it makes no bid")
        return Failed()

    def _garbage(self, reason: str) -> None:
        self._unasked += 1
        self._complain(reason)


class Remote:
    """The strategy of one auction, asked over ``dialogue``."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """As :meth:`Dialogue.decide`."""
        return self._dialogue.decide(view, purse, now_ns)
