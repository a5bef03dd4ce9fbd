"""Running a bidder on this machine: one at a time under a key, with its randomness, its session and its memory.

Rule: a bid is in the journal before it is sent (:mod:`auctionctl.cli.bid_journal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from auctionctl.cli.files import make_private_directories
from auctionctl.cli.output import write_note
from auctionctl.cli.paths import Paths, find_paths
from auctionctl.cli.settings.choices import choose_auctions
from auctionctl.errors import StoreLockedError

if TYPE_CHECKING:
    from auctionctl.auction.terms import Terms
    from auctionctl.bidding.agent import Agent, StrategyFactory
    from auctionctl.bidding.notices import AgentNotice
    from auctionctl.bidding.wallet import Wallet
    from auctionctl.cli.bid_journal import BidJournal, Undecided
    from auctionctl.keys.signing import SecretKey
    from auctionctl.wire.address import HouseAddress


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


def find_auctions(address: HouseAddress, key: SecretKey, wanted: list[str]) -> dict[bytes, Terms]:
    """The auctions that ``wanted`` names, by the house's catalogue: id → terms."""
    from auctionctl.cli.observer import Observer  # noqa: PLC0415 - imports zmq

    observer = Observer(address, key, lambda catalogue: choose_auctions(catalogue, wanted))
    try:
        observer.run(lambda: observer.is_listed)
    finally:
        observer.close()
    return {auction: observer.follower.catalogue[auction] for auction in observer.chosen}


def seat_agent(
    key: SecretKey,
    address: HouseAddress,
    strategy: StrategyFactory,
    wallet: Wallet,
    *,
    auctions: set[bytes] | None,
    undecided: Undecided,
    seed: int | None,
) -> Agent:
    """The bidder's core, with this machine's randomness. ``undecided`` is what the journal hands in."""
    import random  # noqa: PLC0415

    from auctionctl.bidding.agent import Agent  # noqa: PLC0415

    rng = random.Random(seed)  # noqa: S311 - a strategy's chances are no secrets
    return Agent(
        key,
        address.identity,
        strategy=strategy,
        wallet=wallet,
        rng=rng,
        nonces=fresh_nonces(),
        auctions=auctions,
        earlier=undecided.unanswered,
        refused=undecided.refused,
    )


def fresh_nonces() -> Iterator[bytes]:
    """16 random bytes each."""
    import secrets  # noqa: PLC0415

    while True:
        yield secrets.token_bytes(16)


def drive(
    agent: Agent,
    address: HouseAddress,
    key: SecretKey,
    on_notice: Callable[[AgentNotice], None],
    journal: BidJournal,
    *,
    on_tick: Callable[[], None] | None = None,
) -> None:
    """Run the agent until it is done; ``on_tick`` is called several times a second.

    VerificationError if the house shows another registry than before; ConfigurationError where a bid cannot be kept,
    and then it is not sent.
    """
    from auctionctl.bidding.notices import BidPlaced, BidRejected  # noqa: PLC0415
    from auctionctl.cli.clock_heads import ClockHeadFiles, clock_words, keeping_evidence  # noqa: PLC0415
    from auctionctl.cli.observer import ConnectionNotes  # noqa: PLC0415
    from auctionctl.cli.receipts import ReceiptFiles  # noqa: PLC0415
    from auctionctl.cli.seen_registry import SeenRegistry  # noqa: PLC0415
    from auctionctl.net.dealer import Dealer  # noqa: PLC0415
    from auctionctl.replica.follower import Advanced, ClockOff, RegistryAdvanced, Stamped  # noqa: PLC0415
    from auctionctl.tlog.entry import encode  # noqa: PLC0415

    connection = ConnectionNotes(agent.follower)
    seen = SeenRegistry(find_paths(), address.identity)
    registry_entries: list[bytes] = []
    clock_heads = ClockHeadFiles(ReceiptFiles(find_paths().receipts), agent.follower.replicas)

    def handle(notice: AgentNotice) -> None:
        if isinstance(notice, BidPlaced):
            journal.keep(notice)
        elif isinstance(notice, BidRejected):
            journal.refused(notice)
        if isinstance(notice, RegistryAdvanced):
            registry_entries.extend(encode(each.entry) for each in notice.applied)
            seen.check(agent.follower.registry, registry_entries)
        elif isinstance(notice, Stamped):
            clock_heads.keep(notice.auction, notice.kept.note)
        elif isinstance(notice, Advanced):
            clock_heads.recall(notice.auction)
        elif isinstance(notice, ClockOff):
            write_note(clock_words(notice.ahead_ns))
        on_notice(notice)

    def tick() -> None:
        connection.tick()
        clock_heads.write_some()
        if on_tick is not None:
            on_tick()

    dealer = Dealer(agent, address, key)
    try:
        with keeping_evidence(find_paths()):
            dealer.run(handle, lambda: agent.is_done, on_tick=tick)
    finally:
        dealer.close()
        clock_heads.write_all()
