"""What befalls an agent's auctions besides bids: pauses, payment, default, offers, and a house that halts a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.commands import Accept, Cancel, Offer, Pause, Pay, RejectPayment, Resume, Settle
from auctionctl.auction.phase import Phase, Stage
from auctionctl.auction.rules import Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.commanding import Commander, Done, capacity_in
from auctionctl.bidding.notices import (
    AuctionContinued,
    AuctionPaused,
    BidAccepted,
    BidPlaced,
    Ended,
    Joined,
    PausedBy,
    Result,
    SaleTurned,
)
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Refused, encode

HOUR_NS = 3_600 * SECOND_NS

World = Any
Give = Callable[..., None]


@pytest.fixture
def give(world: World, secret_key: Any) -> Give:
    """Has somebody give one command, and waits until the log holds it."""
    count = 0

    def command(name: str, auction: bytes, role: str, make: Any) -> None:
        nonlocal count
        count += 1
        commander = Commander(
            secret_key(name),
            world.house.identity,
            auction,
            role,
            make=make,
            nonce=count.to_bytes(16, "big"),
            now_ns=world.now_ns,
        )
        line = world.add_agent(f"{name} {count}", commander)
        line.name = name
        world.run(lambda: commander.is_done)
        assert isinstance(commander.ending, Done), commander.ending
        world.disconnect(line)
        del world.lines[f"{name} {count}"]

    return command


def pay(auction: Any, stamp: Any) -> Pay:
    return Pay(*stamp.fields, auction.settlement.price_minor, auction.terms.rules.currency, "transfer 1")


def settle(auction: Any, stamp: Any) -> Settle:
    return Settle(*stamp.fields, capacity_in(auction.terms.seller, stamp.actor), auction.settlement.payment)


def reject(auction: Any, stamp: Any) -> RejectPayment:
    capacity = capacity_in(auction.terms.seller, stamp.actor)
    return RejectPayment(*stamp.fields, capacity, auction.settlement.payment, "no such transfer")


def offer(auction: Any, stamp: Any) -> Offer:
    bidder, (amount_minor, index) = auction.settlement.next_bidder
    return Offer(*stamp.fields, bidder, amount_minor, auction.terms.rules.currency, index)


def accept(auction: Any, stamp: Any) -> Accept:
    return Accept(*stamp.fields, auction.settlement.offer)


def committed(line: Any) -> int:
    minor: int = line.agent.wallet.committed_minor
    return minor


# Pauses


def test_an_operator_s_pause_is_told_and_nothing_is_bid_until_it_is_over(world: World, give: Give) -> None:
    auction = world.announce(min_bidders=1, duration_ns=HOUR_NS)
    ann = world.add("ann", value="45.00", auctions=[auction])
    world.run(lambda: bool(ann.told(BidAccepted)))
    give("olga", auction, "operator", lambda state, stamp: Pause(*stamp.fields, "a fire alarm"))
    world.run(lambda: bool(ann.told(AuctionPaused)))
    state = world.log(auction).auction
    assert ann.told(AuctionPaused) == [
        AuctionPaused(auction, PausedBy.OPERATOR, "a fire alarm", state.pauses.end_by_ns())
    ]
    # Ben comes in the pause, joins, and would outbid ann at once.
    ben = world.add("ben", value="30.00", auctions=[auction])
    world.run_for(5 * SECOND_NS)
    assert ben.told(Joined)
    assert not ben.agent.can_bid(auction, world.now_ns)
    assert not ben.told(BidPlaced)
    assert ben.told(AuctionPaused) == ann.told(AuctionPaused)
    give("olga", auction, "operator", lambda state, stamp: Resume(*stamp.fields, "false alarm"))
    world.run(lambda: bool(ben.told(BidAccepted)))
    (continued,) = ann.told(AuctionContinued)
    assert (continued.cause, continued.words) == (PausedBy.OPERATOR, "false alarm")
    assert continued.end_ns == world.log(auction).auction.end_ns
    assert len(ben.told(AuctionContinued)) == 1


def test_whoever_was_declared_left_joins_again_and_so_ends_the_pause_that_waits_for_it(world: World) -> None:
    rules = PauseRules(Disconnection.PAUSE, 10, HOUR_NS, 5, HOUR_NS)
    auction = world.announce(min_bidders=2, duration_ns=HOUR_NS, pauses=rules)
    ann, ben = (world.add(name, value="20.00", auctions=[auction]) for name in ("ann", "ben"))
    world.run(lambda: bool(ann.told(BidAccepted) or ben.told(BidAccepted)))
    world.disconnect(ann)
    world.run(lambda: bool(ben.told(AuctionPaused)))
    assert ben.told(AuctionPaused)[0].cause is PausedBy.TERMS
    assert world.log(auction).auction.phase is Phase.PAUSED
    world.connect(ann)
    world.run(lambda: bool(ben.told(AuctionContinued)))
    assert ben.told(AuctionContinued)[0].cause is PausedBy.TERMS
    assert len(ann.told(Joined)) == 2
    assert world.log(auction).auction.phase is Phase.OPEN


def test_pauses_of_before_are_no_news_to_a_run_that_begins(world: World, give: Give) -> None:
    auction = world.announce(min_bidders=1, duration_ns=HOUR_NS)
    world.add("ben", value="10.00", auctions=[auction])
    world.run(lambda: world.log(auction).auction.bid_count == 1)
    give("olga", auction, "operator", lambda state, stamp: Pause(*stamp.fields, ""))
    give("olga", auction, "operator", lambda state, stamp: Resume(*stamp.fields, ""))
    ann = world.add("ann", value="30.00", auctions=[auction])
    world.run(lambda: bool(ann.told(BidAccepted)))
    assert not ann.told(AuctionPaused) + ann.told(AuctionContinued)


def test_an_auction_that_is_called_off_ends_without_a_sale_and_frees_everything(world: World, give: Give) -> None:
    auction = world.announce(min_bidders=2, start_timeout_ns=HOUR_NS)
    ann = world.add("ann", auctions=[auction])
    world.run(lambda: bool(ann.told(Joined)))
    give("olga", auction, "operator", lambda state, stamp: Cancel(*stamp.fields, "the vase broke"))
    world.run(lambda: ann.agent.is_done)
    assert ann.agent.outcomes[auction].result is Result.NO_SALE
    assert ann.agent.outcomes[auction].end_reason == "cancelled"
    assert committed(ann) == 0


# Settlement


@pytest.fixture
def sold(world: World) -> Callable[..., tuple[bytes, Any, Any]]:
    """A sale to ann at 20.00 or 21.00, with ben as the next bidder; a long auction keeps both at work."""

    def sell(**payment: Any) -> tuple[bytes, Any, Any]:
        terms = PaymentRules(**{"payment_ns": 20 * SECOND_NS} | payment)
        auction = world.announce("sold", payment=terms, duration_ns=5 * SECOND_NS)
        other = world.announce("other", min_bidders=4, start_timeout_ns=HOUR_NS)
        ann = world.add("ann", value="21.00", budget="50EUR", auctions=[auction, other])
        ben = world.add("ben", value="20.00", budget="50EUR", auctions=[auction, other])
        world.run(lambda: auction in ann.agent.outcomes and auction in ben.agent.outcomes)
        assert ann.agent.outcomes[auction].result is Result.WON
        return auction, ann, ben

    return sell


def stages(line: Any) -> list[tuple[Stage, bool]]:
    return [(turned.stage, turned.is_ours) for turned in line.told(SaleTurned)]


def test_a_win_is_tied_up_from_its_end_on_and_what_was_paid_is_spent(world: World, sold: Any, give: Give) -> None:
    auction, ann, ben = sold()
    price_minor = ann.agent.outcomes[auction].price_minor
    world.run(lambda: bool(ann.told(SaleTurned)))
    state = world.log(auction).auction
    assert ann.told(SaleTurned) == [
        SaleTurned(auction, Stage.PENDING_PAYMENT, True, price_minor, state.settlement.due_ns)
    ]
    assert ann.agent.outcomes[auction].due_ns == state.settlement.due_ns
    for name, role, make, stage in (
        ("ann", "bidder", pay, Stage.PAID),
        ("seller", "seller", reject, Stage.PENDING_PAYMENT),
        ("ann", "bidder", pay, Stage.PAID),
        ("seller", "seller", settle, Stage.SETTLED),
    ):
        give(name, auction, role, make)
        world.run(lambda stage=stage: ann.told(SaleTurned)[-1].stage is stage)
        assert committed(ann) == price_minor
        assert ann.agent.outcomes[auction].result is Result.WON
    assert committed(ben) == 0
    assert stages(ben) == [], "it is nobody's business but the winner's"
    assert len(ann.told(Ended)) == 1


def test_our_own_default_and_a_reverted_sale_free_what_was_tied_up(world: World, sold: Any) -> None:
    auction, ann, _ = sold()
    world.run(lambda: ann.agent.outcomes[auction].end_reason == "reverted")
    assert stages(ann) == [(Stage.PENDING_PAYMENT, True), (Stage.REVERTED, True)]
    assert committed(ann) == 0
    outcome = ann.agent.outcomes[auction]
    assert (outcome.result, outcome.price_minor, outcome.due_ns) == (Result.NO_SALE, None, None)
    assert len(outcome.bids) > 1


def test_an_offer_binds_nothing_before_it_is_accepted_and_then_our_own_bid(world: World, sold: Any, give: Give) -> None:
    auction, ann, ben = sold(on_default=OnDefault.OFFER, offer_ns=HOUR_NS)
    world.run(lambda: (Stage.DEFAULTED, True) in stages(ann))
    assert committed(ann) == 0
    give("seller", auction, "seller", offer)
    world.run(lambda: bool(stages(ben)))
    (offered,) = ben.told(SaleTurned)
    settlement = world.log(auction).auction.settlement
    assert (offered.stage, offered.is_ours, offered.by_ns) == (Stage.OFFERED, True, settlement.stage_by_ns)
    assert committed(ben) == 0
    assert ben.agent.outcomes[auction].result is Result.LOST
    give("ben", auction, "bidder", accept)
    world.run(lambda: len(stages(ben)) == 2)
    assert committed(ben) == offered.price_minor <= 2_000
    assert ben.agent.outcomes[auction].result is Result.WON
    assert ben.agent.outcomes[auction].price_minor == offered.price_minor
    assert stages(ann)[1:3] == [(Stage.DEFAULTED, True), (Stage.OFFERED, False)]


@pytest.mark.parametrize("defaults", [False, True])
def test_a_restarted_agent_reads_in_the_logs_what_it_owes(world: World, sold: Any, defaults: bool) -> None:
    auction, ann, _ = sold()
    other = next(iter(set(ann.agent.follower.replicas) - {auction}))
    price_minor = ann.agent.outcomes[auction].price_minor
    if defaults:
        world.run(lambda: ann.agent.outcomes[auction].end_reason == "reverted")
    world.disconnect(ann)
    again = world.add("ann", value="21.00", budget="50EUR", auctions=[auction, other])
    world.run(lambda: auction in again.agent.outcomes and again.agent.outcomes[auction].stage is not None)
    assert committed(again) == (0 if defaults else price_minor)
    assert stages(again) == [(Stage.REVERTED if defaults else Stage.PENDING_PAYMENT, True)]
    assert not again.agent.is_done


def test_a_winner_that_was_declared_left_comes_back_before_that_is_a_default(world: World, sold: Any) -> None:
    auction, ann, _ = sold(payment_ns=60 * SECOND_NS, absence_ns=25 * SECOND_NS)
    me = ann.agent.follower.replicas[auction].replay.state.settlement.debtor
    world.disconnect(ann)
    world.run(lambda: me not in world.log(auction).auction.present)
    world.connect(ann)
    world.run(lambda: me in world.log(auction).auction.present)
    world.run_for(30 * SECOND_NS)
    assert world.log(auction).auction.settlement.stage is Stage.PENDING_PAYMENT


def test_bidding_is_done_when_every_auction_has_ended_whatever_is_still_to_be_paid(world: World) -> None:
    auction = world.announce(payment=PaymentRules(HOUR_NS), min_bidders=1, duration_ns=3 * SECOND_NS)
    ann = world.add("ann", auctions=[auction])
    world.run(lambda: ann.agent.is_done)
    assert ann.agent.outcomes[auction].stage is Stage.PENDING_PAYMENT


# A house that contradicts itself, and says so


def test_an_auction_that_the_house_has_halted_is_over_for_us_and_frees_nothing(world: World) -> None:
    auction, other = world.announce(min_bidders=1, duration_ns=HOUR_NS), world.announce("lot-2", min_bidders=1)
    ann = world.add("ann", auctions=[auction, other])
    halted: list[bytes] = []

    def halt(message: Message) -> Message:
        if message_type(message.body) == "acknowledged" and ann.agent.wallet.committed_minor:
            command = next(each.command for each in ann.told(BidPlaced) if each.auction == auction)
            halted.append(command)
            return Message(encode(Refused("halted", "this log is not what this house has signed", command)))
        return message

    world.run(lambda: len(ann.told(BidPlaced)) == 2)
    ann.loses = lambda message: message_type(message.body) == "entries" and not halted
    ann.tamper = halt
    world.run(lambda: bool(halted))
    ann.tamper = lambda message: message
    outcome = ann.agent.outcomes[auction]
    assert (outcome.result, outcome.end_reason) == (Result.HALTED, "halted")
    assert [notice.auction for notice in ann.told(Ended)] == [auction]
    sent = len(ann.sent)
    world.run(lambda: ann.agent.is_done)
    assert ann.agent.outcomes[other].result is Result.WON
    assert committed(ann) == 2_000, "what was bid in a halted auction may yet have to be paid"
    bids = [message for message in ann.sent[sent:] if message_type(message.body) == "bid"]
    assert all(world.log(other).id in message.body for message in bids)
