"""Theory as the oracle: what a market of truthful bidders comes to is known without any program.

Of n independent values, uniform on [0, 1], the second highest is (n − 1)/(n + 1) on average: that is what the seller of
an ascending auction gets (Vickrey 1961; Krishna, Auction Theory, chapter 2). With steps of 0.01 of the range the price
may be off by one step either way, and that is the tolerance here, besides the 99% interval of the mean: at 2,000
auctions of 5 bidders about 0.0103 of the range on either side, at the 20,000 of the long run 0.0033. Within the same
step, the lot goes to whoever values it most.
"""

from __future__ import annotations

import pytest
from markets import group, plan
from test_simulation import nobody

from auctionctl.market.market import HeldAuction
from auctionctl.market.simulation import simulate
from auctionctl.market.statistics import Z_99
from auctionctl.market.values import Uniform

RANGE_MINOR = 10_000
STEP_MINOR = RANGE_MINOR // 100
BIDDERS = (2, 3, 5, 10)


def check_revenue_and_efficiency(bidders: int, auctions: int) -> None:
    held: list[HeldAuction] = []
    market_plan = plan(group("truthful", bidders), auctions=auctions, values=Uniform(0, RANGE_MINOR), seed=bidders)
    simulation = simulate(market_plan, nobody, held.append)
    interval = simulation.revenue.estimate().interval(Z_99)
    assert interval is not None
    expected = RANGE_MINOR * (bidders - 1) / (bidders + 1)
    assert interval[0] - STEP_MINOR <= expected <= interval[1] + STEP_MINOR
    assert interval[1] - interval[0] < 2 * 0.25 * RANGE_MINOR * Z_99 / auctions**0.5  # no deviation is above 1/4
    assert len(held) == auctions
    assert all(each.value_minor is not None for each in held if each.highest_value_minor >= 1)
    assert all(each.highest_value_minor - (each.value_minor or 0) <= STEP_MINOR for each in held)


@pytest.mark.parametrize("bidders", BIDDERS)
def test_truthful_bidders_pay_what_theory_says_and_the_best_of_them_wins(bidders: int) -> None:
    check_revenue_and_efficiency(bidders, 2_000)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("bidders", BIDDERS)
def test_twenty_thousand_auctions_pay_what_theory_says_to_a_third_of_a_percent(bidders: int) -> None:
    check_revenue_and_efficiency(bidders, 20_000)
