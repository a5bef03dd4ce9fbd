"""Every way of bidding against every other: who gets more out of the same auctions.

Rule: two meet with the same values and the same chances, twice, in each other's seats: what differs is the way of
bidding alone. A meeting is won if the 95% interval of the difference, over paired markets, does not hold 0. The ranking
is by points (a win 2, a draw 1), then by mean surplus.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from auctionctl.market.market import Market
from auctionctl.market.plan import BidderGroup, MarketPlan
from auctionctl.market.statistics import Mean

WIN_POINTS = 2
DRAW_POINTS = 1


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two groups in the same markets: what each made of them, summed over a market's lots and bidders, in both seats.

    ``shares`` is how many bidders' places each had in them. Means are over markets.
    """

    first: str
    second: str
    shares: int
    first_surplus: Mean
    second_surplus: Mean
    difference: Mean

    @property
    def winner(self) -> str | None:
        """Who got more, beyond chance; None where that cannot be said."""
        interval = self.difference.estimate().interval()
        if interval is None or interval[0] <= 0 <= interval[1]:
            return None
        return self.first if interval[0] > 0 else self.second


@dataclass(frozen=True, slots=True)
class Standing:
    """One entrant: its points, and its mean surplus a bidder and auction over all its meetings, in minor units."""

    name: str
    strategy: str
    points: int
    wins: int
    draws: int
    losses: int
    surplus: float


Progress = Callable[[int, int], None]
"""(auctions held, of how many)."""


def play(plan: MarketPlan, progress: Progress) -> list[Meeting]:
    """Every two groups of ``plan``, of which there are two at least, with as many bidders as it has in all."""
    seats = plan.bidders
    pairs = list(combinations(plan.groups, 2))
    total, done = 2 * len(pairs) * plan.markets * plan.lots, 0
    meetings: list[Meeting] = []
    for first, second in pairs:
        half = seats // 2
        straight = replace(plan, groups=(_seated(first, half), _seated(second, seats - half)))
        crossed = replace(plan, groups=(_seated(second, half), _seated(first, seats - half)))
        meeting = Meeting(first.name, second.name, seats * plan.lots, Mean(), Mean(), Mean())
        for number in range(plan.markets):
            left, right = _surpluses(straight, number, half)
            other_left, other_right = _surpluses(crossed, number, half)
            meeting.first_surplus.add(left + other_right)
            meeting.second_surplus.add(right + other_left)
            meeting.difference.add(left + other_right - right - other_left)
            done += 2 * plan.lots
            progress(done, total)
        meetings.append(meeting)
    return meetings


def rank(plan: MarketPlan, meetings: Sequence[Meeting]) -> list[Standing]:
    """The entrants by points, then by surplus, then as the plan has them."""
    standings = [_standing(group, meetings) for group in plan.groups]
    return sorted(standings, key=lambda standing: (-standing.points, -standing.surplus))


def _standing(group: BidderGroup, meetings: Sequence[Meeting]) -> Standing:
    own = [meeting for meeting in meetings if group.name in (meeting.first, meeting.second)]
    wins = sum(meeting.winner == group.name for meeting in own)
    draws = sum(meeting.winner is None for meeting in own)
    total = shares = 0
    for meeting in own:
        surplus = meeting.first_surplus if meeting.first == group.name else meeting.second_surplus
        total += surplus.total
        shares += surplus.count * meeting.shares
    points = WIN_POINTS * wins + DRAW_POINTS * draws
    return Standing(group.name, group.strategy, points, wins, draws, len(own) - wins - draws, total / shares)


def _seated(group: BidderGroup, count: int) -> BidderGroup:
    """All play for the same values."""
    return replace(group, count=count, values=None)


def _surpluses(plan: MarketPlan, number: int, half: int) -> tuple[int, int]:
    """What the bidders of the first ``half`` seats got out of this market, and what the others did."""
    market = Market(plan, number)
    sums = [0, 0]
    for held in market.run():
        if held.bidder is not None:
            sums[held.bidder >= half] += (held.value_minor or 0) - (held.price_minor or 0)
    market.dissolve()
    return sums[0], sums[1]
