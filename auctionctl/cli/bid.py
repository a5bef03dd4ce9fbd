"""``bid``: an agent that bids by a strategy, within a budget, until its auctions have ended; or one bid.

Rule: nothing is sent before it is known that the command line can be meant as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.bidder import bounds, drive, find_auctions, seat_agent
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_note
from auctionctl.cli.process_log import LogFormat, LogFormatOption, ProcessLog, choose_log_form, open_log
from auctionctl.cli.settings.durations import parse_duration
from auctionctl.cli.strategy_option import PARAM_HELP, STRATEGY_HELP, ChosenStrategy, read_strategy
from auctionctl.client.choosing import choose_auctions
from auctionctl.client.kept_session import alone
from auctionctl.client.paths import Paths

if TYPE_CHECKING:
    from auctionctl.auction.price import Money
    from auctionctl.bidding.caps import CapOf
    from auctionctl.keys.signing import SecretKey
    from auctionctl.wire.address import HouseAddress

DEFAULT_WAIT_NS: Final = 30_000_000_000

MaxPerAuction = Annotated[
    str | None,
    typer.Option(
        "--max-per-auction",
        metavar="AMOUNT",
        help="Never bid more than this in one auction, also with --amount; [caps] in config.toml has more, by listing.",
    ),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="A line also for what only leads to the next: joined, placed, patience."),
]

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
    match: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Bid in every auction whose listing fits: 'gpu-*'.")
    ] = None,
    bid_in_all: Annotated[bool, typer.Option("--all", help="Bid in every auction of the house.")] = False,
    max_per_auction: MaxPerAuction = None,
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
    log_format: LogFormatOption = None,
    verbose: Verbose = False,
) -> int:
    """Bid by a strategy until the auctions have ended, or once, an amount; 0 if a lot was won, or the bid accepted.

    By a strategy: 6 if no lot was won. Once: 9 if the rules refused it, 10 if the auction did not open in time.
    A run that was cut short is repeated as it was: it takes up the bids of which it is not known what became of them.
    """
    log = open_log(choose_log_form(log_format or LogFormat.AUTO), "bidder")
    wanted, patterns = auctions or [], match or []
    if bid_in_all and (wanted or patterns):
        raise ArgumentError("--all means every auction, and yet some are named", hint="do the one or the other")
    if not bid_in_all and not wanted and not patterns:
        raise ArgumentError("name the auctions to bid in, or --all, or --match", hint="`auctionctl ls` lists them")
    if amount is not None:
        _check_alone(
            bid_in_all or bool(patterns) or len(wanted) > 1,
            {"--strategy": strategy, "--budget": budget, "--param": param},
        )
        from auctionctl.cli.bid_once import Order, bid_once, judge_once, read_amount  # noqa: PLC0415

        order = Order(wanted[0], read_amount(amount), max_per_auction)
        return judge_once(at, order) if dry_run else bid_once(at, order, _read_wait(wait))
    if wait is not None or dry_run:
        raise ArgumentError("--wait and --dry-run are for a single bid", hint="give --amount AMOUNT with them")
    if strategy is None or budget is None:
        raise ArgumentError(
            f"missing option '{'--strategy' if strategy is None else '--budget'}'",
            hint="give --strategy NAME and --budget AMOUNT, or --amount AMOUNT for one bid; see auctionctl bid --help",
        )
    plan = _read_plan(at.paths, strategy, param or [], budget, max_per_auction)
    return _bid_by_strategy(at, None if bid_in_all else (wanted, patterns), plan, seed, _Telling(verbose, log))


def _check_alone(has_several: bool, options: Mapping[str, object]) -> None:
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


class _Plan(NamedTuple):
    """How to bid, with which money, and how much of it in one auction."""

    make_strategy: ChosenStrategy
    budget: Money
    cap_of: CapOf


class _Telling(NamedTuple):
    """What a person is told of, and the log that is told instead of a person, if there is one."""

    is_verbose: bool
    log: ProcessLog | None


def _read_plan(paths: Paths, strategy: str, params: list[str], budget: str, max_per_auction: str | None) -> _Plan:
    from auctionctl.auction.price import parse_money  # noqa: PLC0415

    with argument("--budget"):
        money = parse_money(budget)
    cap_of = bounds(paths, max_per_auction, money.currency)
    return _Plan(read_strategy(strategy, params, money.currency), money, cap_of)


def _bid_by_strategy(
    at: AtHouse, wanted: tuple[list[str], list[str]] | None, plan: _Plan, seed: int | None, telling: _Telling
) -> ExitStatus:
    money = plan.budget
    address, secret = at.address(), at.secret()
    from auctionctl.bidding.totals import totals  # noqa: PLC0415
    from auctionctl.bidding.wallet import Wallet  # noqa: PLC0415
    from auctionctl.cli.bid_events import BidEvents, Detail  # noqa: PLC0415
    from auctionctl.cli.observer import names_of  # noqa: PLC0415
    from auctionctl.cli.seen_logs import SeenLogs  # noqa: PLC0415
    from auctionctl.client.account_file import AccountFile, AccountKeeper  # noqa: PLC0415
    from auctionctl.client.bid_journal import BidJournal, earlier_words  # noqa: PLC0415

    with alone(at.paths, secret), plan.make_strategy.companion() as companion:
        journal = BidJournal(at.paths, secret.identity, address.identity)
        chosen = None if wanted is None else _choose(address, secret, *wanted, money.currency)
        undecided = journal.hand_in(lambda bid: bid.currency == money.currency)
        if count := sum(map(len, undecided)):
            write_note(earlier_words(count))
        wallet = Wallet(money, plan.cap_of)
        memory = SeenLogs(at.paths, address.identity)
        agent = seat_agent(
            secret,
            address,
            plan.make_strategy,
            wallet,
            auctions=chosen,
            undecided=undecided,
            memory=memory,
            seed=seed,
        )
        names = names_of(at.paths, secret, agent.follower.registry.replay.state)
        detail = Detail.EVERYTHING if telling.is_verbose else Detail.MATTERS
        events = BidEvents(
            agent.follower.replicas, at.paths.receipts, at.form, money, names, detail=detail, log=telling.log
        )
        account = AccountKeeper(
            AccountFile(at.paths, secret.identity, address.identity), wallet, agent.outcomes, events.listing_of
        )

        def tick() -> None:
            if account.keep_some():
                journal.forget_decided(wallet)

        if companion is not None:
            companion.look_again = partial(agent.look_again, now_ns=0)  # at once, whatever the time is
        drive(agent, address, secret, events.handle, journal=journal, memory=memory, on_tick=tick, beside=companion)
        account.keep()
        journal.forget_decided(wallet)
        events.write_summary(agent.outcomes, totals(agent.outcomes, wallet))
    return events.status(agent.outcomes)


def _choose(
    address: HouseAddress, secret: SecretKey, wanted: list[str], patterns: list[str], currency: str
) -> set[bytes]:
    """The auctions that are named, all of which have to be in ``currency``; and of those that fit, what is for us."""
    found = find_auctions(address, secret, wanted, patterns)
    named = choose_auctions(found, wanted)
    for terms in (found[auction] for auction in named):
        if terms.rules.currency != currency:
            raise ArgumentError(
                f"--budget: it is in {currency}, and the auction {terms.listing} is in {terms.rules.currency}"
            )
    me = secret.identity.signing
    fitting = {auction for auction, terms in found.items() if terms.rules.currency == currency and terms.seller != me}
    if not named | fitting:
        raise ArgumentError(f"--match: what fits is in another currency than {currency}, or your own to sell")
    return named | fitting
