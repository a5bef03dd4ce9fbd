"""Running a bidder on this machine: one at a time under a key, with its randomness, its session and its memory.

Rule: a bid is in the journal before it is sent (:mod:`auctionctl.client.bid_journal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from auctionctl.cli.arguments import argument
from auctionctl.cli.output import write_note
from auctionctl.client.caps_file import caps_of
from auctionctl.client.choosing import chosen_by
from auctionctl.client.paths import Paths, find_paths

if TYPE_CHECKING:
    from auctionctl.auction.terms import Terms
    from auctionctl.bidding.agent import Agent, StrategyFactory
    from auctionctl.bidding.caps import CapOf
    from auctionctl.bidding.notices import AgentNotice
    from auctionctl.bidding.wallet import Wallet
    from auctionctl.cli.seen_logs import Memory
    from auctionctl.client.bid_journal import BidJournal, Undecided
    from auctionctl.keys.signing import SecretKey
    from auctionctl.net.dealer import Beside
    from auctionctl.wire.address import HouseAddress


def find_auctions(
    address: HouseAddress, key: SecretKey, wanted: Sequence[str], patterns: Sequence[str] = ()
) -> dict[bytes, Terms]:
    """The auctions that ``wanted`` names, and those that fit ``patterns``, by the house's catalogue: id → terms."""
    from auctionctl.cli.observer import Observer  # noqa: PLC0415 - imports zmq

    observer = Observer(address, key, chosen_by(wanted, patterns))
    try:
        observer.run(lambda: observer.is_listed)
    finally:
        observer.close()
    return {auction: observer.follower.catalogue[auction] for auction in observer.chosen}


def bounds(paths: Paths, max_per_auction: str | None, currency: str) -> CapOf:
    """What bounds each auction in ``currency``: ``[caps]``, and ``--max-per-auction``, if given.

    Raises ArgumentError for that, ConfigurationError for the file.
    """
    if max_per_auction is not None:
        from auctionctl.auction.price import parse_money  # noqa: PLC0415

        with argument("--max-per-auction"):
            parse_money(max_per_auction, currency=currency)
    return caps_of(paths, max_per_auction, currency)


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


class _ClockHeads:
    """What a bidder keeps of the house's clock heads, and tells people of its clock."""

    def __init__(self, agent: Agent) -> None:
        from auctionctl.cli.clock_heads import ClockHeadFiles  # noqa: PLC0415
        from auctionctl.client.receipts import ReceiptFiles  # noqa: PLC0415

        self.files = ClockHeadFiles(ReceiptFiles(find_paths().receipts), agent.follower.replicas)

    def take(self, notice: AgentNotice) -> None:
        """Keep what ``notice`` brings, before anything is done about it."""
        from auctionctl.cli.clock_heads import clock_words  # noqa: PLC0415
        from auctionctl.replica.follower import Advanced, ClockOff, Stamped  # noqa: PLC0415

        match notice:
            case Advanced(auction=auction):
                self.files.recall(auction)
            case Stamped(auction=auction, kept=kept):
                self.files.keep(auction, kept.note)
            case ClockOff(ahead_ns=ahead_ns):
                write_note(clock_words(ahead_ns))
            case _:
                pass


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
    from auctionctl.cli.observer import ConnectionNotes  # noqa: PLC0415
    from auctionctl.client.kept_session import KeptSession  # noqa: PLC0415
    from auctionctl.client.seen_logs import FollowedLogs  # noqa: PLC0415
    from auctionctl.net.dealer import Dealer  # noqa: PLC0415

    connection = ConnectionNotes(agent.follower)
    clock_heads = _ClockHeads(agent)
    session = KeptSession(journal, FollowedLogs(memory, find_paths(), agent.follower), on_notice)

    def handle(notice: AgentNotice) -> None:
        clock_heads.take(notice)
        session.take(notice)

    def tick() -> None:
        connection.tick()
        clock_heads.files.write_some()
        session.logs.tick()
        if on_tick is not None:
            on_tick()

    dealer = Dealer(agent, address, key)
    try:
        with session.logs.kept():
            dealer.run(handle, lambda: agent.is_done, on_tick=tick, before_send=session.before_send, beside=beside)
    finally:
        dealer.close()
        clock_heads.files.write_all()
