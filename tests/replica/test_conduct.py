"""What an auction says of its bidders follows from its log: who stood by its bids, who paid, who did not."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.commands import Accept, Cancel, Capacity, Offer, Pay, Settle
from auctionctl.auction.rules import Cancellation, OnDefault, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.replica.conduct import Deeds, deeds_of, without_invalid

PAYMENT = PaymentRules(30 * SECOND_NS, 0, OnDefault.OFFER, 10 * SECOND_NS)


def rows(stage: Any, auction: bytes, invalid: dict[bytes, int] | None = None) -> dict[str, tuple[int, ...]]:
    """Name → stood, won, paid, defaulted, left, invalid."""
    names = {entry.identity.signing: entry.name for entry in stage.house.allowed}
    deeds = deeds_of(stage.log(auction).auction, invalid or {})
    assert [each.bidder for each in deeds] == sorted(each.bidder for each in deeds)
    return {
        names[each.bidder]: (each.stood, each.won, each.paid, each.defaulted, each.left, each.invalid) for each in deeds
    }


def sold(stage: Any, **changes: Any) -> bytes:
    """Ann has bid 10.00 and ben 12.00; cleo joined, and it has closed."""
    auction: bytes = stage.opened(**changes)
    stage.enter(3, "cleo")
    stage.handle(stage.join(3, auction), stage.bid(1, auction, 1_000))
    stage.handle(stage.bid(2, auction, 1_200))
    stage.after(21 * SECOND_NS)
    return auction


def test_whoever_bid_stood_by_it_and_whoever_only_joined_did_nothing(stage: Any) -> None:
    assert rows(stage, sold(stage)) == {"ann": (1, 0, 0, 0, 0, 0), "ben": (1, 1, 0, 0, 0, 0)}


def test_a_winner_who_pays_has_paid(stage: Any) -> None:
    auction = sold(stage, payment=PAYMENT)
    stage.enter(8, "sue", "seller")
    stage.handle(stage.command(2, Pay, auction, 1_200, "EUR", ""))
    payment = stage.log(auction).auction.settlement.payment
    stage.handle(stage.command(8, Settle, auction, Capacity.SELLER, payment))
    assert rows(stage, auction)["ben"] == (1, 1, 1, 0, 0, 0)


def test_a_winner_who_does_not_pay_has_defaulted_and_did_not_stand_by_its_bids(stage: Any) -> None:
    auction = sold(stage, payment=PAYMENT)
    stage.enter(8, "sue", "seller")
    stage.after(31 * SECOND_NS)
    bidder, bid = stage.log(auction).auction.settlement.next_bidder
    stage.handle(stage.command(8, Offer, auction, bidder, bid.amount_minor, "EUR", bid.bid_index))
    stage.handle(stage.command(1, Accept, auction, stage.log(auction).auction.settlement.offer))
    stage.after(40 * SECOND_NS)
    assert rows(stage, auction) == {"ann": (0, 1, 0, 1, 0, 0), "ben": (0, 1, 0, 1, 0, 0)}


def test_leaving_while_leading_counts_each_time_and_leaving_otherwise_does_not(stage: Any) -> None:
    auction = stage.opened(duration_ns=100 * SECOND_NS)
    stage.handle(stage.bid(1, auction, 1_000))
    for _ in range(2):
        for session in (1, 2):
            stage.house.session_ended(session, stage.now_ns)
        stage.after(20 * SECOND_NS)
        for session, name in ((1, "ann"), (2, "ben")):
            stage.enter(session, name)
            stage.handle(stage.join(session, auction))
    stage.after(100 * SECOND_NS)
    assert stage.kinds(auction).count("left") == 4
    assert rows(stage, auction) == {"ann": (1, 1, 0, 0, 2, 0)}


def test_in_an_auction_that_was_called_off_nobody_was_held_to_anything(stage: Any) -> None:
    auction = stage.opened(cancellation=Cancellation.BEFORE_CLOSE)
    stage.enter(9, "otto", "operator")
    stage.handle(stage.bid(1, auction, 1_000))
    stage.handle(stage.command(9, Cancel, auction, ""))
    ann = stage.house.presence.peers[1].identity.signing
    assert rows(stage, auction) == {}
    assert rows(stage, auction, {ann: 7}) == {"ann": (0, 0, 0, 0, 0, 7)}


@pytest.mark.parametrize("flags", [(0, 0, 0, 0), (1, 1, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1), (0, 1, 1, 1)])
def test_deeds_that_exclude_one_another_are_none(flags: tuple[int, ...]) -> None:
    assert not Deeds(bytes(32), *flags, 0, 0).is_consistent


def test_without_what_no_log_can_bear_out_some_have_done_nothing() -> None:
    ann, ben = Deeds(b"a" * 32, 1, 0, 0, 0, 0, 3), Deeds(b"b" * 32, 0, 0, 0, 0, 0, 3)
    assert without_invalid((ann, ben)) == (Deeds(b"a" * 32, 1, 0, 0, 0, 0, 0),)
