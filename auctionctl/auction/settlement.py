"""The settlement of one sale, once bidding is over: payment, default, second offer, end (DESIGN.md section 6).

Rule: what may follow stands in :data:`auctionctl.auction.phase.SETTLEMENT`; this module says who may do it, until when,
and what it changes. Nobody's word but the log's: entries and their times go in, deadlines go out. Times are nanoseconds
on the house's clock; an *effective* time is not before the end of the gap last entered, for what that gap covers has
moved the deadlines already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, assert_never

from auctionctl.auction.commands import Accept, Capacity, Decline, Offer, Pay, RejectPayment, Settle
from auctionctl.auction.events import DefaultCause, Defaulted, OfferLapsed, Reverted
from auctionctl.auction.phase import Stage
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.rules import OnDefault, PaymentRules

SettlementCommand = Pay | Settle | RejectPayment | Offer | Accept | Decline
SettlementEvent = Defaulted | OfferLapsed | Reverted


class BestBid(NamedTuple):
    """The highest bid of one bidder, in minor units, and its index in the log."""

    amount_minor: int
    bid_index: int


class Settlement:
    """How far the sale has come. ``debtor`` (signing key) owes ``price_minor``; it may be another than the winner."""

    __slots__ = (
        "_absent_since_ns",
        "_best",
        "_currency",
        "_excluded",
        "_paid_at_ns",
        "_reserve_minor",
        "_rules",
        "_seller",
        "_was_rejected",
        "bid_index",
        "buyers",
        "debtor",
        "defaulters",
        "due_ns",
        "offer",
        "offered_to",
        "payment",
        "price_minor",
        "reference",
        "stage",
        "stage_by_ns",
    )

    def __init__(
        self, rules: PaymentRules, seller: bytes, currency: str, best: Mapping[bytes, BestBid], reserve_minor: int
    ) -> None:
        """``best`` are the highest bids of all bidders, needed where the terms allow a second offer."""
        self._rules = rules
        self._seller = seller
        self._currency = currency
        self._best = best
        self._reserve_minor = reserve_minor
        self._excluded: set[bytes] = set()
        self._absent_since_ns: int | None = None
        self._paid_at_ns = 0
        self._was_rejected = False
        self.buyers: set[bytes] = set()
        """Who has bought the lot, at any time; and of those, who did not pay for it in time."""
        self.defaulters: set[bytes] = set()
        self.stage = Stage.PENDING_PAYMENT
        self.debtor = b""
        self.price_minor = 0
        self.bid_index = 0
        self.due_ns = 0
        """Until when the payment is to be reported."""
        self.stage_by_ns = 0
        """After a default: until when the seller may make an offer, or the next bidder answer it."""
        self.payment = b""
        """The id of the payment that was reported last, and its reference."""
        self.reference = ""
        self.offer = b""
        """The id of the offer that was made last, and to whom; nobody once it is answered."""
        self.offered_to: bytes | None = None

    def __eq__(self, other: object) -> bool:
        """Whether both have come to the same."""
        is_one = isinstance(other, Settlement)
        return is_one and all(getattr(self, each) == getattr(other, each) for each in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def begin(self, debtor: bytes, bid: BestBid, time_ns: int, is_present: bool) -> None:
        """``debtor`` has bought the lot, at the price that it bid, and owes it from ``time_ns`` on."""
        self.stage = Stage.PENDING_PAYMENT
        self.buyers.add(debtor)
        self.debtor = debtor
        self.price_minor, self.bid_index = bid
        self.due_ns = time_ns + self._rules.payment_ns
        self.payment, self.reference = b"", ""
        self._was_rejected = False
        self.offered_to = None
        self._absent_since_ns = None if is_present else time_ns

    # What there is to know

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return self.stage in (Stage.SETTLED, Stage.REVERTED)

    @property
    def next_bidder(self) -> tuple[bytes, BestBid] | None:
        """To whom the seller may offer the lot after a default, and at which bid; None where there is nobody."""
        if self._rules.on_default is not OnDefault.OFFER:
            return None
        left = [(bid, bidder) for bidder, bid in self._best.items() if bidder not in self._excluded]
        bid, bidder = max(left, default=(BestBid(0, 0), b""))
        return (bidder, bid) if bidder and bid.amount_minor >= self._reserve_minor else None

    def takes_presence_of(self, bidder: bytes) -> bool:
        """Whether it matters now that ``bidder`` comes or goes."""
        return self.stage is Stage.PENDING_PAYMENT and bidder == self.debtor and self._rules.absence_ns > 0

    def get_timer(self) -> int | None:
        """When :meth:`due` will next have something to say, or None."""
        match self.stage:
            case Stage.PENDING_PAYMENT:
                absent_ns = self._absent_by_ns()
                return self.due_ns if absent_ns is None else min(self.due_ns, absent_ns)
            case Stage.DEFAULTED | Stage.OFFERED:
                return self.stage_by_ns
            case Stage.PAID | Stage.SETTLED | Stage.REVERTED:
                return None
            case _:
                assert_never(self.stage)

    def due(self, now_ns: int) -> SettlementEvent | None:
        """What must happen now, before anything else at ``now_ns``."""
        timer_ns = self.get_timer()
        if self.must_revert:
            return Reverted()
        if timer_ns is None or now_ns < timer_ns:
            return None
        if self.stage is Stage.DEFAULTED:
            return Reverted()
        if self.stage is Stage.OFFERED:
            return OfferLapsed(self.offer)
        is_late = now_ns >= self.due_ns
        return Defaulted(self.debtor, DefaultCause.LATE if is_late else DefaultCause.ABSENT)

    @property
    def must_revert(self) -> bool:
        """Whether the next entry is ``reverted``: a default, and nobody to offer the lot to."""
        return self.stage is Stage.DEFAULTED and self.next_bidder is None

    def _absent_by_ns(self) -> int | None:
        if self._absent_since_ns is None or not self._rules.absence_ns:
            return None
        return self._absent_since_ns + self._rules.absence_ns

    # Deciding

    def decide(self, command: SettlementCommand, now_ns: int) -> Refusal | None:
        """Why ``command`` is refused at ``now_ns``, or None; its form and its own times are checked elsewhere.

        What is due counts as having happened, so that no log can hold a step that was taken too late.
        """
        timer_ns = self.get_timer()
        is_over = timer_ns is not None and now_ns >= timer_ns
        match self.stage:
            case Stage.SETTLED:
                return Refusal(Code.SETTLED)
            case Stage.REVERTED:
                return Refusal(Code.REVERTED)
            case Stage.DEFAULTED if is_over:
                return Refusal(Code.REVERTED)
            case _:
                pass
        match command:
            case Pay() if is_over:
                return Refusal(Code.DEFAULTED, (("due", self.due_ns),))
            case Accept() | Decline() if is_over:
                return Refusal(Code.NO_OFFER)
            case Pay():
                return self._decide_pay(command)
            case Settle() | RejectPayment():
                return self._decide_payment(command)
            case Offer():
                return self._decide_offer(command)
            case Accept() | Decline():
                return self._decide_answer(command)
            case _:
                assert_never(command)

    def _decide_pay(self, pay: Pay) -> Refusal | None:
        if self.stage in (Stage.DEFAULTED, Stage.OFFERED):
            return Refusal(Code.DEFAULTED, (("due", self.due_ns),))
        if pay.actor != self.debtor:
            return Refusal(Code.NOT_THE_WINNER)
        if self.stage is Stage.PAID:
            return Refusal(Code.ALREADY_PAID)
        if (pay.amount_minor, pay.currency) != (self.price_minor, self._currency):
            return Refusal(Code.WRONG_AMOUNT, (("amount", pay.amount_minor), ("price", self.price_minor)))
        return None

    def _decide_payment(self, command: Settle | RejectPayment) -> Refusal | None:
        if command.capacity is Capacity.SELLER and command.actor != self._seller:
            return Refusal(Code.NOT_THE_SELLER)
        if self.stage is not Stage.PAID:
            return Refusal(Code.NOT_PAID)
        return None if command.payment == self.payment else Refusal(Code.WRONG_PAYMENT)

    def _decide_offer(self, offer: Offer) -> Refusal | None:
        if offer.actor != self._seller:
            return Refusal(Code.NOT_THE_SELLER)
        if self.stage is not Stage.DEFAULTED or self.next_bidder is None:
            return Refusal(Code.NO_DEFAULT)
        bidder, bid = self.next_bidder
        if (offer.bidder, offer.amount_minor, offer.bid_index) != (bidder, *bid) or offer.currency != self._currency:
            return Refusal(Code.NOT_NEXT_BIDDER, (("amount", bid.amount_minor), ("bid_index", bid.bid_index)))
        return None

    def _decide_answer(self, answer: Accept | Decline) -> Refusal | None:
        if self.stage is not Stage.OFFERED:
            return Refusal(Code.NO_OFFER)
        if answer.actor != self.offered_to:
            return Refusal(Code.NOT_OFFERED)
        return None if answer.offer == self.offer else Refusal(Code.WRONG_OFFER)

    def check(self, event: SettlementEvent, time_ns: int) -> str | None:
        """Why the house may not claim ``event`` at ``time_ns``, or None; the table has been asked."""
        expected = self.due(time_ns)
        return None if expected == event else f"not due: {'nothing' if expected is None else type(expected).__name__}"

    # Applying

    def apply_command(self, command: SettlementCommand, command_id: bytes, at_ns: int, present: set[bytes]) -> None:
        """A command that :meth:`decide` accepted, at the effective time ``at_ns``; ``present`` are those who are."""
        match command:
            case Pay():
                self.stage = Stage.PAID
                self.payment, self.reference, self._paid_at_ns = command_id, command.reference, at_ns
            case Settle():
                self.stage = Stage.SETTLED
            case RejectPayment():
                self.stage = Stage.PENDING_PAYMENT
                # While the seller was looking, the winner's time stood still; but once only: whoever reports payments
                # that never come would otherwise owe for ever.
                if not self._was_rejected:
                    self.due_ns += at_ns - self._paid_at_ns
                self._was_rejected = True
                self._absent_since_ns = None if self.debtor in present else at_ns
            case Offer():
                self.stage = Stage.OFFERED
                self.offer, self.offered_to = command_id, command.bidder
                self.stage_by_ns = at_ns + self._rules.offer_ns
            case Accept():
                self.begin(command.actor, self._best[command.actor], at_ns, command.actor in present)
            case Decline():
                self._turn_down(at_ns)
            case _:
                assert_never(command)

    def apply(self, event: SettlementEvent, at_ns: int) -> None:
        """An event of the house that :meth:`check` found nothing against, at the effective time ``at_ns``."""
        match event:
            case Defaulted(bidder):
                self.stage = Stage.DEFAULTED
                self._excluded.add(bidder)
                self.defaulters.add(bidder)
                self.stage_by_ns = at_ns + self._rules.offer_ns
            case OfferLapsed():
                self._turn_down(at_ns)
            case Reverted():
                self.stage = Stage.REVERTED
            case _:
                assert_never(event)

    def _turn_down(self, at_ns: int) -> None:
        assert self.offered_to is not None
        self.stage = Stage.DEFAULTED
        self._excluded.add(self.offered_to)
        self.offered_to = None
        self.stage_by_ns = at_ns + self._rules.offer_ns

    def came(self, at_ns: int, is_present: bool) -> None:
        """The debtor, of whom :meth:`takes_presence_of` is true, is there again or has left."""
        self._absent_since_ns = None if is_present else at_ns

    def add_gap(self, since_ns: int, until_ns: int) -> None:
        """Nobody could do anything from ``since_ns`` until ``until_ns``: deadlines that were running move."""
        by_ns = until_ns - since_ns
        if self.stage is Stage.PENDING_PAYMENT:
            if self.due_ns > since_ns:
                self.due_ns += by_ns
            if self._absent_since_ns is not None and (self._absent_by_ns() or 0) > since_ns:
                self._absent_since_ns += max(0, until_ns - max(since_ns, self._absent_since_ns))
        elif self.stage_by_ns > since_ns:
            self.stage_by_ns += by_ns
