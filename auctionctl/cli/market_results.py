"""What a simulated market came to: as facts and a table, as JSON, and auction by auction as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from auctionctl.auction.price import format_minor
from auctionctl.cli.estimates import as_count, as_share, estimate_record, half_width, in_money, with_interval
from auctionctl.cli.output import Form, write_document, write_facts, write_fields, write_line, write_table
from auctionctl.market.market import HeldAuction
from auctionctl.market.plan import MarketPlan
from auctionctl.market.simulation import GroupResult, Simulation

NO_PROOF: Final = "simulated, by the rules, strategies and wallets of a house; no signatures and no log, so no proof"
GROUP_COLUMNS: Final = ("bidders", "count", "won", "surplus", "±", "spent", "bids", "rejected")
CSV_COLUMNS: Final = (
    "market",
    "lot",
    "winner",
    "strategy",
    "price",
    "value",
    "highest_value",
    "bids",
    "rejected",
    "extensions",
)
"""Amounts are in the currency of the lot, without its name; winner, strategy, price and value are empty if unsold."""


def write_simulation(form: Form, schema: str, simulation: Simulation) -> None:
    """All of it, under ``schema`` where it is JSON."""
    if form.is_json:
        write_document(schema, _record(simulation))
        return
    facts = _facts(simulation)
    if form is Form.TABLE:
        write_facts(facts)
        write_line("")
    else:
        for fact in facts:
            write_fields(fact)
    write_table(form, GROUP_COLUMNS, [_group_row(simulation, result) for result in simulation.groups])


def plan_record(plan: MarketPlan) -> dict[str, object]:
    """What was held, and that it proves nothing."""
    return {
        "auctions": plan.markets * plan.lots,
        "markets": plan.markets,
        "lots": plan.lots,
        "order": plan.order.value,
        "seed": plan.seed,
        "currency": plan.terms.terms.rules.currency,
        "is_proof": False,
    }


def plan_words(plan: MarketPlan) -> str:
    """The same in words."""
    where = f"{plan.lots} {plan.order.value} lots" if plan.lots > 1 else "one lot"
    auctions, markets = (
        f"{count} {noun}" if count == 1 else f"{count} {noun}s"
        for count, noun in ((plan.markets * plan.lots, "auction"), (plan.markets, "market"))
    )
    return f"{auctions}, in {markets} of {where}, seed {plan.seed}"


def csv_of(plan: MarketPlan, held: Sequence[HeldAuction]) -> str:
    """A line an auction under :data:`CSV_COLUMNS`."""
    currency = plan.terms.terms.rules.currency
    bidders = [(name, group.strategy) for group in plan.groups for name in group.names()]

    def amount(minor: int | None) -> str:
        return "" if minor is None else format_minor(minor, currency).removesuffix(currency)

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for each in held:
        winner, strategy = ("", "") if each.bidder is None else bidders[each.bidder]
        amounts = map(amount, (each.price_minor, each.value_minor, each.highest_value_minor))
        counts = (each.bids, each.rejected, each.extensions)
        writer.writerow((each.market, each.lot, winner, strategy, *amounts, *counts))
    return text.getvalue()


def _record(simulation: Simulation) -> dict[str, object]:
    lots = simulation.plan.lots
    return plan_record(simulation.plan) | {
        "sold": simulation.sold,
        "best_won": simulation.best_won,
        "revenue": estimate_record(simulation.revenue.estimate(lots)),
        "surplus": estimate_record(simulation.surplus.estimate(lots)),
        "efficiency": estimate_record(simulation.efficiency.estimate()),
        "price_over_value": estimate_record(simulation.price_over_value.estimate()),
        "bids": estimate_record(simulation.bids.estimate(lots)),
        "rejected": estimate_record(simulation.rejected.estimate(lots)),
        "groups": [
            {
                "name": result.group.name,
                "strategy": result.group.strategy,
                "bidders": result.group.count,
                "wins": result.wins,
                "surplus": estimate_record(result.surplus.estimate(lots)),
                "spent": estimate_record(result.spent.estimate(lots)),
                "bids": result.bids,
                "rejected": result.rejected,
            }
            for result in simulation.groups
        ],
    }


def _facts(simulation: Simulation) -> list[tuple[str, str]]:
    plan, lots = simulation.plan, simulation.plan.lots
    currency = plan.terms.terms.rules.currency
    money = in_money(currency)
    return [
        ("held", plan_words(plan)),
        ("kind", NO_PROOF),
        ("sold", str(simulation.sold)),
        ("best won", f"{simulation.best_won}, by a bidder to whom none was worth more"),
        ("revenue", with_interval(simulation.revenue.estimate(lots), money, currency)),
        ("surplus", with_interval(simulation.surplus.estimate(lots), money, currency)),
        ("efficiency", with_interval(simulation.efficiency.estimate(), as_share)),
        ("price/value", with_interval(simulation.price_over_value.estimate(), as_share)),
        ("bids", with_interval(simulation.bids.estimate(lots), as_count)),
        ("rejected", with_interval(simulation.rejected.estimate(lots), as_count)),
    ]


def _group_row(simulation: Simulation, result: GroupResult) -> tuple[str, ...]:
    lots, group = simulation.plan.lots, result.group
    money = in_money(simulation.plan.terms.terms.rules.currency)
    surplus, spent = result.surplus.estimate(lots), result.spent.estimate(lots)
    return (
        group.name if group.name == group.strategy else f"{group.name} ({group.strategy})",
        str(group.count),
        str(result.wins),
        with_interval(surplus, money).partition(" ")[0],
        half_width(surplus, money),
        with_interval(spent, money).partition(" ")[0],
        str(result.bids),
        str(result.rejected),
    )
