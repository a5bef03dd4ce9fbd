"""What a tournament came to: who stands where, and how every two of them fared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from auctionctl.cli.estimates import Show, estimate_record, half_width, in_money, rounded
from auctionctl.cli.market_results import NO_PROOF, plan_record, plan_words
from auctionctl.cli.output import Form, write_document, write_facts, write_fields, write_line, write_table
from auctionctl.market.plan import MarketPlan
from auctionctl.market.tournament import Meeting, Standing, rank

RANK_COLUMNS: Final = ("rank", "entrant", "strategy", "points", "won", "drawn", "lost", "surplus")
MEETING_COLUMNS: Final = ("first", "second", "first surplus", "second surplus", "difference", "±", "winner")


def write_ranking(form: Form, schema: str, plan: MarketPlan, meetings: Sequence[Meeting]) -> None:
    """All of it, under ``schema`` where it is JSON."""
    standings = rank(plan, meetings)
    if form.is_json:
        write_document(schema, _record(plan, standings, meetings))
        return
    facts = [("each meeting", f"{plan_words(plan)}, in both seatings"), ("kind", NO_PROOF)]
    if form is Form.TABLE:
        write_facts(facts)
        write_line("")
    else:
        for fact in facts:
            write_fields(fact)
    money = in_money(plan.terms.terms.rules.currency)
    write_table(form, RANK_COLUMNS, [_rank_row(place, each, money) for place, each in enumerate(standings, 1)])
    write_line("")
    write_table(form, MEETING_COLUMNS, [_meeting_row(meeting, money) for meeting in meetings])


def _rank_row(place: int, standing: Standing, money: Show) -> tuple[str, ...]:
    counts = (standing.points, standing.wins, standing.draws, standing.losses)
    return str(place), standing.name, standing.strategy, *map(str, counts), money(standing.surplus)


def _meeting_row(meeting: Meeting, money: Show) -> tuple[str, ...]:
    estimates = [each.estimate(meeting.shares) for each in (meeting.first_surplus, meeting.second_surplus)]
    difference = meeting.difference.estimate(meeting.shares)
    means = (money(estimate.mean or 0.0) for estimate in (*estimates, difference))
    return meeting.first, meeting.second, *means, half_width(difference, money), meeting.winner or ""


def _record(plan: MarketPlan, standings: Sequence[Standing], meetings: Sequence[Meeting]) -> dict[str, object]:
    return plan_record(plan) | {
        "ranking": [
            {
                "name": standing.name,
                "strategy": standing.strategy,
                "points": standing.points,
                "wins": standing.wins,
                "draws": standing.draws,
                "losses": standing.losses,
                "surplus": rounded(standing.surplus),
            }
            for standing in standings
        ],
        "meetings": [
            {
                "first": meeting.first,
                "second": meeting.second,
                "first_surplus": estimate_record(meeting.first_surplus.estimate(meeting.shares)),
                "second_surplus": estimate_record(meeting.second_surplus.estimate(meeting.shares)),
                "difference": estimate_record(meeting.difference.estimate(meeting.shares)),
                "winner": meeting.winner,
            }
            for meeting in meetings
        ],
    }
