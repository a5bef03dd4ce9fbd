"""What many markets come to is what their auctions come to, summed up."""

from __future__ import annotations

import pytest
from markets import group, plan

from auctionctl.market.market import HeldAuction
from auctionctl.market.plan import MarketPlan, Order
from auctionctl.market.simulation import Simulation, simulate


def nobody(done: int, total: int) -> None:
    """Whom progress is told."""


def held_by(market_plan: MarketPlan) -> tuple[Simulation, list[HeldAuction]]:
    held: list[HeldAuction] = []
    return simulate(market_plan, nobody, held.append), held


def test_every_sum_is_that_of_the_auctions() -> None:
    market_plan = plan(group(count=3), group("aggressive", 2), auctions=40, lots=2, reserve_minor=4_000)
    simulation, held = held_by(market_plan)
    sold = [each for each in held if each.bidder is not None]
    assert (simulation.markets, simulation.auctions, len(held)) == (20, 40, 40)
    assert 0 < simulation.sold == len(sold) < 40
    assert simulation.revenue.total == sum(each.price_minor or 0 for each in sold)
    assert simulation.revenue.estimate(2).mean == pytest.approx(simulation.revenue.total / 40)
    assert simulation.surplus.total == sum((each.value_minor or 0) - (each.price_minor or 0) for each in sold)
    assert simulation.bids.total == sum(each.bids for each in held) == sum(each.bids for each in simulation.groups)
    assert simulation.efficiency.upper == sum(each.value_minor or 0 for each in sold)
    assert simulation.efficiency.lower == sum(each.highest_value_minor for each in held)
    assert simulation.best_won == sum(each.value_minor == each.highest_value_minor for each in sold)
    assert [each.wins for each in simulation.groups] == [
        sum((each.bidder or 0) in seats for each in sold) for seats in (range(3), range(3, 5))
    ]
    assert sum(each.surplus.total for each in simulation.groups) == simulation.surplus.total
    assert sum(each.spent.total for each in simulation.groups) == simulation.revenue.total


def test_a_last_market_that_is_begun_is_held_to_its_end() -> None:
    simulation, _ = held_by(plan(auctions=5, lots=3, order=Order.CONCURRENT))
    assert (simulation.markets, simulation.auctions) == (2, 6)


def test_progress_is_told_market_by_market_up_to_the_whole() -> None:
    told: list[tuple[int, int]] = []
    simulate(plan(auctions=6, lots=2), lambda done, total: told.append((done, total)))
    assert told == [(2, 6), (4, 6), (6, 6)]


def test_the_paths_of_the_first_markets_are_kept() -> None:
    held: list[HeldAuction] = []
    simulate(plan(auctions=3), nobody, held.append, recorded=1)
    assert [bool(each.path) for each in held] == [True, False, False]


def test_more_of_the_same_begins_with_the_same() -> None:
    assert held_by(plan(auctions=8))[1][:4] == held_by(plan(auctions=4))[1]
    assert held_by(plan(auctions=4, seed=2))[1] != held_by(plan(auctions=4, seed=1))[1]
