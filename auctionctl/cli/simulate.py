"""``simulate``: thousands of auctions under a virtual clock, by the rules of a house and the strategies of bidders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form
from auctionctl.cli.progress import shown_progress
from auctionctl.errors import ConfigurationError

if TYPE_CHECKING:
    from auctionctl.market.market import HeldAuction
    from auctionctl.market.plan import MarketPlan

SCHEMA: Final = "auctionctl.simulate/1"
TOURNAMENT_SCHEMA: Final = "auctionctl.tournament/1"
RECORDED_MARKETS: Final = 20
"""Of how many markets the paths of the prices are drawn."""
INTERVAL: Final = " `mean`, and `low` and `high`, the bounds of its 95% confidence interval, or null."
MONEY: Final = f"{INTERVAL} In minor units, an auction."

_PLAN_FIELDS: Final = {
    "auctions": "How many auctions were held.",
    "markets": "In how many markets: what is counted as independent.",
    "lots": "How many lots a market has.",
    "order": "`sequential` or `concurrent`.",
    "seed": "What all chance came from.",
    "currency": "The currency of the amounts.",
    "is_proof": "Always false: no signatures and no log stand behind any of it.",
}
JSON_SCHEMA: Final = {
    SCHEMA: _PLAN_FIELDS
    | {
        "sold": "How many lots were sold.",
        "best_won": "How many of them to a bidder to whom no lot was worth more.",
        "revenue": f"What the seller got:{MONEY}",
        "surplus": f"What the lots were worth to their winners, less the prices; of a group, to it:{MONEY}",
        "efficiency": "What the lots were worth to their winners, over what they were worth to whoever valued them"
        f" most; an unsold lot is worth nothing to anybody:{INTERVAL}",
        "price_over_value": f"The prices, over what the lots were worth to their winners:{INTERVAL}",
        "bids": f"Accepted bids, an auction:{INTERVAL} Of a group: how many in all.",
        "rejected": f"Bids that the rules refused, an auction:{INTERVAL} Of a group: how many in all.",
        "groups": "The bidders of each `[[bidder]]`, with the fields below.",
        "name": "The group's name.",
        "strategy": "How it bids.",
        "bidders": "How many they are.",
        "wins": "How many lots they won.",
        "spent": f"What they paid:{MONEY}",
    },
    TOURNAMENT_SCHEMA: _PLAN_FIELDS
    | {
        "auctions": "How many auctions were held for each meeting, in each of the two seatings.",
        "ranking": "The entrants, best first, with the fields below.",
        "name": "The name of a `[[bidder]]`.",
        "strategy": "How it bids.",
        "points": "Two for a meeting won, one for one in which neither can be said to be better.",
        "wins": "Meetings won.",
        "draws": "Meetings without a winner.",
        "losses": "Meetings lost.",
        "surplus": "Its mean surplus, in minor units, a bidder and auction.",
        "meetings": "Every two entrants, with the fields below.",
        "first": "One of them.",
        "second": "The other.",
        "first_surplus": f"Surplus of the one, a bidder and auction:{INTERVAL} In minor units.",
        "second_surplus": f"Of the other:{INTERVAL}",
        "difference": f"How much more the one got:{INTERVAL}",
        "winner": "Who got more, if the interval does not hold 0; else null.",
    },
}
app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl simulate market.toml --auctions 20000 --json")
@with_form
def simulate(
    form: Form,
    market: Annotated[Path, typer.Argument(metavar="MARKET.toml", readable=False, help="Lot, values and bidders.")],
    *,
    auctions: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=10_000_000, help="How many, instead of what the file says.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=2**63 - 1, help="Of all chance, instead of the file's.")
    ] = None,
    tournament: Annotated[
        bool, typer.Option("--tournament", help="Have every two [[bidder]] meet, and rank them.")
    ] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", writable=False, help="Write every auction to it, a line each.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", writable=False, help="Draw price paths and prices: FILE.svg or FILE.png."),
    ] = None,
) -> int:
    """Hold thousands of auctions under a virtual clock: revenue, efficiency, surplus, bids, price over value.

    The rules, strategies and wallets are those of a house and its bidders. There are no signatures and no log: what
    comes out proves nothing, and is the same, byte for byte, for the same file and seed.

    A market is a TOML file. [market]: auctions, lots, order (sequential, concurrent), seed. [lot]: the keys of an
    [[auction]] in AUCTIONS.toml. [values]: distribution, which is uniform (low, high), lognormal (median, sigma),
    affiliated (common, private) or recorded (file). [[bidder]]: strategy, name, count, budget, reaction, latency,
    noise, params, values. See auctionctl-market(5).
    """
    from auctionctl.cli.settings.market_file import Asked, read_market  # noqa: PLC0415

    if tournament and (csv or plot):
        raise ArgumentError("--tournament writes no --csv and draws no --plot", hint="leave one of them out")
    if plot is not None:
        from auctionctl.cli.plots import check_plot  # noqa: PLC0415

        check_plot(plot)
    plan = read_market(market, Asked(auctions, seed))
    if tournament:
        _hold_tournament(form, market, plan)
    else:
        _hold(form, plan, csv, plot)
    return ExitStatus.OK


def _hold(form: Form, plan: MarketPlan, csv: Path | None, plot: Path | None) -> None:
    from auctionctl.cli.market_results import csv_of, write_simulation  # noqa: PLC0415
    from auctionctl.client.files import PUBLIC_MODE, Existing, write_whole  # noqa: PLC0415
    from auctionctl.market.simulation import simulate as hold  # noqa: PLC0415

    held: list[HeldAuction] = []
    keep = None if csv is None and plot is None else held.append
    with shown_progress(form, "auctions") as tell:
        simulation = hold(plan, tell, keep, RECORDED_MARKETS if plot is not None else 0)
    if csv is not None:
        write_whole(csv, csv_of(plan, held).encode(), PUBLIC_MODE, Existing.REPLACE)
    if plot is not None:
        from auctionctl.cli.plots import draw  # noqa: PLC0415

        write_whole(plot, draw(plot, plan, held), PUBLIC_MODE, Existing.REPLACE)
    write_simulation(form, SCHEMA, simulation)


def _hold_tournament(form: Form, market: Path, plan: MarketPlan) -> None:
    from auctionctl.cli.market_ranking import write_ranking  # noqa: PLC0415
    from auctionctl.market.tournament import play  # noqa: PLC0415

    if len(plan.groups) < 2 or plan.bidders < 2:
        raise ConfigurationError(
            f"{market}: a tournament needs two [[bidder]] at least, and this has {len(plan.groups)}",
            hint='add one: [[bidder]], then strategy = "truthful"',
        )
    with shown_progress(form, "auctions") as tell:
        meetings = play(plan, tell)
    write_ranking(form, TOURNAMENT_SCHEMA, plan, meetings)
