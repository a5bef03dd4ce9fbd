"""Running a bidder on this machine: one at a time under a key, with its randomness, its session and its memory.

Rule: a bid is in the journal before it is sent (:mod:`auctionctl.client.bid_journal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from auctionctl.cli.files import make_private_directories
from auctionctl.cli.output import write_note
from auctionctl.cli.paths import Paths, find_paths
from auctionctl.cli.settings.choices import choose_auctions, match_auctions
from auctionctl.errors import StoreLockedError

if TYPE_CHECKING:
    from auctionctl.auction.terms import Terms
    from auctionctl.bidding.agent import Agent, StrategyFactory
    from auctionctl.bidding.notices import AgentNotice
    from auctionctl.bidding.wallet import Wallet
    from auctionctl.cli.seen_logs import Memory
    from auctionctl.client.bid_journal import BidJournal, Undecided
    from auctionctl.keys.signing import SecretKey
    from auctionctl.net.dealer import Beside
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


def find_auctions(
    address: HouseAddress, key: SecretKey, wanted: Sequence[str], patterns: Sequence[str] = ()
) -> dict[bytes, Terms]:
    """The auctions that ``wanted`` names, and those that fit ``patterns``, by the house's catalogue: id → terms."""
    from auctionctl.cli.observer import Observer  # noqa: PLC0415 - imports zmq

    observer = Observer(
        address, key, lambda catalogue: choose_auctions(catalogue, wanted) | match_auctions(catalogue, patterns)
    )
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
    memory: Memory,
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
        heads_of=memory.heads_of,
    )


def fresh_nonces() -> Iterator[bytes]:
    """16 random bytes each."""
    import secrets  # noqa: PLC0415

    while True:
        yield secrets.token_bytes(16)


class _Record:
    """What a bidder keeps of its session: bids, the heads of logs, and clock heads."""

    def __init__(self, agent: Agent, journal: BidJournal, memory: Memory) -> None:
        from auctionctl.cli.clock_heads import ClockHeadFiles  # noqa: PLC0415
        from auctionctl.cli.seen_logs import FollowedLogs  # noqa: PLC0415
        from auctionctl.client.receipts import ReceiptFiles  # noqa: PLC0415

        paths = find_paths()
        self.logs = FollowedLogs(memory, paths, agent.follower)
        self.clock_heads = ClockHeadFiles(ReceiptFiles(paths.receipts), agent.follower.replicas)
        self._journal = journal

    def take(self, notice: AgentNotice) -> None:
        """Keep what ``notice`` brings, before anything is done about it."""
        from auctionctl.bidding.notices import BidPlaced, BidRejected  # noqa: PLC0415
        from auctionctl.cli.clock_heads import clock_words  # noqa: PLC0415
        from auctionctl.replica.follower import Advanced, ClockOff, Stamped  # noqa: PLC0415

        self.logs.take(notice)
        match notice:
            case BidPlaced():
                self._journal.keep(notice)
            case BidRejected():
                self._journal.refused(notice)
            case Advanced(auction=auction):
                self.clock_heads.recall(auction)
            case Stamped(auction=auction, kept=kept):
                self.clock_heads.keep(auction, kept.note)
            case ClockOff(ahead_ns=ahead_ns):
                write_note(clock_words(ahead_ns))
            case _:
                pass

    def tick(self) -> None:
        """Some time has passed."""
        self.clock_heads.write_some()
        self.logs.tick()


def drive(
    agent: Agent,
    address: HouseAddress,
    key: SecretKey,
    on_notice: Callable[[AgentNotice], None],
    *,
    journal: BidJournal,
    memory: Memory,
    on_tick: Callable[[], None] | None = None,
    beside: Beside | None = None,
) -> None:
    """Run the agent until it is done; ``on_tick`` is called several times a second, and ``beside`` gets its turns.

    Raises what a Dealer raises; VerificationError for a log that is not what ``memory`` knows; ConfigurationError where
    a bid cannot be kept, and then it is not sent.
    """
    from auctionctl.bidding.notices import BidPlaced  # noqa: PLC0415
    from auctionctl.cli.observer import ConnectionNotes  # noqa: PLC0415
    from auctionctl.net.dealer import Dealer  # noqa: PLC0415

    connection = ConnectionNotes(agent.follower)
    record = _Record(agent, journal, memory)
    held: list[AgentNotice] = []

    def handle(notice: AgentNotice) -> None:
        record.take(notice)
        if isinstance(notice, BidPlaced):
            held.append(notice)
        else:
            on_notice(notice)

    def before_send() -> None:
        journal.sync()
        # Whoever reads of a bid may count on it that a crash does not make it unmade.
        placed, held[:] = list(held), []
        for notice in placed:
            on_notice(notice)

    def tick() -> None:
        connection.tick()
        record.tick()
        if on_tick is not None:
            on_tick()

    dealer = Dealer(agent, address, key)
    try:
        with record.logs.kept():
            dealer.run(handle, lambda: agent.is_done, on_tick=tick, before_send=before_send, beside=beside)
    finally:
        dealer.close()
        record.clock_heads.write_all()
