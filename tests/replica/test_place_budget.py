"""Whoever answers for a house has a client go to a few places an hour that it was not given itself, and no more."""

from __future__ import annotations

from auctionctl.replica.place_budget import HOUR_NS, MAX_AN_HOUR, PlaceBudget


def test_a_few_places_an_hour_may_be_gone_to_and_each_of_them_again() -> None:
    budget = PlaceBudget()
    granted = [budget.grants(f"h{number}.example:1", number) for number in range(2 * MAX_AN_HOUR)]
    assert granted == [True] * MAX_AN_HOUR + [False] * MAX_AN_HOUR
    assert budget.grants("h0.example:1", HOUR_NS - 1)
    assert not budget.grants("new.example:1", HOUR_NS - 1)


def test_after_an_hour_there_is_room_for_as_many_as_came_to_be_that_old() -> None:
    budget = PlaceBudget()
    for number in range(MAX_AN_HOUR):
        budget.grants(f"h{number}.example:1", number)
    granted = [budget.grants(f"new{number}.example:1", HOUR_NS + 1) for number in range(3)]
    assert granted == [True, True, False]
