"""What a program does at a house: look, listen, bid, and let a strategy bid; everything it is told was verified.

Rule: whatever a bidder's command keeps on disk is kept here, in the same places: a program that dies may be followed by
another, or by ``auctionctl bid``, and neither bids twice or beyond its budget. Source: DESIGN.md section 8.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auctionctl.auction.price import Money, parse_money
from auctionctl.auction.terms import Terms
from auctionctl.bidding.agent import Agent, StrategyFactory
from auctionctl.bidding.notices import AgentNotice, BidAccepted, Joined, Outcome
from auctionctl.bidding.once import Ending, Exactly, OneBid, check_cap
from auctionctl.bidding.strategy import Strategy
from auctionctl.bidding.totals import Totals, totals
from auctionctl.bidding.wallet import Wallet
from auctionctl.client.account_file import AccountFile, AccountKeeper
from auctionctl.client.arguments import check_names, check_start, check_text, check_texts, check_wait, own_factory
from auctionctl.client.bid_journal import BidJournal
from auctionctl.client.caps_file import caps_of
from auctionctl.client.choosing import choose_auctions, match_auctions
from auctionctl.client.fence import Fenced, SparingNotes
from auctionctl.client.kept_session import KeptSession, alone
from auctionctl.client.observing import Observing
from auctionctl.client.paths import Paths, find_paths
from auctionctl.client.receipts import ReceiptFiles
from auctionctl.client.seen_logs import FollowedLogs, SeenLogs
from auctionctl.client.snapshot import Snapshot, snapshot_of
from auctionctl.client.wish import parse_wish
from auctionctl.errors import ConfigurationError
from auctionctl.keys.keyfile import key_path, read_key
from auctionctl.keys.signing import SecretKey
from auctionctl.net.async_dealer import AsyncDealer
from auctionctl.replica.replay import Applied
from auctionctl.wire.address import HouseAddress, parse_address

DEFAULT_WAIT_S: Final = 30.0
SECOND_NS: Final = 1_000_000_000
OnNotice = Callable[[AgentNotice], None]


@dataclass(frozen=True, slots=True)
class Report:
    """How the auctions of a run ended, by listing or id, and what they came to."""

    outcomes: Mapping[bytes, Outcome]
    totals: Totals


class Connection:
    """A house, under one key; an asynchronous context manager. Made by :func:`connect`."""

    def __init__(self, address: HouseAddress, key: SecretKey, paths: Paths) -> None:
        self.address = address
        self.key = key
        self._paths = paths
        self._observing: Observing | None = None

    async def __aenter__(self) -> Connection:
        """Connect, and read what the house holds. Raises UnreachableError, NotAuthorisedError, VerificationError.

        ConfigurationError if it is connected already.
        """
        if self._observing is not None:
            raise ConfigurationError("already connected", hint="one connection is entered once at a time")
        memory = SeenLogs(self._paths, self.address.identity)
        observing = Observing(self.address, self.key, self._paths, memory)
        self._observing = observing
        try:
            await observing.start()
        except BaseException:
            self._observing = None
            await observing.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        observing, self._observing = self._open, None
        await observing.close()

    @property
    def _open(self) -> Observing:
        if self._observing is None:
            raise ConfigurationError("not connected", hint="write: async with connect(…) as house:")
        return self._observing

    # What the house holds

    async def list(self) -> tuple[Snapshot, ...]:
        """Every auction of the house, now. Raises UnreachableError where the house has been gone for a while."""
        await self._open.be_current()
        return tuple(self._snapshot(replica.replay.auction_id) for replica in self._open.replicas())

    async def auction(self, name: str) -> Snapshot:
        """The auction called ``name``, a listing or the first digits of an id, now. Raises NotFoundError.

        UnreachableError where the house has been gone for a while.
        """
        await self._open.be_current()
        return self._snapshot(self._choose(name))

    async def subscribe(self, name: str, start: int = 0) -> AsyncIterator[Applied]:
        """The verified entries of an auction from index ``start`` on, each once, until bidding is over.

        ``entry.kind`` says what happened, ``fact`` what it says: :class:`~auctionctl.auction.bid.Bid`, Opened, Closed….
        A house that is gone is waited for.
        """
        check_start(start)
        auction = (await self.auction(name)).id
        replica = self._open.follower.replicas[auction]
        while True:
            for applied in self._open.verified(auction, start):
                start = applied.entry_index + 1
                yield applied
            if replica.replay.state.outcome is not None and start >= replica.size:
                return
            known = start
            await self._open.until(lambda known=known: bool(self._open.verified(auction, known)))  # type: ignore[misc]

    async def wait_for_end(self, name: str) -> Snapshot:
        """The auction called ``name``, once bidding is over."""
        auction = (await self.auction(name)).id
        replica = self._open.follower.replicas[auction]
        await self._open.until(
            lambda: replica.replay.state.outcome is not None and replica.is_verified and not replica.is_behind
        )
        return self._snapshot(auction)

    async def export(self, name: str) -> bytes:
        """The log of an auction as a file, which :func:`~auctionctl.client.verifying.verify` checks."""
        return self._open.export((await self.auction(name)).id)

    def _choose(self, name: str) -> bytes:
        (auction,) = choose_auctions(self._open.follower.catalogue, [name])
        return auction

    def _snapshot(self, auction: bytes) -> Snapshot:
        return snapshot_of(self._open.follower.replicas[auction].replay.state, self.key.identity.signing)

    # Bidding

    async def bid(
        self, name: str, amount: str, *, wait_s: float = DEFAULT_WAIT_S, max_per_auction: str | None = None
    ) -> Ending:
        """Bid once: ``12.50EUR``, ``+5.00EUR`` above the price, or ``min``; what came of it, with its proof.

        Joins if need be, and waits ``wait_s`` for the auction to open. ``max_per_auction``, and ``[caps]`` in
        config.toml, bound it: MoneyError where it would be more, as for what is no amount. Raises NotFoundError,
        StoreLockedError while another bidder runs under this key, and ConfigurationError for another currency and for
        what is no text or no time.
        """
        check_text("amount", amount)
        check_wait(wait_s)
        found, wish = await self.auction(name), parse_wish(amount)
        currency = found.terms.rules.currency
        if wish.currency not in (None, currency):
            raise ConfigurationError(f"{amount}: the auction {found.listing} is in {currency}")
        cap_of = caps_of(self._paths, max_per_auction, currency)
        if isinstance(wish.amount, Exactly):
            check_cap(wish.amount.minor, found.terms, cap_of)
        with alone(self._paths, self.key):
            journal = BidJournal(self._paths, self.key.identity, self.address.identity)
            earlier, refused = journal.hand_in(lambda bid: (bid.auction, bid.currency) == (found.id, currency))
            memory = SeenLogs(self._paths, self.address.identity)
            agent = OneBid(
                self.key,
                self.address.identity,
                found.id,
                wish.amount,
                currency=currency,
                nonces=_fresh_nonces(),
                wait_ns=int(wait_s * SECOND_NS),
                earlier=earlier,
                refused=refused,
                heads_of=memory.heads_of,
                cap_of=cap_of,
            )
            await self._drive(agent, journal, memory, lambda _: None)
        assert agent.ending is not None
        return agent.ending

    async def run(
        self,
        strategy: str | StrategyFactory,
        *,
        budget: str,
        auctions: Collection[str] = (),
        match: Collection[str] = (),
        max_per_auction: str | None = None,
        params: Mapping[str, str] | None = None,
        seed: int | None = None,
        on_notice: OnNotice = lambda _: None,
    ) -> Report:
        """Bid by a strategy until the auctions have ended: those named, and those whose listing fits ``match``.

        ``strategy`` is the name of one that comes along (``params`` as in ``bid --param``), but ``manual``; or it makes
        one of yours from an auction's terms. What that raises, or says wrongly, is no bid, and a warning of the logger
        ``auctionctl``. What ``on_notice`` raises ends the run. The budget is never exceeded, over all of them, nor in
        one auction ``max_per_auction``, or what ``[caps]`` in config.toml says; a house that is gone is waited for.
        Raises as :meth:`bid` does.
        """
        check_names(auctions=auctions, match=match)
        check_texts(params or {})
        make = _fenced(strategy) if callable(strategy) else own_factory(strategy, params or {})
        await self._open.be_current()
        catalogue = self._open.follower.catalogue
        if not auctions and not match:
            raise ConfigurationError("no auction is named", hint='name some: auctions=["vase"], or match=["gpu-*"]')
        chosen = choose_auctions(catalogue, list(auctions)) | match_auctions(catalogue, list(match))
        money = parse_money(budget)
        cap_of = caps_of(self._paths, max_per_auction, money.currency)
        with alone(self._paths, self.key):
            journal = BidJournal(self._paths, self.key.identity, self.address.identity)
            undecided = journal.hand_in(lambda bid: bid.currency == money.currency)
            memory = SeenLogs(self._paths, self.address.identity)
            wallet = Wallet(money, cap_of)
            agent = Agent(
                self.key,
                self.address.identity,
                strategy=make,
                wallet=wallet,
                rng=random.Random(seed),  # noqa: S311 - a strategy's chances are no secrets
                nonces=_fresh_nonces(),
                auctions=chosen,
                earlier=undecided.unanswered,
                refused=undecided.refused,
                heads_of=memory.heads_of,
            )
            file = AccountFile(self._paths, self.key.identity, self.address.identity)
            account = AccountKeeper(file, wallet, agent.outcomes, self._listing)
            await self._drive(agent, journal, memory, on_notice, account)
        return Report(dict(agent.outcomes), totals(agent.outcomes, wallet))

    async def _drive(
        self,
        agent: Agent,
        journal: BidJournal,
        memory: SeenLogs,
        on_notice: OnNotice,
        account: AccountKeeper | None = None,
    ) -> None:
        receipts = ReceiptFiles(self._paths.receipts)

        def handle(notice: AgentNotice) -> None:
            # The proof is on disk before anybody is told of it.
            if isinstance(notice, Joined):
                receipts.keep_join(self._listing(notice.auction), notice.evidence)
            elif isinstance(notice, BidAccepted):
                money = Money(notice.amount_minor, agent.wallet.budget.currency)
                receipts.keep_bid(self._listing(notice.auction), notice.seq, money, notice.evidence)
            on_notice(notice)

        session = KeptSession(journal, FollowedLogs(memory, self._paths, agent.follower), handle)

        def tick() -> None:
            session.logs.tick()
            if account is None or account.keep_some():
                journal.forget_decided(agent.wallet)

        dealer = AsyncDealer(agent, self.address, self.key)
        try:
            with session.logs.kept():
                is_done = lambda: agent.is_done  # noqa: E731 - a property asked at each step
                await dealer.drive(session.take, is_done, on_tick=tick, before_send=session.before_send)
        finally:
            dealer.close()
        if account is not None:
            account.keep()
        journal.forget_decided(agent.wallet)

    def _listing(self, auction: bytes) -> str:
        terms = self._open.follower.catalogue.get(auction)
        return "" if terms is None else terms.listing


def connect(address: str, key: SecretKey | str | Path, *, home: Path | None = None) -> Connection:
    """The house at ``address`` (``auction://auc1…@host:port``), under ``key``: itself, its name, or its file.

    A house of several instances has several places, ``…@host:port,host:port``; where one does not answer, the next is
    tried, and what is taken at another goes there by itself.

    ``home`` is where files are kept, as ``AUCTIONCTL_HOME`` says it otherwise. To be entered: ``async with``. Raises
    ConfigurationError, KeyFileError; PassphraseError for a key under a passphrase.
    """
    paths = find_paths() if home is None else find_paths({"AUCTIONCTL_HOME": str(home)})
    if isinstance(key, str):
        key = key_path(paths.keys, key)
    return Connection(parse_address(address), read_key(key) if isinstance(key, Path) else key, paths)


def _fenced(make: StrategyFactory) -> StrategyFactory:
    """The same strategies, each within a fence: they are not ours."""
    note = SparingNotes(logging.getLogger("auctionctl").warning)

    def made(terms: Terms) -> Strategy:
        strategy = make(terms)
        return Fenced(type(strategy).__name__, strategy, note)

    return made


def _fresh_nonces() -> Iterator[bytes]:
    """16 random bytes each."""
    while True:
        yield secrets.token_bytes(16)
