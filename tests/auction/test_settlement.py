"""A settlement keeps account of one sale: who owes what until when, and to whom it may be offered next.

All times are seconds here, which the rules take as nanoseconds: only differences matter.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.commands import Accept, Decline, Offer, Pay, RejectPayment, Settle
from auctionctl.auction.events import DefaultCause, Defaulted, OfferLapsed, Reverted
from auctionctl.auction.phase import Stage
from auctionctl.auction.rules import OnDefault, PaymentRules
from auctionctl.auction.settlement import BestBid, Settlement

ANN, BEN, CAT, SUE = b"a" * 32, b"b" * 32, b"c" * 32, b"s" * 32
BEST = {ANN: BestBid(1_000, 5), BEN: BestBid(1_100, 6), CAT: BestBid(1_200, 7)}
RULES = PaymentRules(100, 20, OnDefault.OFFER, 50)
SOLD = 1_000
"""When the auction closed."""


def sold(reserve_minor: int = 0, is_present: bool = True, best: Any = None, **changes: Any) -> Settlement:
    """Cat has bought the lot at 12.00."""
    rules = replace(RULES, **changes)
    settlement = Settlement(rules, SUE, "EUR", BEST if best is None else best, reserve_minor)
    settlement.begin(CAT, BEST[CAT], SOLD, is_present)
    return settlement


def frame(of: Any, actor: bytes, *fields: Any) -> Any:
    return of(b"h" * 32, b"x" * 32, actor, bytes(16), 0, 0, *fields)


def paid(settlement: Settlement, at_ns: int, command: bytes = b"p" * 32) -> Settlement:
    pay = frame(Pay, settlement.debtor, settlement.price_minor, "EUR", "a reference")
    assert settlement.decide(pay, at_ns) is None
    settlement.apply_command(pay, command, at_ns, set())
    return settlement


def defaulted(settlement: Settlement, at_ns: int | None = None) -> Settlement:
    at_ns = settlement.due_ns if at_ns is None else at_ns
    event = settlement.due(at_ns)
    assert isinstance(event, Defaulted)
    settlement.apply(event, at_ns)
    return settlement


def offered(settlement: Settlement, at_ns: int, command: bytes = b"o" * 32) -> Settlement:
    assert settlement.next_bidder is not None
    bidder, bid = settlement.next_bidder
    offer = frame(Offer, SUE, bidder, bid.amount_minor, "EUR", bid.bid_index)
    assert settlement.decide(offer, at_ns) is None
    settlement.apply_command(offer, command, at_ns, set())
    return settlement


def test_whoever_bought_owes_the_price_until_it_is_due() -> None:
    settlement = sold()
    assert (settlement.stage, settlement.debtor, settlement.price_minor) == (Stage.PENDING_PAYMENT, CAT, 1_200)
    assert (settlement.bid_index, settlement.due_ns, settlement.get_timer()) == (7, SOLD + 100, SOLD + 100)
    assert not settlement.is_final
    assert settlement.due(SOLD + 99) is None
    assert settlement.due(SOLD + 100) == Defaulted(CAT, DefaultCause.LATE)


# Absence


def test_a_debtor_that_is_gone_defaults_before_the_payment_is_due() -> None:
    settlement = sold()
    settlement.came(SOLD + 10, is_present=False)
    assert settlement.get_timer() == SOLD + 30
    assert settlement.due(SOLD + 29) is None
    assert settlement.due(SOLD + 30) == Defaulted(CAT, DefaultCause.ABSENT)
    settlement.came(SOLD + 29, is_present=True)
    assert settlement.get_timer() == SOLD + 100


def test_a_debtor_that_is_gone_when_its_payment_is_due_is_late() -> None:
    settlement = sold()
    settlement.came(SOLD + 80, is_present=False)
    assert settlement.due(SOLD + 100) == Defaulted(CAT, DefaultCause.LATE)
    settlement.came(SOLD + 79, is_present=False)
    assert settlement.due(SOLD + 99) == Defaulted(CAT, DefaultCause.ABSENT)


def test_a_debtor_that_was_gone_at_the_close_is_gone_since_then() -> None:
    assert sold(is_present=False).get_timer() == SOLD + 20


def test_where_absence_does_not_matter_it_moves_nothing() -> None:
    settlement = sold(is_present=False, absence_ns=0)
    assert settlement.get_timer() == SOLD + 100
    assert not settlement.takes_presence_of(CAT)


def test_only_the_presence_of_the_debtor_matters_and_only_while_it_owes() -> None:
    settlement = sold()
    assert settlement.takes_presence_of(CAT)
    assert not settlement.takes_presence_of(BEN)
    paid(settlement, SOLD + 1)
    assert not settlement.takes_presence_of(CAT)


# Payment


def test_a_payment_that_was_reported_stops_the_clock() -> None:
    settlement = paid(sold(), SOLD + 40)
    assert (settlement.stage, settlement.payment, settlement.reference) == (Stage.PAID, b"p" * 32, "a reference")
    assert settlement.get_timer() is None
    assert settlement.due(SOLD + 10_000) is None


def test_a_payment_that_was_rejected_starts_the_clock_where_it_stood() -> None:
    settlement = paid(sold(), SOLD + 40)
    reject = frame(RejectPayment, SUE, "seller", b"p" * 32, "")
    settlement.apply_command(reject, b"r" * 32, SOLD + 540, {CAT})
    assert settlement.stage is Stage.PENDING_PAYMENT
    assert settlement.due_ns == settlement.get_timer() == SOLD + 600, "60 s were left, and are"
    paid(settlement, SOLD + 599, b"q" * 32)
    settlement.apply_command(replace(reject, payment=b"q" * 32), b"r" * 32, SOLD + 700, {CAT})
    assert settlement.due_ns == SOLD + 600, "whoever reports what never comes is late all the same"
    assert settlement.due(SOLD + 700) == Defaulted(CAT, DefaultCause.LATE)


def test_whoever_was_gone_while_its_payment_was_looked_for_is_gone_since_the_rejection() -> None:
    settlement = paid(sold(is_present=False), SOLD + 10)
    settlement.apply_command(frame(RejectPayment, SUE, "seller", b"p" * 32, ""), b"r" * 32, SOLD + 50, {BEN})
    assert settlement.get_timer() == SOLD + 70


def test_a_sale_that_is_settled_is_final() -> None:
    settlement = paid(sold(), SOLD + 1)
    settlement.apply_command(frame(Settle, SUE, "seller", b"p" * 32), b"s" * 32, SOLD + 2, set())
    assert (settlement.stage, settlement.is_final, settlement.get_timer()) == (Stage.SETTLED, True, None)
    assert settlement.due(SOLD + 10_000) is None


# Default, and what follows


def test_without_a_second_offer_a_default_is_undone_at_once() -> None:
    settlement = defaulted(sold(on_default=OnDefault.REVERT, offer_ns=0))
    assert settlement.next_bidder is None
    assert settlement.must_revert
    assert settlement.due(SOLD) == Reverted()
    settlement.apply(Reverted(), SOLD + 100)
    assert (settlement.stage, settlement.is_final, settlement.get_timer()) == (Stage.REVERTED, True, None)


def test_after_a_default_the_seller_has_a_while_to_offer_the_lot_to_the_next_bidder_at_its_own_bid() -> None:
    settlement = defaulted(sold())
    assert settlement.next_bidder == (BEN, BestBid(1_100, 6))
    assert not settlement.must_revert
    assert settlement.get_timer() == SOLD + 150
    assert settlement.due(SOLD + 149) is None
    assert settlement.due(SOLD + 150) == Reverted()


def test_the_next_bidder_has_a_while_to_answer() -> None:
    settlement = offered(defaulted(sold()), SOLD + 130)
    assert (settlement.stage, settlement.offered_to, settlement.get_timer()) == (Stage.OFFERED, BEN, SOLD + 180)
    assert settlement.due(SOLD + 179) is None
    assert settlement.due(SOLD + 180) == OfferLapsed(b"o" * 32)


def test_whoever_accepts_owes_its_own_bid_for_as_long_as_the_first_winner() -> None:
    settlement = offered(defaulted(sold()), SOLD + 130)
    settlement.apply_command(frame(Accept, BEN, b"o" * 32), b"a" * 32, SOLD + 140, {BEN})
    assert (settlement.stage, settlement.debtor, settlement.price_minor) == (Stage.PENDING_PAYMENT, BEN, 1_100)
    assert (settlement.bid_index, settlement.due_ns, settlement.offered_to) == (6, SOLD + 240, None)
    assert settlement.get_timer() == SOLD + 240
    paid(settlement, SOLD + 239)


def test_what_another_paid_before_is_nothing_that_the_next_one_has_paid() -> None:
    settlement = paid(sold(), SOLD + 40)
    settlement.apply_command(frame(RejectPayment, SUE, "seller", b"p" * 32, ""), b"r" * 32, SOLD + 50, {CAT})
    offered(defaulted(settlement), SOLD + 130)
    settlement.apply_command(frame(Accept, BEN, b"o" * 32), b"a" * 32, SOLD + 140, {BEN})
    assert (settlement.payment, settlement.reference) == (b"", "")


def test_whoever_accepts_and_is_gone_has_to_come_back() -> None:
    settlement = offered(defaulted(sold()), SOLD + 130)
    settlement.apply_command(frame(Accept, BEN, b"o" * 32), b"a" * 32, SOLD + 140, {ANN})
    assert settlement.get_timer() == SOLD + 160


@pytest.mark.parametrize("how", ["declined", "lapsed"])
def test_an_offer_that_comes_to_nothing_is_followed_by_one_to_the_next(how: str) -> None:
    settlement = offered(defaulted(sold()), SOLD + 130)
    if how == "declined":
        settlement.apply_command(frame(Decline, BEN, b"o" * 32), b"d" * 32, SOLD + 140, set())
    else:
        settlement.apply(OfferLapsed(b"o" * 32), SOLD + 180)
    assert settlement.stage is Stage.DEFAULTED
    assert (settlement.next_bidder, settlement.offered_to) == ((ANN, BestBid(1_000, 5)), None)
    assert settlement.get_timer() == (SOLD + 190 if how == "declined" else SOLD + 230)
    offered(settlement, SOLD + 185, b"n" * 32)
    assert settlement.offered_to == ANN


def test_nobody_who_defaulted_or_declined_is_asked_again_and_after_the_last_it_is_undone() -> None:
    settlement = offered(defaulted(sold()), SOLD + 130)
    settlement.apply_command(frame(Accept, BEN, b"o" * 32), b"a" * 32, SOLD + 140, {BEN})
    defaulted(settlement)
    offered(settlement, SOLD + 241, b"n" * 32)
    settlement.apply_command(frame(Decline, ANN, b"n" * 32), b"d" * 32, SOLD + 242, set())
    assert settlement.must_revert
    assert settlement.due(SOLD + 242) == Reverted()


def test_an_offer_is_never_below_the_reserve() -> None:
    assert defaulted(sold(reserve_minor=1_100)).next_bidder == (BEN, BestBid(1_100, 6))
    settlement = defaulted(sold(reserve_minor=1_101))
    assert settlement.next_bidder is None
    assert settlement.must_revert


def test_the_only_bidder_has_no_successor() -> None:
    assert defaulted(sold(best={CAT: BEST[CAT]})).must_revert


# Gaps


@pytest.mark.parametrize(
    ("since_ns", "until_ns", "moved_ns"),
    [(0, 30, 30), (99, 300, 201), (100, 300, 0), (150, 300, 0), (40, 40, 0)],
)
def test_a_gap_moves_the_payment_if_it_was_not_due_before(since_ns: int, until_ns: int, moved_ns: int) -> None:
    settlement = sold()
    settlement.add_gap(SOLD + since_ns, SOLD + until_ns)
    assert settlement.due_ns == settlement.get_timer() == SOLD + 100 + moved_ns


@pytest.mark.parametrize(
    ("since_ns", "until_ns", "timer_ns"),
    [(20, 25, 35), (5, 15, 35), (0, 10, 30), (29, 60, 61), (30, 60, 30)],
)
def test_of_an_absence_only_what_lies_without_the_gap_counts(since_ns: int, until_ns: int, timer_ns: int) -> None:
    settlement = sold()
    settlement.came(SOLD + 10, is_present=False)
    settlement.add_gap(SOLD + since_ns, SOLD + until_ns)
    assert settlement.get_timer() == SOLD + timer_ns


def test_a_gap_moves_the_time_for_an_offer_and_for_its_answer() -> None:
    settlement = defaulted(sold())
    settlement.add_gap(SOLD + 110, SOLD + 130)
    assert settlement.get_timer() == SOLD + 170
    settlement.add_gap(SOLD + 170, SOLD + 400)
    assert settlement.get_timer() == SOLD + 170, "it had passed"
    offered(settlement, SOLD + 160)
    settlement.add_gap(SOLD + 165, SOLD + 175)
    assert settlement.get_timer() == SOLD + 220
    assert settlement.due_ns == SOLD + 100


# What it comes to


def test_two_that_came_to_the_same_are_equal_and_others_are_not() -> None:
    assert sold() == sold()
    assert sold() != paid(sold(), SOLD + 1)
    assert sold() != sold(is_present=False)
    assert offered(defaulted(sold()), SOLD + 130) != offered(defaulted(sold()), SOLD + 130, b"n" * 32)
    assert sold() != "a sale"
    with pytest.raises(TypeError):
        hash(sold())


@pytest.mark.parametrize("event", [Defaulted(CAT, DefaultCause.LATE), OfferLapsed(b"o" * 32), Reverted()])
def test_what_is_not_due_may_not_be_said(event: Any) -> None:
    settlement = sold()
    assert settlement.check(event, SOLD + 99) == "not due: nothing"
    is_due = event == Defaulted(CAT, DefaultCause.LATE)
    assert settlement.check(event, SOLD + 100) == (None if is_due else "not due: Defaulted")
    assert settlement.check(Defaulted(BEN, DefaultCause.LATE), SOLD + 100) == "not due: Defaulted"
    assert settlement.check(Defaulted(CAT, DefaultCause.ABSENT), SOLD + 100) == "not due: Defaulted"
