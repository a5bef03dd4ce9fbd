"""How an auction looks from a bidder's place: by the verified log alone, and with the times that a last bid needs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.experience import ClosedLot
from auctionctl.bidding.notices import Ended
from auctionctl.bidding.strategy import AuctionView, Offer, Purse, Wait

World = Any


class Records:
    """Bids the minimum up to a limit, and remembers what it saw."""

    def __init__(self, limit_minor: int) -> None:
        self.limit_minor = limit_minor
        self.views: list[AuctionView] = []
        self.counts: list[int] = []
        self.purses: list[Purse] = []

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:
        self.views.append(view)
        self.counts.append(view.tape.count)
        self.purses.append(purse)
        if not view.is_leading and view.minimum_minor <= self.limit_minor:
            return Offer(view.minimum_minor)
        return Wait(now_ns + 5 * SECOND_NS)


@pytest.fixture
def two_lots(world: World) -> Any:
    """Ann and ben in two auctions one after the other; ann goes up to 13.00, ben to 12.00."""
    records = Records(1_300)
    soft = {"soft_close_window_ns": SECOND_NS, "max_extension_ns": 60 * SECOND_NS}
    first = world.announce(duration_ns=10 * SECOND_NS, estimate_minor=2_000, **soft)
    second = world.announce("lot-2", duration_ns=30 * SECOND_NS)
    line = world.add("ann", auctions=[first, second], budget="100EUR", make=lambda terms: records)
    world.add("ben", auctions=[first, second], value="12EUR")
    world.run(lambda: len(line.told(Ended)) == 2)
    return records, first, second


def test_a_strategy_sees_soft_close_round_trip_bids_and_what_its_money_did(two_lots: Any) -> None:
    records, first, second = two_lots
    here = [view for view in records.views if view.auction == first]
    assert {view.soft_close_window_ns for view in here} == {SECOND_NS}
    assert {view.max_end_ns - view.opened_at_ns for view in here} == {70 * SECOND_NS}
    assert all(view.round_trip_ns > 0 for view in here)
    assert [count for view, count in zip(records.views, records.counts, strict=True) if view.auction == first] == [
        view.bid_count for view in here
    ]
    assert {(view.lots_open, view.lots_to_come) for view in records.views} >= {(2, 0)}
    assert records.views[-1].auction == second
    assert all(len(view.tape.last) <= 2 for view in records.views)


def test_a_lot_that_has_closed_is_remembered_in_the_others(two_lots: Any) -> None:
    records, _, second = two_lots
    late = [(v, p) for v, p in zip(records.views, records.purses, strict=True) if v.auction == second and v.closed_lots]
    assert late, "nobody was asked after the first had closed"
    (lot,) = late[-1][0].closed_lots
    assert isinstance(lot, ClosedLot)
    assert (lot.currency, lot.estimate_minor, lot.is_sold, lot.bidders) == ("EUR", 2_000, True, 2)
    paid = lot.price_minor if lot.paid_minor else 0
    assert lot.paid_minor == paid == late[-1][1].spent_minor
    assert late[-1][1].committed_minor >= paid
    assert late[-1][0].lots_open == 1
