"""``bid``: an agent that bids by a strategy, within a budget, until its auctions have ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.choices import choose_auctions
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.files import make_private_directories
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.paths import Paths
from auctionctl.errors import StoreLockedError

if TYPE_CHECKING:
    from auctionctl.bidding.agent import Agent, StrategyFactory
    from auctionctl.bidding.wallet import Wallet
    from auctionctl.cli.bid_events import BidEvents
    from auctionctl.keys.signing import SecretKey
    from auctionctl.wire.address import HouseAddress

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl bid gold-watch --strategy market-value --budget 1500.00EUR --key alice")
@with_house
def bid(
    at: AtHouse,
    *,
    strategy: Annotated[str, typer.Option(metavar="NAME", help="market-value, aggressive, conservative or smart.")],
    budget: Annotated[str, typer.Option(metavar="AMOUNT", help="Never exceeded, over all auctions: 1500.00EUR.")],
    auctions: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Auctions, by listing or first digits.")
    ] = None,
    bid_in_all: Annotated[bool, typer.Option("--all", help="Bid in every auction of the house.")] = False,
    param: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="A parameter of the strategy, such as value=900.00EUR.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Makes the strategy's chances repeatable.")] = None,
) -> int:
    """Bid by a strategy until the auctions have ended; 0 if at least one lot was won, 6 if none was."""
    wanted = auctions or []
    if bid_in_all and wanted:
        raise ArgumentError("--all means every auction, and yet some are named", hint="do the one or the other")
    if not bid_in_all and not wanted:
        raise ArgumentError("name the auctions to bid in, or --all", hint="`auctionctl ls` lists them")
    from auctionctl.auction.price import parse_money  # noqa: PLC0415

    with argument("--budget"):
        money = parse_money(budget)
    make_strategy = _read_strategy(strategy, param or [], money.currency)
    address, secret = at.address(), at.secret()
    from auctionctl.bidding.wallet import Wallet  # noqa: PLC0415
    from auctionctl.cli.bid_events import BidEvents  # noqa: PLC0415

    with alone(at.paths, secret):
        chosen = None if bid_in_all else find_auctions(address, secret, wanted, money.currency)
        agent = seat_agent(secret, address, make_strategy, Wallet(money), auctions=chosen, seed=seed)
        events = BidEvents(agent.follower.replicas, at.paths.receipts, at.form, money)
        drive(agent, address, secret, events)
        events.write_summary(agent.outcomes)
    return ExitStatus.OK if events.has_won(agent.outcomes) else ExitStatus.BID_LOST


@contextmanager
def alone(paths: Paths, key: SecretKey) -> Iterator[None]:
    """Hold the place of this key's one bidder: two would spend one budget twice. Raises StoreLockedError."""
    from auctionctl.store.state_directory import locked  # noqa: PLC0415

    directory = paths.bidder_state(key.identity.text)
    make_private_directories(directory)
    with ExitStack() as held:
        try:
            held.enter_context(locked(directory))
        except StoreLockedError as error:
            raise StoreLockedError(
                f"a bidder is running under this key: {error}",
                hint="one bidder can take part in several auctions: name them all, or use --all",
            ) from error
        yield


def _read_strategy(name: str, params: list[str], currency: str) -> StrategyFactory:
    from auctionctl.bidding.strategies import factory, find  # noqa: PLC0415

    values: dict[str, str] = {}
    for text in params:
        parameter, separator, value = text.partition("=")
        if not separator or parameter in values:
            raise ArgumentError(f"--param: {text!r} is no K=V, or K stands twice", hint="write --param value=900.00EUR")
        values[parameter] = value
    with argument("--strategy"):
        spec = find(name)
    with argument("--param"):
        # Made once for nothing, so that a slip of the hand is found before the first auction is.
        spec.make(values, currency)
    return factory(name, values)


def find_auctions(address: HouseAddress, key: SecretKey, wanted: list[str], currency: str) -> set[bytes]:
    """The ids of the auctions that ``wanted`` names, by the house's catalogue."""
    from auctionctl.cli.observer import Observer  # noqa: PLC0415 - imports zmq

    observer = Observer(address, key, lambda catalogue: choose_auctions(catalogue, wanted))
    try:
        observer.run(lambda: observer.is_listed)
    finally:
        observer.close()
    for auction in observer.chosen:
        rules, listing = observer.follower.catalogue[auction].rules, observer.follower.catalogue[auction].listing
        if rules.currency != currency:
            raise ArgumentError(f"--budget: it is in {currency}, and the auction {listing} is in {rules.currency}")
    return observer.chosen


def seat_agent(
    key: SecretKey,
    address: HouseAddress,
    strategy: StrategyFactory,
    wallet: Wallet,
    *,
    auctions: set[bytes] | None,
    seed: int | None,
) -> Agent:
    """The bidder's core, with this machine's randomness."""
    import random  # noqa: PLC0415

    from auctionctl.bidding.agent import Agent  # noqa: PLC0415

    rng = random.Random(seed)  # noqa: S311 - a strategy's chances are no secrets
    return Agent(key, address.identity, strategy=strategy, wallet=wallet, rng=rng, nonces=_nonces(), auctions=auctions)


def _nonces() -> Iterator[bytes]:
    import secrets  # noqa: PLC0415

    while True:
        yield secrets.token_bytes(16)


def drive(agent: Agent, address: HouseAddress, key: SecretKey, events: BidEvents) -> None:
    """Run the agent until its auctions have ended."""
    from auctionctl.cli.observer import ConnectionNotes  # noqa: PLC0415
    from auctionctl.net.dealer import Dealer  # noqa: PLC0415

    connection = ConnectionNotes(agent.follower)

    dealer = Dealer(agent, address, key)
    try:
        dealer.run(events.handle, lambda: agent.is_done, on_tick=connection.tick)
    finally:
        dealer.close()
