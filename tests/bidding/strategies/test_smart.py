"""smart: a limit that rises with time, and patience that shrinks with competition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.experience import ClosedLot
from auctionctl.bidding.strategies.smart import Smart, final_ns
from auctionctl.bidding.strategy import Offer, Purse, Wait
from auctionctl.bidding.tape import BidTape

RICH = Purse(10**15, 10**15)


@pytest.mark.parametrize(
    ("elapsed_s", "limit_minor"),
    [(0, 1_600), (75, 1_800), (150, 2_000), (225, 2_200), (239, 2_237), (240, 2_200), (299, 2_200)],
)
def test_its_limit_rises_from_80_percent_and_is_110_in_the_last_minute(
    view: Any, elapsed_s: int, limit_minor: int
) -> None:
    assert Smart().limit_minor(view(), RICH, elapsed_s * SECOND_NS) == limit_minor
    assert Smart().limit_minor(view(), Purse(10, 1_234), elapsed_s * SECOND_NS) == 1_234


def test_a_moved_end_does_not_lower_its_limit_below_80_percent(view: Any) -> None:
    assert Smart().limit_minor(view(end_ns=900 * SECOND_NS), RICH, 0) == 1_600


@pytest.mark.parametrize(("duration_s", "final_s"), [(3_600, 60), (120, 60), (119, 59.5), (30, 15)])
def test_the_last_minute_of_a_short_auction_is_its_second_half(view: Any, duration_s: int, final_s: float) -> None:
    short = view(duration_ns=duration_s * SECOND_NS, end_ns=duration_s * SECOND_NS)
    assert short.end_ns - final_ns(short) == int(final_s * SECOND_NS)


@pytest.mark.parametrize(("rivals", "begin_s"), [(0, 240), (1, 120), (2, 80), (3, 60), (5, 40)])
def test_the_more_rivals_have_bid_the_sooner_it_bids(
    view: Any, decide: Callable[..., Any], rivals: int, begin_s: int
) -> None:
    contested = view(active_bidders=rivals)
    begin_ns = begin_s * SECOND_NS
    assert decide(Smart(), contested, begin_ns - 1) == Wait(begin_ns)
    assert decide(Smart(), contested, begin_ns) == Offer(1_100)


def test_it_waits_until_its_limit_has_risen_to_the_price(view: Any, decide: Callable[..., Any]) -> None:
    dear = view(minimum_minor=2_000)
    assert decide(Smart(), dear, 130 * SECOND_NS) == Wait(150 * SECOND_NS)
    assert decide(Smart(), dear, 150 * SECOND_NS) == Offer(2_000)
    assert decide(Smart(), dear, 150 * SECOND_NS - 1) == Wait(150 * SECOND_NS)


def test_what_only_the_last_minute_allows_is_waited_for(view: Any, decide: Callable[..., Any]) -> None:
    beyond = view(minimum_minor=2_300)
    assert decide(Smart(), beyond, 130 * SECOND_NS) == Wait(240 * SECOND_NS)
    assert decide(Smart(), beyond, 240 * SECOND_NS) == Wait()
    assert decide(Smart(), view(), 130 * SECOND_NS, purse_minor=10) == Wait(240 * SECOND_NS)
    assert decide(Smart(0), view(), 130 * SECOND_NS) == Wait(240 * SECOND_NS)
    assert decide(Smart(), view(is_leading=True), 130 * SECOND_NS) == Wait()


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Smart(), Smart().limit_minor)
    bounds(Smart(9_000), lambda view, purse, now_ns: min(purse.budget_minor, 9_000 * 12 // 10))


def test_a_value_that_is_not_stated_is_estimated_from_lots_like_it(view: Any) -> None:
    cheap = ClosedLot(frozenset({"a", "lot"}), "EUR", 0, None, 1_000, True, 2, 0, 0)
    assert Smart().worth_minor(view(closed_lots=(cheap, cheap))) == 1_500
    assert Smart(1_800).worth_minor(view(closed_lots=(cheap, cheap))) == 1_800


def test_two_others_who_pay_more_are_followed_a_part_of_the_way_and_one_is_not(view: Any) -> None:
    tape = BidTape()
    tape.add(b"a", 2_400, 0)
    tape.add(b"us", 2_500, 0)
    assert Smart().worth_minor(view(tape=tape, own_number=1)) == 2_000
    tape.add(b"b", 2_600, 0)
    assert Smart().worth_minor(view(tape=tape, own_number=1)) == 2_200
    for number in range(20):
        tape.add(bytes([number]), 90_000, 0)
    assert Smart().worth_minor(view(tape=tape, own_number=1)) == 2_500
