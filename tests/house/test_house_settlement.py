"""A house and the sales that are paid for, or not: deadlines, presence, restarts in every stage, and the end of it."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import Accept, Capacity, Decline, Offer, Pay, RejectPayment, Settle
from auctionctl.auction.phase import Stage
from auctionctl.auction.rules import OnDefault, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.gaps import RECONNECT_GRACE_NS
from auctionctl.house.presence import PRESENCE_GRACE_NS
from auctionctl.house.room import LONGEST_PAUSE_NS
from auctionctl.replica.audit import audit
from auctionctl.wire.messages import Bye

ANN, BEN, CLEO, SUE, OTTO = 1, 2, 3, 8, 9
NAMES = {ANN: "ann", BEN: "ben", CLEO: "cleo"}
OFFERING = PaymentRules(100 * SECOND_NS, 30 * SECOND_NS, OnDefault.OFFER, 50 * SECOND_NS)
SELLER = Capacity.SELLER


def enter(stage: Any) -> None:
    """Everybody who has no session has one again."""
    peers = stage.house.presence.peers
    for session, name in NAMES.items():
        if session not in peers:
            stage.enter(session, name)
    if SUE not in peers:
        stage.enter(SUE, "sue", "seller")
    if OTTO not in peers:
        stage.enter(OTTO, "otto", "operator")


def sold(stage: Any, payment: PaymentRules = OFFERING) -> bytes:
    """An auction that cleo has won at 15.00, after bids by ann of 10.00 and ben of 12.00."""
    auction: bytes = stage.opened(payment=payment)
    enter(stage)
    stage.handle(stage.join(CLEO, auction))
    for session, amount_minor in ((ANN, 1_000), (BEN, 1_200), (CLEO, 1_500)):
        stage.handle(stage.bid(session, auction, amount_minor))
    stage.until(stage.log(auction).auction.end_ns)
    assert stage.kinds(auction)[5:] == ["bid", "bid", "bid", "closed"]
    return auction


def give(stage: Any, session: int, of: Any, auction: bytes, *fields: Any) -> bytes:
    """A command that has to be accepted; returns its id."""
    size = stage.log(auction).auction.size
    request = stage.command(session, of, auction, *fields)
    stage.handle(request)
    assert stage.log(auction).auction.size > size
    return command_id(request.body)


def pay(stage: Any, session: int, auction: bytes) -> bytes:
    settlement = stage.log(auction).auction.settlement
    return give(stage, session, Pay, auction, settlement.price_minor, "EUR", "a reference")


def offer(stage: Any, auction: bytes) -> bytes:
    bidder, bid = stage.log(auction).auction.settlement.next_bidder
    return give(stage, SUE, Offer, auction, bidder, bid.amount_minor, "EUR", bid.bid_index)


def default(stage: Any, auction: bytes) -> None:
    stage.until(stage.log(auction).auction.get_timer())


def to_stage(stage: Any, where: Stage) -> tuple[bytes, bytes]:
    """A sale that has come to ``where``, and the id of what was paid or offered last."""
    auction, about = sold(stage), b""
    if where in (Stage.PAID, Stage.SETTLED):
        about = pay(stage, CLEO, auction)
    if where is Stage.SETTLED:
        give(stage, SUE, Settle, auction, SELLER, about)
    if where in (Stage.DEFAULTED, Stage.OFFERED, Stage.REVERTED):
        default(stage, auction)
    if where is Stage.OFFERED:
        about = offer(stage, auction)
    if where is Stage.REVERTED:
        default(stage, auction)
    assert stage.log(auction).auction.settlement.stage is where
    return auction, about


def verified(stage: Any, auction: bytes) -> Any:
    """What the log says, to anybody: the same as the house."""
    found = audit(stage.export(auction), stage.key.identity).auction
    live = stage.log(auction).auction
    for name in type(live).__slots__:
        assert getattr(found, name) == getattr(live, name), name
    return found


# Deadlines


def test_a_sale_that_is_paid_and_settled_is_finished(stage: Any) -> None:
    auction = sold(stage)
    assert (stage.house.live_count, stage.house.unfinished_count) == (0, 1)
    give(stage, SUE, Settle, auction, SELLER, pay(stage, CLEO, auction))
    assert stage.kinds(auction)[9:] == ["payment", "settled"]
    assert (stage.house.unfinished_count, stage.house._held.next_ns()) == (0, None)
    assert verified(stage, auction).is_final


def test_the_house_wakes_when_a_payment_is_due_and_reverts_in_the_same_batch(stage: Any) -> None:
    auction = sold(stage, PaymentRules(100 * SECOND_NS))
    due_ns = stage.log(auction).auction.settlement.due_ns
    assert stage.house._held.next_ns() == due_ns
    stage.until(due_ns - 1)
    assert stage.kinds(auction)[9:] == []
    stage.until(due_ns)
    assert stage.kinds(auction)[9:] == ["defaulted", "reverted"]
    assert {entry.time_ns for entry in stage.entries(auction)[9:]} == {due_ns}
    assert stage.house.unfinished_count == 0
    verified(stage, auction)


def test_offers_lapse_one_after_the_other_and_then_nobody_has_bought_it(stage: Any) -> None:
    auction = sold(stage)
    default(stage, auction)
    offer(stage, auction)
    default(stage, auction)
    assert stage.kinds(auction)[9:] == ["defaulted", "offered", "declined"]
    offer(stage, auction)
    default(stage, auction)
    assert stage.kinds(auction)[12:] == ["offered", "declined", "reverted"]
    assert verified(stage, auction).end_reason == "reverted"


def test_a_command_at_the_instant_of_the_deadline_comes_too_late(stage: Any, staging: Any) -> None:
    auction = sold(stage)
    due_ns = stage.log(auction).auction.settlement.due_ns
    stage.until(due_ns - 1)
    stage.now_ns = due_ns
    late = stage.command(CLEO, Pay, auction, 1_500, "EUR", "")
    assert staging.codes(stage.handle(late), CLEO) == ["defaulted"]
    assert stage.kinds(auction)[9:] == ["defaulted"]
    offered = offer(stage, auction)
    by_ns = stage.log(auction).auction.get_timer()
    stage.until(by_ns - 1)
    stage.now_ns = by_ns
    late = stage.command(BEN, Accept, auction, offered)
    assert staging.codes(stage.handle(late), BEN) == ["no_offer"]
    assert stage.kinds(auction)[10:] == ["offered", "declined"]
    verified(stage, auction)


# Presence


def test_a_winner_that_goes_away_is_missed_and_defaults(stage: Any) -> None:
    auction = sold(stage)
    stage.handle(stage.ask(CLEO, Bye()), stage.ask(ANN, Bye()))
    stage.after(PRESENCE_GRACE_NS)
    assert stage.kinds(auction)[9:] == ["left"], "of ann nobody speaks any more"
    stage.after(30 * SECOND_NS)
    assert stage.kinds(auction)[9:] == ["left", "defaulted"]
    verified(stage, auction)


def test_a_winner_that_comes_back_in_time_still_pays(stage: Any) -> None:
    auction = sold(stage)
    stage.handle(stage.ask(CLEO, Bye()))
    stage.after(PRESENCE_GRACE_NS + 29 * SECOND_NS)
    stage.enter(CLEO, "cleo")
    stage.handle(stage.join(CLEO, auction))
    stage.after(40 * SECOND_NS)
    pay(stage, CLEO, auction)
    assert stage.kinds(auction)[9:] == ["left", "joined", "payment"]


def test_whoever_went_away_while_its_payment_was_looked_for_is_missed_after_the_rejection_only(stage: Any) -> None:
    auction = sold(stage)
    payment = pay(stage, CLEO, auction)
    stage.handle(stage.ask(CLEO, Bye()))
    stage.after(200 * SECOND_NS)
    assert stage.kinds(auction)[9:] == ["payment"]
    give(stage, SUE, RejectPayment, auction, SELLER, payment, "nothing came")
    stage.after(PRESENCE_GRACE_NS)
    assert stage.kinds(auction)[10:] == ["payment_rejected", "left"]
    stage.after(30 * SECOND_NS)
    assert stage.kinds(auction)[12:] == ["defaulted"]
    verified(stage, auction)


def test_whoever_accepts_an_offer_is_missed_from_then_on(stage: Any) -> None:
    auction = sold(stage)
    default(stage, auction)
    stage.handle(stage.ask(BEN, Bye()))
    stage.after(PRESENCE_GRACE_NS)
    offered = offer(stage, auction)
    stage.enter(BEN, "ben")
    give(stage, BEN, Accept, auction, offered)
    stage.handle(stage.ask(BEN, Bye()))
    stage.after(PRESENCE_GRACE_NS)
    assert stage.kinds(auction)[9:] == ["defaulted", "offered", "accepted", "left"]
    stage.after(30 * SECOND_NS)
    assert stage.kinds(auction)[13:] == ["defaulted"]
    verified(stage, auction)


def test_a_bidder_delisted_loses_its_session_and_what_it_owes_goes_on(stage: Any, staging: Any) -> None:
    auction = sold(stage)
    everybody = dict.fromkeys(("ann", "ben"), "bidder") | {"sue": "seller", "otto": "operator"}
    stage.do(stage.house.set_allowed(staging.allowed_with(**everybody), stage.now_ns))
    stage.after(PRESENCE_GRACE_NS + 30 * SECOND_NS)
    assert stage.kinds(auction)[9:] == ["left", "defaulted"]


# Through whatever happens to the house


@pytest.mark.parametrize("where", list(Stage))
def test_a_house_that_starts_again_in_any_stage_goes_on_from_there(stage: Any, where: Stage) -> None:
    auction, about = to_stage(stage, where)
    timer_ns, unfinished = stage.log(auction).auction.get_timer(), stage.house.unfinished_count
    kinds = stage.kinds(auction)
    stage.after(5 * SECOND_NS)
    stage.store.alive(stage.now_ns)
    stage.restart(600 * SECOND_NS)
    live = stage.log(auction).auction
    assert (live.settlement.stage, stage.house.unfinished_count) == (where, unfinished)
    assert stage.kinds(auction) == kinds + (["gap"] if timer_ns is not None else [])
    moved_ns = 600 * SECOND_NS + RECONNECT_GRACE_NS
    assert live.get_timer() == (None if timer_ns is None else timer_ns + moved_ns)
    verified(stage, auction)
    enter(stage)
    match where:
        case Stage.PENDING_PAYMENT:
            pay(stage, CLEO, auction)
        case Stage.PAID:
            give(stage, SUE, Settle, auction, SELLER, about)
        case Stage.DEFAULTED:
            offer(stage, auction)
        case Stage.OFFERED:
            give(stage, BEN, Decline, auction, about)
        case _:
            assert live.is_final
    verified(stage, auction)


@pytest.mark.parametrize("what", ["stall", "lose"])
@pytest.mark.parametrize("where", [Stage.PENDING_PAYMENT, Stage.DEFAULTED, Stage.OFFERED])
def test_every_deadline_of_a_sale_moves_by_the_time_in_which_nobody_could_reach_the_house(
    stage: Any, where: Stage, what: str
) -> None:
    auction, _ = to_stage(stage, where)
    timer_ns = stage.log(auction).auction.get_timer()
    if what == "stall":
        stage.now_ns += 500 * SECOND_NS
        stage.handle()
    else:
        stage.house.gateway_lost(stage.now_ns)
        stage.now_ns += 500 * SECOND_NS - RECONNECT_GRACE_NS
        stage.do(stage.house.gateway_back(stage.now_ns))
    assert stage.kinds(auction)[-1] == "gap"
    assert stage.log(auction).auction.get_timer() == timer_ns + 500 * SECOND_NS
    enter(stage)
    stage.until(timer_ns + 500 * SECOND_NS - 1)
    assert stage.kinds(auction)[-1] == "gap"
    stage.until(timer_ns + 500 * SECOND_NS)
    assert stage.kinds(auction)[-1] in ("defaulted", "declined", "reverted")
    verified(stage, auction)


def test_a_debtor_that_was_away_has_the_grace_to_come_back_after_a_restart(stage: Any) -> None:
    auction = sold(stage)
    stage.restart(0)
    stage.after(PRESENCE_GRACE_NS)
    assert stage.kinds(auction)[9:] == ["gap", "left"]
    enter(stage)
    stage.handle(stage.join(CLEO, auction))
    assert stage.kinds(auction)[11:] == ["joined"]


@pytest.mark.parametrize("what", ["payment", "default"])
def test_what_was_rolled_back_is_settled_anew(stage: Any, staging: Any, what: str) -> None:
    auction = sold(stage)
    before, timer_ns = stage.data(auction), stage.log(auction).auction.get_timer()
    stage.is_full = True
    if what == "payment":
        request = stage.command(CLEO, Pay, auction, 1_500, "EUR", "")
        assert staging.codes(stage.handle(request), CLEO) == []
    else:
        stage.until(timer_ns)
    assert stage.data(auction) == before
    assert stage.log(auction).auction.settlement.stage is Stage.PENDING_PAYMENT
    assert stage.house.unfinished_count == 1
    stage.is_full = False
    stage.after(2 * LONGEST_PAUSE_NS)
    if what == "payment":
        pay(stage, CLEO, auction)
    happened = [kind for kind in stage.kinds(auction)[9:] if kind != "gap"]
    assert happened == ["payment" if what == "payment" else "defaulted"]
    verified(stage, auction)


# The end of it


@pytest.mark.parametrize("where", list(Stage))
def test_only_what_is_finished_may_be_kept_elsewhere(stage: Any, where: Stage) -> None:
    auction, _ = to_stage(stage, where)
    log = stage.log(auction)
    if where in (Stage.SETTLED, Stage.REVERTED):
        stage.house.forget(log)
        assert list(stage.house.logs) == []
    else:
        with pytest.raises(AssertionError):
            stage.house.forget(log)


def test_every_step_of_a_sale_is_told_once(stage: Any) -> None:
    auction = sold(stage)
    stage.house.take_turned()
    steps = [lambda: pay(stage, CLEO, auction)]
    about = steps[0]()
    assert [log.auction.whereabouts for log in stage.house.take_turned()] == ["paid"]
    give(stage, OTTO, RejectPayment, auction, Capacity.OPERATOR, about, "")
    assert [log.auction.whereabouts for log in stage.house.take_turned()] == ["pending_payment"]
    default(stage, auction)
    assert [log.auction.whereabouts for log in stage.house.take_turned()] == ["defaulted"]
    assert stage.house.take_turned() == []


def test_a_seller_may_open_another_auction_while_its_sale_waits_for_payment(stage: Any, staging: Any) -> None:
    stage = staging.Stage(staging.Limits(max_concurrent_auctions=1, max_auctions_a_seller=1))
    sold(stage)
    stage.handle(stage.offer(SUE, stage.terms()))
    assert stage.house.live_count == 1
    assert stage.house.unfinished_count == 2
