"""A sale in its auction: who may pay, settle, offer and answer, until when, and what every refusal is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.auction import Auction
from auctionctl.auction.commands import (
    Accept,
    Cancel,
    Capacity,
    Decline,
    Offer,
    Pause,
    Pay,
    RejectPayment,
    Resume,
    Settle,
)
from auctionctl.auction.events import (
    DefaultCause,
    Defaulted,
    Gap,
    GapCause,
    Left,
    OfferLapsed,
    Reverted,
)
from auctionctl.auction.formats.format import Standing
from auctionctl.auction.phase import EndReason, Phase, Stage
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.rules import OnDefault, PaymentRules
from auctionctl.auction.terms import ReserveOpening

Rooms = Callable[..., Any]
Snapshots = Callable[[Auction], dict[str, Any]]
SECOND_NS = 1_000_000_000
SELLER, OPERATOR = Capacity.SELLER, Capacity.OPERATOR
NO_ID = b"?" * 32


def pay(room: Any, amount_minor: int | None = None, currency: str = "EUR", who: str = "") -> bytes:
    settlement = room.auction.settlement
    amount_minor = settlement.price_minor if amount_minor is None else amount_minor
    debtor = next(name for name in ("ann", "ben", "cat") if room.key(name) == settlement.debtor)
    paid: bytes = room.command(Pay, who or debtor, amount_minor, currency, "a reference")
    return paid


def offer_fields(room: Any) -> tuple[Any, ...]:
    bidder, bid = room.auction.settlement.next_bidder
    return (bidder, bid.amount_minor, "EUR", bid.bid_index)


def default(room: Any) -> Any:
    """The debtor does not pay."""
    room.at(room.auction.get_timer()).due()
    return room.follow()


def offer(room: Any) -> bytes:
    offered: bytes = room.command(Offer, "seller", *offer_fields(room))
    return offered


# A sale, and none


def test_a_sale_that_the_terms_follow_up_waits_for_its_payment(sold_room: Rooms, open_room: Rooms) -> None:
    room = sold_room()
    auction = room.auction
    assert (auction.phase, auction.whereabouts, auction.is_final) == (Phase.CLOSED, Stage.PENDING_PAYMENT, False)
    assert auction.end_reason is EndReason.COMPLETED
    assert auction.sale == Standing(1_200, room.key("cat"), 8)
    assert auction.get_timer() == room.now_ns + 100 * SECOND_NS
    plain = open_room()
    plain.bid("ann", 1_000)
    plain.at(plain.auction.end_ns).due()
    assert (plain.auction.settlement, plain.auction.is_final, plain.auction.get_timer()) == (None, True, None)
    assert plain.auction.sale == Standing(1_000, plain.key("ann"), 4)


def test_what_was_not_sold_is_final_at_once(sold_room: Rooms, open_room: Rooms) -> None:
    unsold = sold_room(reserve=ReserveOpening(1_201, b"\x07" * 32))
    assert (unsold.auction.settlement, unsold.auction.is_final) == (None, True)
    assert (unsold.auction.sale, unsold.auction.end_reason) == (None, EndReason.RESERVE_NOT_MET)
    without_bids = open_room(payment=PaymentRules(1))
    without_bids.at(without_bids.auction.end_ns).due()
    assert (without_bids.auction.settlement, without_bids.auction.is_final) == (None, True)


def test_a_sale_is_paid_for_and_settled(sold_room: Rooms) -> None:
    room = sold_room()
    payment = pay(room)
    assert room.auction.settlement.stage is Stage.PAID
    assert room.auction.get_timer() is None
    room.command(Settle, "seller", SELLER, payment)
    assert (room.auction.whereabouts, room.auction.is_final) == (Stage.SETTLED, True)
    assert (room.auction.sale, room.auction.end_reason) == (
        Standing(1_200, room.key("cat"), 8),
        EndReason.COMPLETED,
    )


def test_an_operator_settles_or_rejects_for_the_seller(sold_room: Rooms) -> None:
    room = sold_room()
    payment = pay(room)
    room.command(RejectPayment, "otto", OPERATOR, payment, "nothing came")
    assert room.auction.settlement.stage is Stage.PENDING_PAYMENT
    room.command(Settle, "otto", OPERATOR, pay(room))
    assert room.auction.settlement.stage is Stage.SETTLED


def test_what_is_not_paid_for_goes_to_whoever_bid_next(sold_room: Rooms) -> None:
    room = default(sold_room())
    assert (room.auction.whereabouts, room.auction.sale) == (Stage.DEFAULTED, None)
    offered = offer(room)
    assert room.auction.sale is None
    room.command(Accept, "ben", offered)
    assert room.auction.sale == Standing(1_100, room.key("ben"), 7)
    room.command(Settle, "seller", SELLER, pay(room))
    assert room.auction.is_final
    assert (room.auction.end_reason, room.auction.sale.price_minor) == (EndReason.COMPLETED, 1_100)


def test_every_bidder_is_asked_in_the_order_of_their_bids_and_then_the_sale_is_undone(sold_room: Rooms) -> None:
    room = default(sold_room())
    room.command(Decline, "ben", offer(room))
    assert room.auction.settlement.next_bidder == (room.key("ann"), (1_000, 6))
    room.command(Accept, "ann", offer(room))
    default(room)
    assert (room.auction.whereabouts, room.auction.is_final) == (Stage.REVERTED, True)
    assert (room.auction.end_reason, room.auction.sale) == (EndReason.REVERTED, None)


def test_where_the_terms_have_no_second_offer_a_default_undoes_the_sale_in_the_same_instant(sold_room: Rooms) -> None:
    room = sold_room(payment=PaymentRules(100 * SECOND_NS))
    room.at(room.auction.get_timer()).due()
    assert (room.auction.must_follow, room.auction.get_timer()) == (Reverted(), room.now_ns)
    assert room.refusal(room.command_frame(Offer, "seller", room.key("ben"), 1_100, "EUR", 7)) == Refusal(Code.REVERTED)
    assert room.auction.check(Reverted(), room.now_ns + 1) == "reverted later than what made it necessary"
    assert room.follow().auction.is_final


def test_the_highest_bid_of_each_bidder_counts_for_a_second_offer(open_room: Rooms) -> None:
    room = open_room(payment=PaymentRules(100 * SECOND_NS, 0, OnDefault.OFFER, 50 * SECOND_NS)).join("cat")
    for who, amount_minor in (("ann", 1_000), ("ben", 1_100), ("ann", 1_200), ("cat", 1_300)):
        room.bid(who, amount_minor)
    room.at(room.auction.end_ns).due()
    default(room)
    assert room.auction.settlement.next_bidder == (room.key("ann"), (1_200, 7))


# Presence, once bidding is over


def test_only_the_debtor_still_comes_and_goes(sold_room: Rooms) -> None:
    room = sold_room()
    assert room.auction.watched == {room.key("cat")}
    assert room.auction.check(Left(room.key("ben")), room.now_ns) == (
        "whether this bidder is there does not matter any more"
    )
    assert room.try_join("eve") == Refusal(Code.CLOSED)
    room.at(room.now_ns + SECOND_NS).say(Left(room.key("cat")))
    assert (room.auction.watched, room.auction.get_timer()) == (frozenset(), room.now_ns + 20 * SECOND_NS)
    room.at(room.now_ns + SECOND_NS).join("cat")
    assert room.auction.watched == {room.key("cat")}
    assert room.auction.get_timer() == room.now_ns + 98 * SECOND_NS


def test_a_debtor_that_does_not_come_back_defaults_and_may_not_come_then(sold_room: Rooms) -> None:
    room = sold_room().say(Left(sold_room().key("cat")))
    room.at(room.auction.get_timer())
    assert room.try_join("cat") == Refusal(Code.CLOSED)
    assert room.due() == Defaulted(room.key("cat"), DefaultCause.ABSENT)
    assert room.try_join("cat") == Refusal(Code.CLOSED)
    assert room.auction.watched == frozenset()


def test_where_absence_does_not_matter_the_debtor_neither_comes_nor_goes(sold_room: Rooms) -> None:
    room = sold_room(payment=PaymentRules(100 * SECOND_NS))
    assert room.auction.watched == frozenset()
    assert room.auction.check(Left(room.key("cat")), room.now_ns) is not None


def test_whoever_accepts_is_watched_from_then_on(sold_room: Rooms) -> None:
    room = default(sold_room())
    room.command(Accept, "ben", offer(room))
    assert room.auction.watched == {room.key("ben")}


def test_a_debtor_that_had_left_before_the_close_may_come_back(open_room: Rooms) -> None:
    room = open_room(payment=PaymentRules(100 * SECOND_NS, 20 * SECOND_NS))
    room.bid("ann", 1_000)
    room.say(Left(room.key("ann"))).at(room.auction.end_ns).due()
    assert room.auction.get_timer() == room.now_ns + 20 * SECOND_NS
    room.join("ann")
    assert room.auction.get_timer() == room.now_ns + 100 * SECOND_NS


# Time


def test_a_payment_counts_up_to_the_last_nanosecond_before_it_is_due(sold_room: Rooms) -> None:
    room = sold_room()
    due_ns = room.auction.settlement.due_ns
    fields = (1_200, "EUR", "")
    assert room.at(due_ns - 1).try_command(Pay, "cat", *fields) is None
    assert room.at(due_ns).try_command(Pay, "cat", *fields) == Refusal(Code.DEFAULTED, (("due", due_ns),))
    assert room.due() == Defaulted(room.key("cat"), DefaultCause.LATE)


def test_an_offer_and_its_answer_count_up_to_the_last_nanosecond(sold_room: Rooms) -> None:
    room = default(sold_room())
    by_ns = room.auction.get_timer()
    assert room.at(by_ns).try_command(Offer, "seller", *offer_fields(room)) == Refusal(Code.REVERTED)
    offered = offer(room.at(by_ns - 1))
    by_ns = room.auction.get_timer()
    for answer in (Accept, Decline):
        assert room.at(by_ns).try_command(answer, "ben", offered) == Refusal(Code.NO_OFFER)
        assert room.at(by_ns - 1).try_command(answer, "ben", offered) is None
    assert room.at(by_ns).due() == OfferLapsed(offered)


def test_a_gap_that_reaches_ahead_of_the_close_lets_the_payment_be_due_later(open_room: Rooms) -> None:
    room = open_room(payment=PaymentRules(100 * SECOND_NS))
    room.bid("ann", 1_000)
    end_ns = room.auction.end_ns
    room.at(end_ns - 1).say(Gap(end_ns, end_ns + 4 * SECOND_NS, GapCause.RESTART))
    assert room.auction.end_ns == end_ns, "it was not running then"
    room.at(end_ns).due()
    assert room.auction.settlement.due_ns == end_ns + 104 * SECOND_NS


@pytest.mark.parametrize("ahead_ns", [0, 3 * SECOND_NS])
def test_deadlines_run_from_the_end_of_a_gap_that_reaches_ahead(sold_room: Rooms, ahead_ns: int) -> None:
    room = sold_room()
    now_ns = room.now_ns
    room.say(Gap(now_ns, now_ns + ahead_ns, GapCause.RESTART))
    pay(room)
    payment = room.auction.settlement.payment
    room.at(now_ns + 2 * SECOND_NS).command(RejectPayment, "seller", SELLER, payment, "")
    stood_ns = max(0, 2 * SECOND_NS - ahead_ns)
    assert room.auction.settlement.due_ns == now_ns + 100 * SECOND_NS + ahead_ns + stood_ns
    default(room)
    defaulted_ns = room.now_ns
    room.say(Gap(defaulted_ns, defaulted_ns + ahead_ns, GapCause.RESTART))
    assert room.auction.get_timer() == defaulted_ns + 50 * SECOND_NS + ahead_ns
    offered = offer(room)
    assert room.auction.get_timer() == defaulted_ns + 50 * SECOND_NS + ahead_ns
    room.command(Accept, "ben", offered)
    assert room.auction.settlement.due_ns == defaulted_ns + 100 * SECOND_NS + ahead_ns


def test_a_gap_before_a_default_does_not_move_what_runs_from_the_default(sold_room: Rooms) -> None:
    room = default(sold_room())
    late = Gap(room.now_ns - SECOND_NS, room.now_ns, GapCause.STALLED)
    assert room.auction.check(late, room.now_ns) is not None
    assert room.auction.next_gap_since_ns(room.now_ns - SECOND_NS) == room.now_ns


# Bad input: a code, and nothing changed


Build = Callable[[Any, bytes], tuple[Any, ...]]
WHOLE = (1_200, "EUR", "")
CASES: dict[str, tuple[Stage, Build, Code]] = {
    "paying for another's win": (Stage.PENDING_PAYMENT, lambda _, __: (Pay, "ben", *WHOLE), Code.NOT_THE_WINNER),
    "paying less": (Stage.PENDING_PAYMENT, lambda _, __: (Pay, "cat", 1_199, "EUR", ""), Code.WRONG_AMOUNT),
    "paying more": (Stage.PENDING_PAYMENT, lambda _, __: (Pay, "cat", 1_201, "EUR", ""), Code.WRONG_AMOUNT),
    "paying in yen": (Stage.PENDING_PAYMENT, lambda _, __: (Pay, "cat", 1_200, "JPY", ""), Code.WRONG_AMOUNT),
    "paying twice": (Stage.PAID, lambda _, __: (Pay, "cat", *WHOLE), Code.ALREADY_PAID),
    "paying for another's win that is paid": (Stage.PAID, lambda _, __: (Pay, "ben", *WHOLE), Code.NOT_THE_WINNER),
    "paying after the default": (Stage.DEFAULTED, lambda _, __: (Pay, "cat", *WHOLE), Code.DEFAULTED),
    "paying what is offered to another": (Stage.OFFERED, lambda _, __: (Pay, "cat", *WHOLE), Code.DEFAULTED),
    "paying before accepting": (Stage.OFFERED, lambda _, __: (Pay, "ben", 1_100, "EUR", ""), Code.DEFAULTED),
    "paying what is settled": (Stage.SETTLED, lambda _, __: (Pay, "cat", *WHOLE), Code.SETTLED),
    "paying what was undone": (Stage.REVERTED, lambda _, __: (Pay, "cat", *WHOLE), Code.REVERTED),
    "settling what is not paid": (
        Stage.PENDING_PAYMENT,
        lambda _, __: (Settle, "seller", SELLER, NO_ID),
        Code.NOT_PAID,
    ),
    "settling after a default": (Stage.DEFAULTED, lambda _, __: (Settle, "otto", OPERATOR, NO_ID), Code.NOT_PAID),
    "settling another payment": (Stage.PAID, lambda _, __: (Settle, "seller", SELLER, NO_ID), Code.WRONG_PAYMENT),
    "settling in the seller's name": (
        Stage.PAID,
        lambda _, paid: (Settle, "ben", SELLER, paid),
        Code.NOT_THE_SELLER,
    ),
    "settling twice": (Stage.SETTLED, lambda _, paid: (Settle, "seller", SELLER, paid), Code.SETTLED),
    "rejecting what nobody paid": (
        Stage.PENDING_PAYMENT,
        lambda _, __: (RejectPayment, "seller", SELLER, NO_ID, ""),
        Code.NOT_PAID,
    ),
    "rejecting another payment": (
        Stage.PAID,
        lambda _, __: (RejectPayment, "otto", OPERATOR, NO_ID, ""),
        Code.WRONG_PAYMENT,
    ),
    "rejecting in the seller's name": (
        Stage.PAID,
        lambda _, paid: (RejectPayment, "cat", SELLER, paid, ""),
        Code.NOT_THE_SELLER,
    ),
    "offering without a default": (
        Stage.PAID,
        lambda room, _: (Offer, "seller", *offer_fields(room)),
        Code.NO_DEFAULT,
    ),
    "offering what is not due": (
        Stage.PENDING_PAYMENT,
        lambda room, _: (Offer, "seller", *offer_fields(room)),
        Code.NO_DEFAULT,
    ),
    "offering twice": (Stage.OFFERED, lambda room, _: (Offer, "seller", *offer_fields(room)), Code.NO_DEFAULT),
    "offering in the seller's name": (
        Stage.DEFAULTED,
        lambda room, _: (Offer, "ben", *offer_fields(room)),
        Code.NOT_THE_SELLER,
    ),
    "offering to a bidder further down": (
        Stage.DEFAULTED,
        lambda room, _: (Offer, "seller", room.key("ann"), 1_000, "EUR", 6),
        Code.NOT_NEXT_BIDDER,
    ),
    "offering to the defaulter": (
        Stage.DEFAULTED,
        lambda room, _: (Offer, "seller", room.key("cat"), 1_200, "EUR", 8),
        Code.NOT_NEXT_BIDDER,
    ),
    "offering above the bid": (
        Stage.DEFAULTED,
        lambda room, _: (Offer, "seller", room.key("ben"), 1_200, "EUR", 7),
        Code.NOT_NEXT_BIDDER,
    ),
    "offering another bid": (
        Stage.DEFAULTED,
        lambda room, _: (Offer, "seller", room.key("ben"), 1_100, "EUR", 6),
        Code.NOT_NEXT_BIDDER,
    ),
    "offering in yen": (
        Stage.DEFAULTED,
        lambda room, _: (Offer, "seller", room.key("ben"), 1_100, "JPY", 7),
        Code.NOT_NEXT_BIDDER,
    ),
    "offering what was undone": (
        Stage.REVERTED,
        lambda room, _: (Offer, "seller", room.key("ben"), 1_100, "EUR", 7),
        Code.REVERTED,
    ),
    "accepting what is offered to another": (
        Stage.OFFERED,
        lambda _, offered: (Accept, "ann", offered),
        Code.NOT_OFFERED,
    ),
    "declining for another": (Stage.OFFERED, lambda _, offered: (Decline, "ann", offered), Code.NOT_OFFERED),
    "accepting another offer": (Stage.OFFERED, lambda _, __: (Accept, "ben", NO_ID), Code.WRONG_OFFER),
    "declining another offer": (Stage.OFFERED, lambda _, __: (Decline, "ben", NO_ID), Code.WRONG_OFFER),
    "accepting what is not offered": (Stage.DEFAULTED, lambda _, __: (Accept, "ben", NO_ID), Code.NO_OFFER),
    "accepting what was undone": (Stage.REVERTED, lambda _, __: (Accept, "ben", NO_ID), Code.REVERTED),
    "pausing what has closed": (Stage.PENDING_PAYMENT, lambda _, __: (Pause, "otto", ""), Code.CLOSED),
    "resuming what has closed": (Stage.PAID, lambda _, __: (Resume, "otto", ""), Code.CLOSED),
    "cancelling what is sold": (Stage.PENDING_PAYMENT, lambda _, __: (Cancel, "otto", ""), Code.CLOSED),
    "cancelling what is settled": (Stage.SETTLED, lambda _, __: (Cancel, "otto", ""), Code.CLOSED),
}
"""What is tried → in which stage, the command, and the code under which it is refused."""


@pytest.mark.parametrize("what", CASES)
def test_what_the_rules_do_not_allow_has_a_code_and_changes_nothing(
    sale_in: Rooms, snapshot_of: Snapshots, what: str
) -> None:
    stage, build, code = CASES[what]
    room, about = sale_in(stage)
    before = snapshot_of(room.auction)
    refusal = room.try_command(*build(room, about))
    assert refusal is not None
    assert refusal.code is code
    assert snapshot_of(room.auction) == before


@pytest.mark.parametrize("phase", ["open", "paused", "unsold", "sold without more ado"])
@pytest.mark.parametrize("of", [Pay, Settle, RejectPayment, Offer, Accept, Decline])
def test_where_no_sale_waits_for_its_payment_there_is_nothing_to_settle(
    open_room: Rooms, snapshot_of: Snapshots, phase: str, of: Any
) -> None:
    room = open_room()
    if phase == "sold without more ado":
        room.bid("ann", 1_000)
    if phase == "paused":
        room.command(Pause, "otto", "")
    elif phase != "open":
        room.at(room.auction.end_ns).due()
    before = snapshot_of(room.auction)
    fields = {Pay: WHOLE, Offer: (room.key("ann"), 1_000, "EUR", 4), RejectPayment: (SELLER, NO_ID, "")}
    rest = fields.get(of, (SELLER, NO_ID) if of is Settle else (NO_ID,))
    assert room.try_command(of, "seller", *rest) == Refusal(Code.NO_SALE)
    assert snapshot_of(room.auction) == before
    assert not {"pay", "settle", "reject_payment", "offer", "accept", "decline"} & set(room.auction.possible_commands)


def test_every_code_of_a_settlement_is_reached_above() -> None:
    of_settlements = set(tuple(Code)[tuple(Code).index(Code.NO_SALE) :])
    of_joinings = {Code.LOW_REPUTATION, Code.WRONG_REPUTATION}
    assert of_settlements - of_joinings - {Code.NO_SALE} == {code for _, _, code in CASES.values()} - {Code.CLOSED}


def test_the_same_bytes_are_no_second_command(sold_room: Rooms) -> None:
    room = sold_room()
    payment = room.command_frame(Pay, "cat", 1_200, "EUR", "")
    about = pay(room)
    room.command(RejectPayment, "seller", SELLER, about, "")
    assert room.auction.decide_command(payment, about, room.now_ns) == Refusal(Code.COMMAND_REPEATED)
    pay(room)
