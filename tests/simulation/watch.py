"""Who watches a run: keeps what was durable, said and true, and calls the checkers on it, at once where that can be.

Rule: what is watched is what crosses a border — entries into the store, operations out of the house, messages and
notices out of agents, time. The house's own state is looked at only to compare it with its log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from checkers import (
    CheckFailed,
    Outage,
    Placed,
    Receipt,
    Refused,
    Stamp,
    apply_naively,
    check_budget,
    check_deadlines,
    check_left,
    check_order,
    check_receipts,
    check_roots,
    check_same_state,
    check_settlement,
    exposure_minor,
)
from naive_auction import NaiveAuction
from naive_reputation import NaiveReputations
from timeline import SECOND_NS

from auctionctl.auction.command_id import command_id
from auctionctl.bidding.notices import BidAccepted, BidPlaced, BidRejected
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.house import House
from auctionctl.house.intake import Request
from auctionctl.keys.signing import verify
from auctionctl.net.hops import ToFollowers, ToSession
from auctionctl.replica.registry import REGISTRY, RegistryReplay
from auctionctl.replica.replay import Replay
from auctionctl.store.log_store import Append
from auctionctl.tlog.checkpoint import open_checkpoint, origin_of
from auctionctl.tlog.cosignature import open_timed
from auctionctl.tlog.merkle import Tree, leaf_hash, verify_inclusion
from auctionctl.wire.frames import domain, message_type
from auctionctl.wire.messages import (
    Acknowledged,
    ClockHead,
    Entries,
    Rejections,
    RejectionsHead,
    decode_rejection,
    decode_reply,
    encode,
)

if TYPE_CHECKING:
    from network import Operation
    from people import Person
    from world import World

STALL_NS = SECOND_NS
CLOCK_BACK_NS = 5 * SECOND_NS


class Shadow:
    """One auction's log as it became durable: its entries, the real replay of them, and the plain one."""

    def __init__(self, house: bytes, auction: bytes) -> None:
        self.entries: list[bytes] = []
        self.replay = Replay(house, auction)
        self.naive = NaiveAuction()

    @property
    def tree(self) -> Tree:
        return self.replay.tree

    def extend(self, entries: Iterable[bytes]) -> None:
        for data in entries:
            apply_naively(self.naive, data)
            self.replay.apply(data)
            self.entries.append(data)


class RegistryShadow:
    """The registry as it became durable."""

    def __init__(self, house: bytes) -> None:
        self.entries: list[bytes] = []
        self.replay = RegistryReplay(house)

    @property
    def tree(self) -> Tree:
        return self.replay.tree

    def extend(self, entries: Iterable[bytes]) -> None:
        for data in entries:
            self.replay.apply(data)
            self.entries.append(data)


class Presences:
    """Who truly has a session in the house's eyes, and since when the others have none; times on the house's clock."""

    def __init__(self) -> None:
        self.sessions: dict[int, tuple[bytes, ...]] = {}
        """Whose they are: by its key, and the keys that this has taken the place of."""
        self.replaced: dict[bytes, bytes] = {}
        """New key → the old one, as far as it is durable."""
        self.gone_ns: dict[bytes, int] = {}
        self.served_since_ns: int | None = None
        self._pending: tuple[Sequence[Request], int] = ((), 0)

    def judging(self, batch: Sequence[Request], now_ns: int) -> None:
        """Whoever comes or goes in ``batch`` does so after what was due before it."""
        self.settle()
        self._pending = (batch, now_ns)

    def settle(self) -> None:
        batch, now_ns = self._pending
        self._pending = ((), 0)
        for request in batch:
            name = message_type(request.body)
            if name in ("", "bye"):
                self._end(request.session, now_ns)
            elif name == "hello" and request.signer not in self.replaced.values():
                self.sessions[request.session] = self._keys_of(request.signer)

    def _keys_of(self, key: bytes) -> tuple[bytes, ...]:
        return (key, *(self._keys_of(self.replaced[key]) if key in self.replaced else ()))

    def shut_out(self, now_ns: int) -> None:
        """What the registry says is in force: sessions of keys that were replaced are over."""
        self.settle()
        for session, (key, *_) in list(self.sessions.items()):
            if key in self.replaced.values():
                self._end(session, now_ns)

    def _end(self, session: int, now_ns: int) -> None:
        for identity in self.sessions.pop(session, ()):
            if not self.is_here(identity):
                self.gone_ns[identity] = now_ns

    def is_here(self, identity: bytes) -> bool:
        return any(identity in keys for keys in self.sessions.values())

    def nobody(self, now_ns: int) -> None:
        """No gateway, or no house."""
        self.settle()
        for session in list(self.sessions):
            self._end(session, now_ns)
        self.served_since_ns = None

    def gone_since_ns(self, identity: bytes) -> int:
        return max(self.gone_ns.get(identity, 0), self.served_since_ns or 0)


class Watch:
    """Everything that is known of one run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._house = world.house_key.identity
        self.registry = RegistryShadow(self._house.signing)
        self.shadows: dict[bytes, Shadow] = {}
        self.receipts: list[Receipt] = []
        self.refused: list[Refused] = []
        self.bodies: dict[bytes, bytes] = {}
        self.outages: list[Outage] = []
        self.stamps: list[Stamp] = []
        self._handlers: dict[str, Callable[[bytes], None]] = {
            "entries": self._said_entries,
            "acknowledged": self._said_receipts,
            "rejections": self._said_rejections,
            "clock_head": self._said_stamp,
        }
        self.acknowledged: set[bytes] = set()
        self.placements: dict[bytes, list[Placed]] = {}
        self.presences = Presences()
        self._batch: Sequence[Request] = ()
        self._lost: tuple[int, dict[bytes, int]] | None = None
        self._full: tuple[int, dict[bytes, int]] | None = None
        self._dry: tuple[int, dict[bytes, int], int] | None = None
        self._latest_ns = 0

    @property
    def naive(self) -> dict[bytes, NaiveAuction]:
        return {log: shadow.naive for log, shadow in self.shadows.items()}

    def _sizes(self) -> dict[bytes, int]:
        return {log: len(shadow.entries) for log, shadow in self.shadows.items()}

    # The store

    def durable(self, appends: Sequence[Append]) -> None:
        """These entries are in the store from now on."""
        for append in appends:
            self._world.trace("durable", append.log[:16], append.expected_size, len(append.entries))
            if append.log == REGISTRY:
                self.registry.extend(append.entries)
                self.presences.replaced = {
                    new: old for _, old, new in NaiveReputations(self.registry.entries).rotations
                }
                continue
            log = bytes.fromhex(append.log.removeprefix("auction/"))
            shadow = self.shadows.setdefault(log, Shadow(self._house.signing, log))
            lefts, bids = len(shadow.naive.lefts), len(shadow.naive.bids)
            shadow.extend(append.entries)
            check_order(append.entries, [request.body for request in self._batch])
            for bidder, time_ns in shadow.naive.lefts[lefts:]:
                is_here = self.presences.is_here(bidder)
                is_served = self.presences.served_since_ns is not None
                check_left(time_ns, is_here, self.presences.gone_since_ns(bidder), is_served)
                self._world.tally["bidders gone"] += 1
            if len(shadow.naive.bids) != bids:
                for person in self._world.people:
                    self._check_budget(person)

    # The house

    def judging(self, batch: Sequence[Request], now_ns: int) -> None:
        """The house is about to judge this batch, at this instant."""
        self._batch = batch
        self._latest_ns = max(self._latest_ns, now_ns)
        self.presences.judging(batch, now_ns)
        for request in batch:
            if request.signature:
                self.bodies[command_id(request.body)] = request.body

    def rolled_back(self, now_ns: int) -> None:
        """There was no room for the batch of this instant."""
        if self._full is None:
            self._full = now_ns, self._sizes()
        start_ns, sizes, _ = self._dry or (now_ns, self._sizes(), 0)
        self._dry = start_ns, sizes, now_ns

    def room(self) -> None:
        """The store has taken something: from the first refusal in a row to the last one, it did not."""
        if self._dry is not None:
            start_ns, sizes, last_ns = self._dry
            if last_ns - start_ns > STALL_NS:
                self.outages.append(Outage(start_ns, last_ns, start_ns, sizes, last_ns))
            self._dry = None

    def _end_full(self, now_ns: int) -> None:
        """As the house sees it, there was none until now: it had nothing to write."""
        self.room()
        if self._full is not None:
            start_ns, sizes = self._full
            self.outages.append(Outage(start_ns, now_ns, start_ns, sizes, start_ns))
            self._full = None

    def committed(self, house: House, appends: Sequence[Append], now_ns: int) -> None:
        """The batch of this instant is durable and released: state and log have to agree."""
        self._end_full(now_ns)
        self.presences.shut_out(now_ns)
        for append in appends:
            if append.log != REGISTRY:
                log = bytes.fromhex(append.log.removeprefix("auction/"))
                self._compare(house.log(log))

    def recovered(self, logs: Sequence[AuctionLog], quarantined: Sequence[tuple[str, str]]) -> None:
        """A new process has read the store."""
        if quarantined:
            raise CheckFailed("recovery", f"quarantined: {quarantined}")
        if [log.id for log in logs] != [log for log, shadow in self.shadows.items() if shadow.entries]:
            raise CheckFailed("recovery", "other logs were recovered than are durable")
        for log in logs:
            self._compare(log)
            shadow = self.shadows[log.id]
            if log.commands != shadow.naive.commands:
                raise CheckFailed("recovery", "other commands were recovered than are durable")

    def _compare(self, log: AuctionLog) -> None:
        shadow = self.shadows[log.id]
        check_same_state(log.auction, shadow.replay.state)
        check_deadlines(log.auction, shadow.naive)
        check_settlement(log.auction, shadow.naive)
        check_roots(log.tree.size, log.tree.root(), len(shadow.entries), shadow.tree.root)

    def said(self, operations: Sequence[Operation]) -> None:
        """All this has left the house."""
        for operation in operations:
            if isinstance(operation, (ToFollowers, ToSession)):
                handler = self._handlers.get(message_type(operation.body))
                if handler is not None:
                    handler(operation.body)

    def _said_stamp(self, body: bytes) -> None:
        said = decode_reply(body)
        assert isinstance(said, ClockHead)
        house = self._house
        origin = origin_of(house.text, f"auction/{said.auction.hex()}")
        timed = open_timed(said.note, origin, house.text, house.signing)
        shadow = self.shadows[said.auction]
        check_roots(timed.checkpoint.size, timed.checkpoint.root, len(shadow.entries), shadow.tree.root)
        self._world.tally["clock heads"] += 1
        self.stamps.append(Stamp(said.auction, timed.checkpoint.size, timed.time_ns))

    def _said_entries(self, body: bytes) -> None:
        said = decode_reply(body)
        assert isinstance(said, Entries)
        shadow = self.shadows.get(said.auction) if said.auction else self.registry
        durable = [] if shadow is None else shadow.entries[said.start : said.start + len(said.entries)]
        if list(said.entries) != durable:
            raise CheckFailed("feed", f"entries from {said.start} on were said that are not durable")
        self._check_head(said.auction, said.checkpoint)

    def _check_head(self, log: bytes, note: bytes) -> None:
        name = f"auction/{log.hex()}" if log else REGISTRY
        checkpoint = open_checkpoint(note, origin_of(self._house.text, name), self._house.signing)
        shadow = self.shadows[log] if log else self.registry
        check_roots(checkpoint.size, checkpoint.root, len(shadow.entries), shadow.tree.root)

    def _said_receipts(self, body: bytes) -> None:
        said = decode_reply(body)
        assert isinstance(said, Acknowledged)
        for part in said.logs:
            receipts = [Receipt(part.auction, one.command, one.index, one.time_ns) for one in part.receipts]
            entries = {log: shadow.entries for log, shadow in self.shadows.items()}
            check_receipts(entries, receipts)
            self._check_head(part.auction, part.checkpoint)
            for receipt in receipts:
                if message_type(self.bodies.get(receipt.command, b"")) == "bid":
                    self._world.tally["receipts for bids"] += 1
            self.receipts += receipts

    def _said_rejections(self, body: bytes) -> None:
        said = decode_reply(body)
        assert isinstance(said, Rejections)
        head = encode(RejectionsHead(said.count, said.root))
        if not verify(self._house.signing, domain("rejections_head") + head, said.signature):
            raise CheckFailed("rejections", "not signed by the house")
        for one in said.rejections:
            if not verify_inclusion(leaf_hash(one.rejection), one.index, said.count, one.proof, said.root):
                raise CheckFailed("rejections", "a rejection is not among those that were signed for")
            it = decode_rejection(one.rejection)
            self._world.tally["rejections"] += 1
            self._world.tally[f"rejected: {it.code}"] += 1
            self._world.trace("rejected", it.code, it.log_size)
            self.refused.append(Refused(it.auction, it.command, it.code, it.observed, it.log_size, it.time_ns))

    # Time and outages

    def looked(self, last_ns: int, now_ns: int) -> None:
        """The house looks after everything, for the first time since ``last_ns``."""
        if now_ns - last_ns > STALL_NS and self.presences.served_since_ns is not None:
            self._world.tally["stalls"] += 1
            self.outages.append(Outage(last_ns, now_ns, last_ns, self._sizes(), now_ns))

    def gateway_lost(self, now_ns: int, last_ns: int) -> None:
        """The house knows that it has no gateway any more."""
        if self._lost is None:
            self._lost = (last_ns if now_ns - last_ns > STALL_NS else now_ns, self._sizes())
        self.presences.nobody(now_ns)

    def gateway_back(self, now_ns: int) -> None:
        """The house knows that it has a gateway again."""
        if self._lost is not None:
            start_ns, sizes = self._lost
            self.outages.append(Outage(start_ns, now_ns, start_ns, sizes, now_ns))
        self._lost = None
        self.presences.served_since_ns = now_ns

    def house_died(self, now_ns: int | None) -> None:
        """The house's process has ended; None if nobody could reach it yet."""
        if now_ns is not None:
            if self._lost is None:
                self._lost = now_ns, self._sizes()
            self._end_full(now_ns)
        self.presences.nobody(now_ns or 0)

    def house_serves(self, now_ns: int, last_alive_ns: int | None) -> None:
        """A house begins, and bidders can reach it."""
        self.presences.gone_ns.clear()  # Its clock may be another one.
        self.outages = [one._replace(needed_ns=min(one.needed_ns, now_ns)) for one in self.outages]
        if self._lost is not None:
            start_ns, sizes = self._lost
            self.outages.append(Outage(start_ns, now_ns, last_alive_ns or start_ns, sizes, now_ns))
        self._lost = None
        self.presences.served_since_ns = now_ns

    # People

    def placed(self, person: Person, bid: BidPlaced) -> None:
        """Somebody has signed and kept a bid."""
        placed = Placed(bid.auction, bid.command, bid.seq, bid.amount_minor, bid.not_after_ns)
        self.placements.setdefault(person.key.identity.signing, []).append(placed)
        self._world.tally["bids placed"] += 1
        self._world.trace("placed", person.name, bid.seq, bid.amount_minor)
        self._check_budget(person)

    def accepted(self, person: Person, bid: BidAccepted) -> None:
        """Somebody has proof that a bid of its own is in the log."""
        receipt = bid.evidence.receipt
        check_receipts(
            {bid.auction: self.shadows[bid.auction].entries},
            [Receipt(bid.auction, bid.command, receipt.index, receipt.time_ns)],
        )
        self.acknowledged.add(bid.command)
        self._world.trace("acknowledged", person.name, bid.seq, receipt.index)

    def rejected(self, person: Person, bid: BidRejected) -> None:
        """Somebody has the signed rejection of a bid of its own."""
        self._world.trace("told", person.name, bid.seq, bid.code)

    def accused(self, name: str, error: Exception) -> None:
        """An agent does not believe this house, which is an honest one."""
        raise CheckFailed("accusations", f"{name} says: {error}") from error

    def awake(self, name: str, wakes: int, most: int) -> None:
        """An agent has woken so often within a second."""
        if wakes > most:
            raise CheckFailed("liveness", f"{name} has a timer that is always due")

    def _check_budget(self, person: Person) -> None:
        floor_ns = max(self._world.store.last_alive_ns() or 0, self._latest_ns - CLOCK_BACK_NS)
        worst: dict[bytes, int] = {}
        for key in person.keys:
            me = key.identity.signing
            for log, minor in exposure_minor(me, self.placements.get(me, ()), self.naive, floor_ns).items():
                worst[log] = worst.get(log, 0) + minor
        check_budget(person.name, person.plan.budget_minor, worst)

    # The end

    def summary(self) -> Counter[str]:
        """What is counted over seeds."""
        tally: Counter[str] = Counter(self._world.tally)
        tally["bids acknowledged"] = len(self.acknowledged)
        for shadow in self.shadows.values():
            tally["auctions"] += 1
            tally["entries"] += len(shadow.entries)
            tally["bids in logs"] += len(shadow.naive.bids)
            tally["gaps"] += len(shadow.naive.gaps)
            tally["extensions"] += shadow.naive.extensions
            tally["pauses"] += len(shadow.naive.pauses.all)
            tally[f"at last: {shadow.naive.where}"] += 1
            for kind, body in shadow.naive.ends:
                tally[f"ended: {body[1] if kind == 'closed' else kind}"] += 1
        return tally
