"""A store full of valid logs, for the benchmark of a restart: as if a house had been bid at for a long while.

One log holds half of the entries, :data:`OTHERS` logs share the rest, and every other one of those has ended. Two
bidders take turns at the minimum; every bid is signed and names the head of the log that it answers, as agents do.
Logs are written by processes of their own, and stored in turns: what lies side by side in a store is of many logs.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from secrets import token_bytes
from typing import Final

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join, encode_bid, encode_join
from auctionctl.auction.events import encode_event, kind_of
from auctionctl.auction.increments import Fixed
from auctionctl.auction.terms import SECOND_NS, auction_id, decode_terms
from auctionctl.house.auction_log import log_name
from auctionctl.house.registry import RegistryLog
from auctionctl.keys.allowlist import AllowList
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import REGISTRY, Announced
from auctionctl.store.log_store import Append, LogStore
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import Message, sign_body
from auctionctl.wire.listing import Entropy, LotDescription, sign_terms

OTHERS: Final = 15
LOGS: Final = 1 + OTHERS
"""Of auctions; the registry is one more."""
STEP_NS: Final = SECOND_NS // 1_000
"""From one entry of a log to the next."""
OPEN_DURATION_NS: Final = 7 * 86_400 * SECOND_NS
BID_TIMEOUT_NS: Final = 3_600 * SECOND_NS
CURRENCY: Final = "credits"
BATCH_ENTRIES: Final = 480
"""So many are made durable at once, of one log or of several."""
SMALLEST: Final = 1_000
"""Entries in all, at the least: every log has some bids then."""


@dataclass(frozen=True, slots=True)
class LogPlan:
    """One log to write: how many entries it is to have, and the bytes and signature of its terms."""

    entries: int
    terms: Message
    bidders: tuple[str, str]
    """The secret keys of those who bid, as text."""
    start_ns: int


@dataclass(frozen=True, slots=True)
class Filled:
    """What a store was filled with, and the largest of its logs, in which the next bid is ``bidder``'s."""

    entries: int
    logs: int
    house: bytes
    auction: bytes
    bids: int
    bidder: SecretKey

    def next_bid(self, now_ns: int) -> Bid:
        """The least that can be bid there, on what has been."""
        number = self.bids + 1
        identity = self.bidder.identity.signing
        return Bid(self.house, self.auction, identity, number, number, CURRENCY, now_ns, now_ns + BID_TIMEOUT_NS // 2)


def fill(
    store: LogStore,
    house: SecretKey,
    bidders: Sequence[SecretKey],
    *,
    allowed: AllowList,
    entries: int,
    now_ns: int,
    on_progress: Callable[[int, int], None],
) -> Filled:
    """Put ``entries`` entries, at least :data:`SMALLEST`, into the empty ``store``; none of them later than ``now_ns``.

    ``bidders`` are of ``allowed``, and take part two by two. ``on_progress`` is told how many there are, of how many.
    Time: 30 µs an entry on each of two cores.
    """
    start_ns = now_ns - entries * STEP_NS
    plans = plan_logs(house, bidders, entries - len(allowed) - LOGS, start_ns)
    _announce(store, house, allowed, plans)
    big, *others = plans
    for done in _store_all(store, ((big,), tuple(others))):
        on_progress(done, entries)
    bids = big.entries - _OPENING
    bidder = SecretKey.from_text(big.bidders[bids % 2])
    return Filled(entries, len(plans), house.identity.signing, auction_id(big.terms.body), bids, bidder)


_OPENING: Final = 4
"""Terms, two joinings, and that it opened."""


def plan_logs(house: SecretKey, bidders: Sequence[SecretKey], entries: int, start_ns: int) -> list[LogPlan]:
    """The logs that are to hold ``entries`` together, the largest first; all of them begin at ``start_ns``."""
    others = entries // 2 // OTHERS
    sizes = [entries - OTHERS * others, *[others] * OTHERS]
    return [
        _plan_one(house, number, size, bidders[2 * number % len(bidders) :][:2], start_ns)
        for number, size in enumerate(sizes)
    ]


def _plan_one(house: SecretKey, number: int, size: int, pair: Sequence[SecretKey], start_ns: int) -> LogPlan:
    # Every other one opens at entry 3, and closes at its last one.
    duration_ns = (size - _OPENING) * STEP_NS if number % 2 else OPEN_DURATION_NS
    lot = LotDescription(
        f"lot-{number}",
        f"Lot {number}",
        CURRENCY,
        starting_price_minor=1,
        increment=Fixed(1),
        duration_ns=duration_ns,
        min_bidders=2,
        bid_timeout_ns=BID_TIMEOUT_NS,
    )
    entropy = Entropy(token_bytes(16), token_bytes(32), token_bytes(32))
    terms = sign_terms(lot, house.identity.signing, house.escrow_public, house, entropy)
    return LogPlan(size, terms, (pair[0].seed_text, pair[1].seed_text), start_ns)


def _announce(store: LogStore, house: SecretKey, allowed: AllowList, plans: Sequence[LogPlan]) -> None:
    start_ns = plans[0].start_ns
    registry = RegistryLog(house)
    registry.admit(allowed, start_ns)
    for plan in plans:
        terms = decode_terms(plan.terms.body)
        registry.add(Announced(auction_id(plan.terms.body), terms.seller, terms.listing), start_ns)
    append = registry.to_append()
    assert append is not None
    store.append([Append(REGISTRY, 0, append.entries)], start_ns)


# Storing

_Batch = list[tuple[bytes, list[bytes], int]]
"""(auction, its next entries, when the last of them was made)."""


def _store_all(store: LogStore, shares: Sequence[Sequence[LogPlan]]) -> Iterator[int]:
    """Have each of ``shares`` written by a process, and store what comes; yields how many entries there are now."""
    done = store.size(REGISTRY)
    spawning = multiprocessing.get_context("spawn")
    writers: dict[Connection, SpawnProcess] = {}
    try:
        for share in shares:
            ours, theirs = spawning.Pipe(duplex=False)
            writer = spawning.Process(target=_write, args=(theirs, share), daemon=True)
            writer.start()
            theirs.close()
            writers[ours] = writer
        open_pipes = set(writers)
        while open_pipes:
            for pipe in wait(list(open_pipes)):
                assert isinstance(pipe, Connection)
                try:
                    batch: _Batch = pipe.recv()
                except EOFError:
                    open_pipes.discard(pipe)
                    continue
                done += _store(store, batch)
                yield done
    finally:
        for pipe, writer in writers.items():
            writer.terminate()
            writer.join()
            pipe.close()


def _store(store: LogStore, batch: _Batch) -> int:
    appends = [
        Append(log_name(auction), store.size(log_name(auction)), tuple(entries)) for auction, entries, _ in batch
    ]
    store.append(appends, max(at_ns for _, _, at_ns in batch))
    return sum(len(append.entries) for append in appends)


# Writing


def _write(pipe: Connection, plans: Sequence[LogPlan]) -> None:
    """What a process of its own does: a few entries of each log in turn, until none has more."""
    # Whoever interrupts the benchmark interrupts its own process, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    each = BATCH_ENTRIES // len(plans)
    logs = {auction_id(plan.terms.body): write_log(plan) for plan in plans}
    while logs:
        batch: _Batch = []
        for auction, entries in list(logs.items()):
            some = list(islice(entries, each))
            if some:
                batch.append((auction, [data for data, _ in some], some[-1][1]))
            else:
                del logs[auction]
        if batch:
            pipe.send(batch)
    pipe.close()


def write_log(plan: LogPlan) -> Iterator[tuple[bytes, int]]:
    """Each entry of the log of ``plan``, and its time."""
    tree, at_ns = Tree(), plan.start_ns
    keys = [SecretKey.from_text(text) for text in plan.bidders]
    terms = decode_terms(plan.terms.body)
    auction = Auction(auction_id(plan.terms.body), terms, at_ns)

    def logged(kind: str, body: bytes, signature: bytes = b"") -> tuple[bytes, int]:
        data = encode(Entry(Kind(kind), at_ns, body, signature))
        tree.append(leaf_hash(data))
        return data, at_ns

    yield logged(Kind.TERMS, *plan.terms)
    for key in keys:
        at_ns += STEP_NS
        join = Join(terms.house, auction.id, key.identity.signing, token_bytes(16), at_ns, at_ns + STEP_NS)
        auction.apply_join(join, at_ns)
        yield logged(Kind.JOINED, *sign_body(key, encode_join(join)))
    while tree.size < plan.entries:
        event = auction.due(at_ns, None)
        if event is None:
            at_ns += STEP_NS
            event = auction.due(at_ns, None)
        if event is not None:
            auction.apply(event, at_ns)
            yield logged(kind_of(event), encode_event(event))
            continue
        seq = auction.bid_count + 1
        bid = _bid(auction, tree, keys[(seq - 1) % 2], at_ns)
        auction.apply_bid(bid, at_ns)
        yield logged(Kind.BID, *sign_body(keys[(seq - 1) % 2], encode_bid(bid)))


def _bid(auction: Auction, tree: Tree, key: SecretKey, at_ns: int) -> Bid:
    """The least that ``key`` can bid in ``auction``, in answer to all that ``tree`` holds."""
    return Bid(
        auction.terms.house,
        auction.id,
        key.identity.signing,
        auction.bid_count + 1,
        auction.minimum_minor,
        auction.terms.rules.currency,
        at_ns,
        at_ns + BID_TIMEOUT_NS,
        tree.size,
        tree.root(),
    )
