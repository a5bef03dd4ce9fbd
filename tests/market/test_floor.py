"""A floor is a house without keys: deadlines run out in time, and every bid is judged by the rules."""

from __future__ import annotations

from auctionctl.auction.increments import Fixed
from auctionctl.auction.phase import EndReason, Phase
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.terms import opens_commitment
from auctionctl.market.floor import Floor, stand_in, terms_of
from auctionctl.wire.listing import LotDescription

SECOND_NS = 1_000_000_000
LOT = LotDescription(
    "watch", "Watch", "EUR", 1_000, increment=Fixed(100), duration_ns=60 * SECOND_NS, min_bidders=2, reserve_minor=1_100
)
ANN, BEN = stand_in("ann"), stand_in("ben")


def opened() -> Floor:
    floor = Floor(bytes(32), terms_of(LOT), 0)
    for bidder in (ANN, BEN):
        assert floor.admit(bidder, 5) is None
    floor.run_until(5)
    return floor


def bid(floor: Floor, bidder: bytes, amount_minor: int, now_ns: int) -> Refusal | None:
    return floor.judge(floor.bid_of(bidder, now_ns, amount_minor, now_ns, now_ns), now_ns)


def test_an_auction_opens_with_its_last_bidder_and_closes_at_its_own_time_however_late_it_is_looked_at() -> None:
    floor = opened()
    assert floor.auction.phase is Phase.OPEN
    assert bid(floor, ANN, 1_000, 6) is None
    assert bid(floor, BEN, 1_050, 7).code is Code.BELOW_INCREMENT  # type: ignore[union-attr]
    assert bid(floor, BEN, 1_100, 7) is None
    floor.run_until(900 * SECOND_NS)
    assert floor.auction.ended_ns == 5 + 60 * SECOND_NS
    assert floor.auction.sale is not None
    assert (floor.auction.sale.leader, floor.auction.sale.price_minor) == (BEN, 1_100)


def test_the_reserve_of_the_terms_is_opened_at_the_close() -> None:
    terms = terms_of(LOT)
    reserve = terms.terms.rules.reserve
    assert reserve is not None
    assert terms.reserve is not None
    assert opens_commitment(reserve, terms.reserve, "EUR")
    floor = opened()
    bid(floor, ANN, 1_000, 6)
    floor.run_until(900 * SECOND_NS)
    assert floor.auction.end_reason is EndReason.RESERVE_NOT_MET


def test_whoever_comes_twice_is_refused_and_too_few_are_waited_for_in_vain() -> None:
    floor = Floor(bytes(32), terms_of(LOT), 0)
    floor.admit(ANN, 0)
    assert floor.admit(ANN, 1).code is Code.ALREADY_JOINED  # type: ignore[union-attr]
    floor.run_until(LOT.start_timeout_ns)
    assert floor.auction.end_reason is EndReason.CANCELLED


def test_nobody_can_be_called_what_house_and_seller_are() -> None:
    terms = terms_of(LOT).terms
    assert len({terms.house, terms.seller, stand_in("house"), stand_in("seller")}) == 4
