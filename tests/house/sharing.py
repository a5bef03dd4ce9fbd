"""Several instances of one house in memory over one store, with its claims and its tail, as a cluster has them.

The store does what compare-and-swap does: whoever does not know the last record of a log, be it entries or a claim, is
refused, and nobody else; that nobody writes to what another holds is for the instances to see to. One hears of what the
others did when it looks (:meth:`Instance.sync`); one that does not look is stale.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from auctionctl.auction.terms import SECOND_NS, auction_id
from auctionctl.errors import OvertakenError
from auctionctl.house.auction_log import log_name
from auctionctl.house.effects import Commit, Effect
from auctionctl.house.limits import Limits
from auctionctl.house.recovery import rebuild
from auctionctl.house.registry import RegistryLog
from auctionctl.house.shared_house import SharedHouse
from auctionctl.replica.audit import Audit, audit
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.store.log_store import Append
from auctionctl.store.memory import MemoryStore
from auctionctl.tlog.entry import Entry, decode
from auctionctl.wire.messages import Acknowledged, Moved

staging: Any = sys.modules["auctionctl_tests_stage"]


class Written(NamedTuple):
    """``writer`` appended ``entries`` from index ``start`` on; it is the record ``place`` of the log."""

    log: str
    start: int
    entries: tuple[bytes, ...]
    writer: str
    place: int


class Claimed(NamedTuple):
    """``holder`` holds the log, by a claim of ``writer`` made at this time; it is the record ``place`` of the log."""

    log: str
    holder: str
    time_ns: int
    writer: str
    place: int


def name_of(log_id: bytes) -> str:
    return REGISTRY if log_id == REGISTRY_ID else log_name(log_id)


def id_of(name: str) -> bytes:
    return REGISTRY_ID if name == REGISTRY else bytes.fromhex(name.partition("/")[2])


class Cluster:
    """Instances by their names, the first of which begins with everything; ``now_ns`` is the time of all."""

    def __init__(self, *names: str) -> None:
        self.now_ns: int = staging.START_NS
        self.store = MemoryStore()
        self.tail: list[Written | Claimed] = []
        self.holders: dict[str, str] = {REGISTRY: names[0]}
        self.epochs: dict[str, int] = {}
        self.places: Counter[str] = Counter()
        """The last record of each log."""
        self.known: dict[str, dict[str, int]] = {}
        """The last record of each log that each instance knows."""
        self.deposed: set[str] = set()
        """Who was taken for dead, and has not noticed: nothing is committed by it, not even the time."""
        self.refused = 0
        """How many appends came from whom another had outdated."""
        self.instances = {name: Instance(self, name) for name in names}
        self.instances[names[0]].announce_nothing()
        self.sync()

    def __getitem__(self, name: str) -> Instance:
        return self.instances[name]

    # The store

    def append(self, instance: str, appends: Sequence[Append], now_ns: int) -> None:
        if instance in self.deposed:
            self.refused += 1
            raise OvertakenError(appends[0].log if appends else REGISTRY, expected=0, actual=0)
        for each in appends:
            if self.known[instance].get(each.log, 0) != self.places[each.log]:
                self.refused += 1
                raise OvertakenError(each.log, expected=each.expected_size, actual=self.store.size(each.log))
        self.store.append(appends, now_ns)
        for each in appends:
            self.holders.setdefault(each.log, instance)
            place = self._put(each.log, instance)
            self.tail.append(Written(each.log, each.expected_size, each.entries, instance, place))

    def claim(self, log_id: bytes, holder: str, writer: str = "") -> int:
        """``writer``, or else ``holder``, has ``holder`` hold this log from now on; the epoch of the claim."""
        name, writer = name_of(log_id), writer or holder
        if self.known[writer].get(name, 0) != self.places[name]:
            raise OvertakenError(name, expected=0, actual=self.store.size(name))
        self.epochs[name] = self.epochs.get(name, 1) + 1
        self.holders[name] = holder
        self.tail.append(Claimed(name, holder, self.now_ns, writer, self._put(name, writer)))
        return self.epochs[name]

    def _put(self, name: str, writer: str) -> int:
        self.places[name] += 1
        self.known[writer][name] = self.places[name]
        return self.places[name]

    # What happens

    def sync(self, *names: str) -> None:
        """These look at what the others did, or all."""
        for name in names or self.instances:
            self.instances[name].sync()

    def after(self, duration_ns: int, *, without: Sequence[str] = ()) -> None:
        """Let time pass; those ``without`` stand still."""
        end_ns = self.now_ns + duration_ns
        while self.now_ns < end_ns:
            self.now_ns = min(end_ns, self.now_ns + SECOND_NS // 4)
            for name, instance in self.instances.items():
                if name not in without:
                    instance.sync()
                    instance.tick()

    def hand_over(self, log_id: bytes, giver: str, taker: str) -> None:
        """``giver`` gives the log to ``taker``, who goes on as soon as it looks."""
        self[giver].at_now().do(self[giver].house.give_up({log_id: f"{taker}:1"}, self.now_ns))
        self[taker].take(log_id, self.claim(log_id, taker, giver), self.now_ns)
        self.sync()

    def take_from_dead(self, dead: str, taker: str, last_ns: int) -> None:
        """``taker`` goes on with everything that ``dead`` has, who was last heard of at ``last_ns``."""
        self.deposed.add(dead)
        self[taker].sync()
        logs = [id_of(name) for name, holder in self.holders.items() if holder == dead]
        taken = {log_id: (self.claim(log_id, taker), last_ns) for log_id in logs}
        self[taker].take_all(taken)

    # What it has come to

    def entries(self, log_id: bytes) -> list[Entry]:
        return [decode(data) for data in self.store.read(name_of(log_id))]

    def kinds(self, log_id: bytes) -> list[str]:
        return [entry.kind.value for entry in self.entries(log_id)]

    def audited(self, log_id: bytes, name: str) -> Audit:
        """The log as ``name`` shows it, verified."""
        house = self[name].house
        log = house._find(log_id)
        assert log is not None
        data = list(self.store.read(log.name))
        assert log.tree.size == len(data), (name, log.tree.size, len(data))
        file = encode_export(data, log.sign_head(), house.registry.announcement(log_id))
        return audit(file, house.identity)


class Instance(staging.Stage):  # type: ignore[misc]
    """One of them, with whoever speaks to it: sessions are numbers, as on a stage."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name = cluster, name
        self.key = staging.key_of("house")
        self.limits = replace(Limits(), bids_per_s=10**9, bids_burst=10**9, all_bids_per_s=10**9)
        self.store = cluster.store
        self.now_ns = cluster.now_ns
        self.effects: list[Effect] = []
        self.is_full = False
        self._count = itertools.count(1 + 10**6 * (1 + len(name) + ord(name[0])))
        self._names: dict[int, str] = {}
        self.start()

    def start(self) -> None:
        """A process begins: it reads the store, and holds what the last claims say."""
        self.position = len(self.cluster.tail)
        self.cluster.known[self.name] = dict(self.cluster.places)
        self.cluster.deposed.discard(self.name)
        self.house = SharedHouse(self.key, self.limits, staging.EVERYBODY, self.now_ns)
        logs = [rebuild(self.key, name, self.store.read(name)) for name, _ in self.store.logs() if name != REGISTRY]
        foreign = {id_of(name) for name, holder in self.cluster.holders.items() if holder != self.name}
        registry = RegistryLog(self.key, self.store.read(REGISTRY))
        self.do(self.house.adopt(registry, logs, self.store.last_alive_ns(), self.now_ns, foreign=foreign))
        self.tell_holders()

    def announce_nothing(self) -> None:
        """The registry says whom the allow list lets in."""
        self.at_now().do(self.house.handle((), self.now_ns))

    def at_now(self) -> Instance:
        self.now_ns = self.cluster.now_ns
        return self

    def tick(self) -> None:
        self.at_now().do(self.house.handle_timer(self.now_ns))

    def sync(self) -> None:
        """Look at what has happened in the store."""
        self.at_now()
        if self.name in self.cluster.deposed:
            self.cluster.deposed.discard(self.name)
            self.do(self.house.give_up(dict.fromkeys([*self.house.held_ids, REGISTRY_ID], ""), self.now_ns))
        while self.position < len(self.cluster.tail):
            happened = self.cluster.tail[self.position]
            self.position += 1
            if happened.writer != self.name:
                self.cluster.known[self.name][happened.log] = happened.place
            if isinstance(happened, Written):
                if happened.writer != self.name:
                    self.do(self.house.absorb(happened.log, happened.start, happened.entries, self.now_ns))
            elif happened.holder != self.name and self.house.holds(id_of(happened.log)):
                self.do(self.house.give_up({id_of(happened.log): f"{happened.holder}:1"}, self.now_ns))
        self.tell_holders()

    def tell_holders(self) -> None:
        self.house.set_holders({id_of(log): f"{holder}:1" for log, holder in self.cluster.holders.items()})

    def take(self, log_id: bytes, epoch: int, since_ns: int | None) -> None:
        self.take_all({log_id: (epoch, since_ns)})

    def take_all(self, taken: dict[bytes, tuple[int, int | None]]) -> None:
        self.sync()
        self.do(self.house.take_over_all(taken, self.name, self.now_ns))

    def sell(self, **changes: Any) -> bytes:
        """A new auction of the house's own, which this instance announces."""
        message = self.at_now().terms("sue", **changes)
        self.do(self.house.announce(message.body, message.signature, self.now_ns))
        return bytes(auction_id(message.body))

    def do(self, effects: list[Effect]) -> list[Effect]:
        done: list[Effect] = []
        queue = list(effects)
        while queue:
            effect = queue.pop(0)
            done.append(effect)
            if isinstance(effect, Commit):
                queue += self._commit(effect)
        self.effects += done
        return done

    def _commit(self, commit: Commit) -> list[Effect]:
        if self.is_full:
            return self.house.rolled_back(self.rebuild, self.rebuild_registry)
        try:
            appends = [Append(*each) for each in commit.appends]
            self.cluster.append(self.name, appends, self.house.alive_ns(self.now_ns))
        except OvertakenError as error:
            return self.house.overtaken(error.log, self.rebuild, self.rebuild_registry, self.now_ns)
        return self.house.committed()


def moved_in(effects: list[Effect], session: int) -> list[Moved]:
    return [reply for reply in staging.replies(effects, session) if isinstance(reply, Moved)]


def receipts_in(effects: list[Effect], session: int) -> list[tuple[bytes, bytes, int]]:
    """(auction, command, index) of every receipt that went to this session."""
    found = [reply for reply in staging.replies(effects, session) if isinstance(reply, Acknowledged)]
    return [(its.auction, each.command, each.index) for reply in found for its in reply.logs for each in its.receipts]
