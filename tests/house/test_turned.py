"""Which auctions are in another phase is told once, and never of what did not become durable."""

from __future__ import annotations

from typing import Any

from auctionctl.auction.commands import Cancel, Pay
from auctionctl.auction.rules import PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.room import LONGEST_PAUSE_NS

PAYMENT = PaymentRules(60 * SECOND_NS)


def test_an_opening_and_an_end_are_told_once_each(stage: Any) -> None:
    auction = stage.announce()
    assert stage.house.take_turned() == [], "whoever announced it knows"
    for session, name in ((1, "ann"), (2, "ben")):
        stage.enter(session, name)
        stage.handle(stage.join(session, auction))
    assert [(log.id, log.auction.phase) for log in stage.house.take_turned()] == [(auction, "open")]
    assert stage.house.take_turned() == []
    stage.after(60 * 10**9)
    assert [(log.id, log.auction.phase) for log in stage.house.take_turned()] == [(auction, "closed")]


def test_what_was_rolled_back_is_told_when_it_has_happened(stage: Any) -> None:
    auction = stage.announce()
    stage.is_full = True
    stage.after(40 * 10**9)
    assert stage.house.take_turned() == []
    stage.is_full = False
    stage.after(LONGEST_PAUSE_NS)
    assert [(log.id, log.auction.phase) for log in stage.house.take_turned()] == [(auction, "closed")]


def sold(stage: Any) -> bytes:
    auction: bytes = stage.opened(payment=PAYMENT)
    stage.handle(stage.bid(1, auction, 1_000))
    stage.until(stage.log(auction).auction.end_ns)
    return auction


def test_bidding_ends_once_whatever_becomes_of_the_sale(stage: Any) -> None:
    auction = sold(stage)
    assert [log.id for log in stage.house.take_closed()] == [auction]
    stage.handle(stage.command(1, Pay, auction, 1_000, "EUR", "a reference"))
    assert [log.auction.whereabouts for log in stage.house.take_turned()] == ["paid"]
    assert stage.house.take_closed() == []


def test_what_ended_before_a_restart_does_not_end_again_when_it_is_paid_for_or_not(stage: Any) -> None:
    paid, defaulted = sold(stage), sold(stage)
    stage.restart(SECOND_NS)
    stage.enter(1, "ann")
    stage.handle(stage.command(1, Pay, paid, 1_000, "EUR", "a reference"))
    stage.until(stage.log(defaulted).auction.get_timer())
    turned = [(log.id, log.auction.whereabouts) for log in stage.house.take_turned()]
    assert turned == [(paid, "paid"), (defaulted, "reverted")]
    assert stage.house.take_closed() == []


def test_what_was_to_end_while_the_house_was_away_ends_afterwards(stage: Any) -> None:
    auction = stage.opened()
    stage.restart(60 * SECOND_NS)
    stage.after(60 * SECOND_NS)
    assert [log.id for log in stage.house.take_closed()] == [auction]


def test_what_is_called_off_has_ended(stage: Any) -> None:
    auction = stage.opened()
    stage.enter(9, "otto", "operator")
    stage.handle(stage.command(9, Cancel, auction, "a reason"))
    assert [log.id for log in stage.house.take_closed()] == [auction]


def test_an_end_that_was_not_written_comes_once(stage: Any) -> None:
    auction = stage.announce()
    stage.is_full = True
    stage.after(40 * SECOND_NS)
    assert stage.house.take_closed() == []
    stage.is_full = False
    stage.after(LONGEST_PAUSE_NS)
    assert [log.id for log in stage.house.take_closed()] == [auction]


def test_an_end_at_one_instance_is_none_at_the_one_that_goes_on_with_the_sale(sharing: Any) -> None:
    cluster = sharing.Cluster("a", "b")
    a, b = cluster["a"], cluster["b"]
    for session, name in ((1, "ann"), (2, "ben")):
        a.enter(session, name)
        b.enter(session, name)
    auction = a.sell(payment=PAYMENT, duration_ns=2 * SECOND_NS)
    a.handle(a.join(1, auction), a.join(2, auction))
    a.handle(a.bid(1, auction, 1_000))
    cluster.after(2 * SECOND_NS)
    assert [log.id for log in a.house.take_closed()] == [auction]
    cluster.hand_over(auction, "a", "b")
    cluster.after(70 * SECOND_NS)
    assert [(log.id, log.auction.whereabouts) for log in b.house.take_turned()] == [(auction, "reverted")]
    assert a.house.take_closed() == b.house.take_closed() == []


def test_an_end_that_is_durable_is_told_though_a_later_batch_of_the_same_log_is_lost(stage: Any) -> None:
    auction = sold(stage)
    stage.is_full = True
    stage.handle(stage.command(1, Pay, auction, 1_000, "EUR", "a reference"))
    stage.is_full = False
    assert [log.auction.whereabouts for log in stage.house.take_closed()] == ["pending_payment"]
    assert stage.house.take_closed() == []
