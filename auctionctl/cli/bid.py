"""``bid``: an agent that bids by a strategy, within a budget, until its auctions have ended; or one bid.

Rule: nothing is sent before it is known that the command line can be meant as it stands.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.bidder import alone, drive, find_auctions, seat_agent
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_note
from auctionctl.cli.settings.durations import parse_duration
from auctionctl.cli.strategy_option import PARAM_HELP, STRATEGY_HELP, read_strategy

if TYPE_CHECKING:
    from auctionctl.auction.price import Money
    from auctionctl.auction.terms import Terms
    from auctionctl.bidding.agent import StrategyFactory

DEFAULT_WAIT_NS: Final = 30_000_000_000

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl bid gold-watch --strategy market-value --budget 1500.00EUR --key alice")
@with_house
def bid(
    at: AtHouse,
    *,
    auctions: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Auctions, by listing or first digits.")
    ] = None,
    strategy: Annotated[str | None, typer.Option(metavar="NAME", help=STRATEGY_HELP)] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Never exceeded, over all auctions: 1500.00EUR.")
    ] = None,
    bid_in_all: Annotated[bool, typer.Option("--all", help="Bid in every auction of the house.")] = False,
    param: Annotated[list[str] | None, typer.Option(metavar="K=V", help=PARAM_HELP)] = None,
    seed: Annotated[int | None, typer.Option(help="Makes the strategy's chances repeatable.")] = None,
    amount: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="Bid once, this: 12.50EUR, or +5.00EUR above the price, or 'min'."),
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="With --amount: how long to wait for the auction to open, else 30s."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --amount: say what the rules would say, and send nothing.")
    ] = False,
) -> int:
    """Bid by a strategy until the auctions have ended, or once, an amount; 0 if a lot was won, or the bid accepted.

    By a strategy: 6 if no lot was won. Once: 9 if the rules refused it, 10 if the auction did not open in time.
    A run that was cut short is repeated as it was: it takes up the bids of which it is not known what became of them.
    """
    wanted = auctions or []
    if bid_in_all and wanted:
        raise ArgumentError("--all means every auction, and yet some are named", hint="do the one or the other")
    if not bid_in_all and not wanted:
        raise ArgumentError("name the auctions to bid in, or --all", hint="`auctionctl ls` lists them")
    if amount is not None:
        _check_alone(bid_in_all or len(wanted) > 1, {"--strategy": strategy, "--budget": budget, "--param": param})
        from auctionctl.cli.bid_once import bid_once, judge_once, read_amount  # noqa: PLC0415

        wish = read_amount(amount)
        return judge_once(at, wanted[0], wish) if dry_run else bid_once(at, wanted[0], wish, _read_wait(wait))
    if wait is not None or dry_run:
        raise ArgumentError("--wait and --dry-run are for a single bid", hint="give --amount AMOUNT with them")
    if strategy is None or budget is None:
        raise ArgumentError(
            f"missing option '{'--strategy' if strategy is None else '--budget'}'",
            hint="give --strategy NAME and --budget AMOUNT, or --amount AMOUNT for one bid; see auctionctl bid --help",
        )
    return _bid_by_strategy(at, None if bid_in_all else wanted, _read_plan(strategy, param or [], budget), seed)


def _check_alone(has_several: bool, options: dict[str, object]) -> None:
    """A single bid is in one auction, and no matter of a strategy."""
    given = [name for name, value in options.items() if value]
    if given:
        raise ArgumentError(f"--amount makes one bid, and {given[0]} is for many", hint="give one of the two")
    if has_several:
        raise ArgumentError("--amount makes one bid, in one auction", hint="name that auction alone")


def _read_wait(text: str | None) -> int:
    if text is None:
        return DEFAULT_WAIT_NS
    with argument("--wait"):
        return 0 if text.strip() == "0" else parse_duration(text)


def _read_plan(strategy: str, params: list[str], budget: str) -> tuple[StrategyFactory, Money]:
    from auctionctl.auction.price import parse_money  # noqa: PLC0415

    with argument("--budget"):
        money = parse_money(budget)
    return read_strategy(strategy, params, money.currency), money


def _bid_by_strategy(
    at: AtHouse, wanted: list[str] | None, plan: tuple[StrategyFactory, Money], seed: int | None
) -> ExitStatus:
    make_strategy, money = plan
    address, secret = at.address(), at.secret()
    from auctionctl.bidding.wallet import Wallet  # noqa: PLC0415
    from auctionctl.cli.bid_events import BidEvents  # noqa: PLC0415
    from auctionctl.cli.bid_journal import BidJournal, earlier_words  # noqa: PLC0415
    from auctionctl.cli.observer import names_of  # noqa: PLC0415
    from auctionctl.cli.seen_logs import SeenLogs  # noqa: PLC0415

    with alone(at.paths, secret):
        journal = BidJournal(at.paths, secret.identity, address.identity)
        chosen = None if wanted is None else _in_currency(find_auctions(address, secret, wanted), money.currency)
        undecided = journal.hand_in(lambda bid: bid.currency == money.currency)
        if count := sum(map(len, undecided)):
            write_note(earlier_words(count))
        wallet = Wallet(money)
        memory = SeenLogs(at.paths, address.identity)
        agent = seat_agent(
            secret,
            address,
            make_strategy,
            wallet,
            auctions=chosen,
            undecided=undecided,
            memory=memory,
            seed=seed,
        )
        names = names_of(at.paths, secret, agent.follower.registry.replay.state)
        events = BidEvents(agent.follower.replicas, at.paths.receipts, at.form, money, names)
        forget = partial(journal.forget_decided, wallet)
        drive(agent, address, secret, events.handle, journal=journal, memory=memory, on_tick=forget)
        journal.forget_decided(wallet)
        events.write_summary(agent.outcomes)
    return events.status(agent.outcomes)


def _in_currency(found: dict[bytes, Terms], currency: str) -> set[bytes]:
    for terms in found.values():
        if terms.rules.currency != currency:
            raise ArgumentError(
                f"--budget: it is in {currency}, and the auction {terms.listing} is in {terms.rules.currency}"
            )
    return set(found)
