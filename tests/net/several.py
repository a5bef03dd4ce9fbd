"""Instances of one house as they run, over a stream in memory: the real store, the real part in the house, no servers.

The stream does what a cluster's does: a message goes behind the one that is said to be its subject's last, or is
refused, all of a batch or nothing. What others have written comes when a store looks, unless its tail stands still.
"""

from __future__ import annotations

import itertools
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from auctionctl.auction.events import Gap, decode_event
from auctionctl.auction.terms import SECOND_NS, auction_id
from auctionctl.errors import OvertakenError, StoreFullError
from auctionctl.house.auction_log import AuctionLog, log_name
from auctionctl.house.effects import Commit, Effect
from auctionctl.house.limits import Limits
from auctionctl.house.recovery import rebuild
from auctionctl.house.registry import RegistryLog
from auctionctl.house.shared_house import SharedHouse
from auctionctl.net.alone import Recovered
from auctionctl.net.instances import AmongSeveral, Place
from auctionctl.replica.registry import REGISTRY
from auctionctl.store.cluster_index import ClusterIndex
from auctionctl.store.cluster_signs import ClusterSigns
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.jetstream import MAX_BATCH_MESSAGES, PlaceTakenError, Stored
from auctionctl.store.read_ahead import ReadAhead
from auctionctl.store.stream_settings import Streams
from auctionctl.tlog.entry import Entry, Kind, decode

staging: Any = sys.modules["auctionctl_tests_stage"]
LOOK_NS = SECOND_NS // 4


class Link:
    """What is stored, by streams; nothing more while it ``is_full``."""

    def __init__(self) -> None:
        self.streams: dict[str, list[Stored]] = {}
        self.is_full = False

    def of(self, stream: str) -> list[Stored]:
        return self.streams.setdefault(stream, [])

    def commit(self, stream: str, messages: Sequence[Any]) -> int:
        assert len(messages) <= MAX_BATCH_MESSAGES
        stored = self.of(stream)
        if self.is_full:
            raise StoreFullError("insufficient storage")
        for each in messages:
            of_subject = [known.sequence for known in stored if known.subject == each.subject]
            if each.behind is not None and (of_subject or [0])[-1] != each.behind:
                raise PlaceTakenError(each.subject, of_subject[-1])
        for each in messages:
            stored.append(Stored(len(stored) + 1, each.subject, each.header, each.id, each.payload))
        return len(stored)

    def get(self, stream: str, _subject: str, sequences: Sequence[int]) -> list[Stored]:
        return [self.of(stream)[sequence - 1] for sequence in sequences]

    def find(self, stream: str, sequence: int) -> Stored | None:
        return next(iter(self.of(stream)[sequence - 1 : sequence]), None)

    def find_last(self, stream: str, subject: str) -> Stored | None:
        return next((each for each in reversed(self.of(stream)) if each.subject == subject), None)


class Tail:
    """A stream as it comes; nothing comes while it ``is_still``, unless it is waited for."""

    def __init__(self, link: Link, stream: str, writer: str) -> None:
        self._link, self._stream, self._writer = link, stream, writer
        self._position = 0
        self.is_still = False

    def take(self) -> list[Stored]:
        if self.is_still:
            return []
        new = self._link.of(self._stream)[self._position :]
        self._position += len(new)
        if not self._writer:  # Of signs the stream keeps the last of each instance.
            new = list({each.subject: each for each in new}.values())
            new.sort(key=lambda each: each.sequence)
        return [each for each in new if not (self._writer and each.header.endswith(f" {self._writer}"))]

    def wait_for(self, _sequence: int, _patience_s: float) -> None:
        self.is_still = False

    def close(self) -> None:
        pass


class StoreInMemory(ClusterStore):
    """A store of the house with ``key``, as it is once it has connected: everything that there is is yet to come."""

    def __init__(self, link: Any, key: Any, instance: str) -> None:
        self._trouble, self._closed, self._instance = "", False, instance
        self._streams = Streams(key.identity.signing.hex())
        self._writer = secrets.token_hex(8)
        self._index = ClusterIndex(self._streams.logs)
        self._changes = []
        self._patience_s, self._mark, self._resources = 1.0, None, ExitStack()
        self.size_bytes, self.accepted = 0, ()
        self._link = link
        self._ahead = ReadAhead(link, self._streams.logs)
        self._signs = ClusterSigns(link, self._streams.signs, instance, self._writer)
        self.logs_tail = Tail(link, self._streams.logs, self._writer)
        tails: Any = (self.logs_tail, Tail(link, self._streams.signs, ""))
        self._tails = tails
        self.refresh()


class Instance:
    """One of them: what its process does in a turn, with whoever speaks to it."""

    def __init__(self, link: Link, name: str, now_ns: int, unreadable: Sequence[str] = ()) -> None:
        self.name, self.now_ns, self.key = name, now_ns, staging.key_of("house")
        self.store = StoreInMemory(link, self.key, name)
        limits = replace(
            Limits(), max_concurrent_auctions=5_000, max_auctions_a_seller=5_000, max_openings_an_hour=5_000
        )
        self.house = SharedHouse(self.key, limits, staging.EVERYBODY, now_ns, self.registry())
        self.part = AmongSeveral(self.store, self.house, Place(name, f"{name}:1"), self.perform, now_ns)
        logs = [
            rebuild(self.key, log, self.store.read(log))
            for log, _ in self.store.logs()
            if log not in (REGISTRY, *unreadable)
        ]
        found = Recovered(self.registry(), logs, self.store.last_alive_ns(), [])
        self.perform(self.part.adopt(found, now_ns), now_ns)

    def rebuild(self, log: AuctionLog) -> AuctionLog | None:
        return rebuild(self.key, log.name, self.store.read(log.name)) if self.store.size(log.name) else None

    def registry(self) -> RegistryLog:
        return RegistryLog(self.key, self.store.read(REGISTRY))

    def turn(self, now_ns: int, *requests: Any) -> None:
        self.now_ns = now_ns
        self.part.turn(now_ns)
        self.perform(self.house.handle(requests, now_ns), now_ns)

    def perform(self, effects: list[Effect], now_ns: int) -> None:
        stored: Any = self
        for effect in effects:
            if isinstance(effect, Commit):
                try:
                    self.part.commit(effect.appends, now_ns)
                except OvertakenError as error:
                    self.perform(self.part.overtaken(error, stored, now_ns), now_ns)
                except StoreFullError:
                    self.perform(self.house.rolled_back(self.rebuild, self.registry), now_ns)
                else:
                    self.perform(self.house.committed(), now_ns)

    def held(self) -> list[str]:
        return [log_name(each) for each in self.house.held_ids]


class Company:
    """Instances by their names, which come one after the other; ``now_ns`` is the time, and clocks may be behind."""

    def __init__(self, *names: str, behind: Mapping[str, int] | None = None) -> None:
        self.now_ns: int = staging.START_NS
        self._behind = dict(behind or {})
        self.link = Link()
        self.instances: dict[str, Instance] = {}
        self.ended: set[str] = set()
        self.people = staging.Stage.__new__(staging.Stage)
        self.people._count, self.people._names, self.people.key = itertools.count(1), {}, staging.key_of("house")
        for name in names:
            self.come(name)

    def __getitem__(self, name: str) -> Instance:
        return self.instances[name]

    def time_of(self, name: str) -> int:
        """What it is by the clock of this one."""
        return self.now_ns - self._behind.get(name, 0)

    def come(self, name: str, unreadable: Sequence[str] = ()) -> None:
        self.ended.discard(name)
        self.instances[name] = Instance(self.link, name, self.time_of(name), unreadable)
        self.after(2 * SECOND_NS)

    def end(self, name: str) -> None:
        """This one gives what it can, and is gone."""
        self[name].part.leave(self.now_ns)
        self.ended.add(name)

    def die(self, name: str) -> None:
        """This one is gone."""
        self.ended.add(name)

    def after(self, duration_ns: int, *, without: Sequence[str] = ()) -> None:
        """Let time pass, without those that stand still."""
        for _ in range(duration_ns // LOOK_NS):
            self.now_ns += LOOK_NS
            for name, instance in self.instances.items():
                if name not in without and name not in self.ended:
                    instance.turn(self.time_of(name))

    def sell(self, listing: str = "lot", **terms: Any) -> str:
        """A new auction of whoever has the registry; the name of its log."""
        holder = next(each for each in self.instances.values() if each.part.announces())
        self.people.now_ns = self.now_ns
        message = self.people.terms("sue", listing=listing, **terms)
        holder.perform(holder.house.announce(message.body, message.signature, self.now_ns), self.now_ns)
        return log_name(auction_id(message.body))

    def open(self, log: str) -> None:
        """Two bidders come to this auction, at whoever holds it, and stay."""
        holder, auction = self[self.holder(log)], bytes.fromhex(log.partition("/")[2])
        self.people.now_ns = self.now_ns
        for session, who in ((1, "ann"), (2, "ben")):
            hello = self.people.hello(session, who, "bidder")
            self.people._names[session] = who
            holder.turn(self.now_ns, hello)
            holder.turn(self.now_ns, self.people.join(session, auction))

    def holder(self, log: str) -> str:
        return next(name for name, each in self.instances.items() if log in each.held() and name not in self.ended)

    def entries(self, log: str) -> list[Entry]:
        newest = max(self.instances.values(), key=lambda each: each.store.size(log))
        return [decode(data) for data in newest.store.read(log)]

    def kinds(self, log: str) -> list[str]:
        return [entry.kind.value for entry in self.entries(log)]

    def gaps(self, log: str) -> list[Gap]:
        found = [decode_event(each.kind, each.body) for each in self.entries(log) if each.kind is Kind.GAP]
        return [each for each in found if isinstance(each, Gap)]
