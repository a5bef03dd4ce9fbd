"""A tournament finds out who is better, and does not say so where nobody is."""

from __future__ import annotations

from markets import group, plan
from test_simulation import nobody

from auctionctl.bidding.strategies import aggressive
from auctionctl.market.casting import strategy_maker
from auctionctl.market.tournament import play, rank


def test_whoever_pays_more_than_a_lot_is_worth_loses_to_whoever_does_not() -> None:
    reckless = group("aggressive", 1, make=strategy_maker(aggressive.SPEC, {"factor": "1.5"}, "EUR"))
    entrants = (group("market-value", 2), reckless, group("conservative", 1))
    market_plan = plan(*entrants, auctions=80)
    meetings = play(market_plan, nobody)
    assert [(meeting.first, meeting.second) for meeting in meetings] == [
        ("market-value", "aggressive"),
        ("market-value", "conservative"),
        ("aggressive", "conservative"),
    ]
    assert meetings[0].winner == "market-value"
    standings = rank(market_plan, meetings)
    assert standings[-1].name == "aggressive"
    assert [standing.points for standing in standings] == sorted((s.points for s in standings), reverse=True)
    assert sum(standing.wins for standing in standings) == sum(standing.losses for standing in standings)
    assert sum(standing.points for standing in standings) == 2 * len(meetings)


def test_between_two_of_a_kind_nobody_wins_and_in_both_seats_together_they_are_equal() -> None:
    (meeting,) = play(plan(group(count=2, name="one"), group(count=1, name="other"), auctions=20), nobody)
    assert meeting.difference.total == 0
    assert meeting.winner is None
    assert meeting.first_surplus.total == meeting.second_surplus.total > 0


def test_progress_counts_every_auction_of_both_seatings() -> None:
    told: list[tuple[int, int]] = []
    play(plan(group(), group("smart"), auctions=4, lots=2), lambda done, total: told.append((done, total)))
    assert told == [(4, 8), (8, 8)]
