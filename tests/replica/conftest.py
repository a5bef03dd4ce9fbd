"""What the tests of replicas share: a finished log as a real house wrote it, and the means to forge and re-sign one.

The house and whoever speaks to it come from ``tests/house/stage.py``. All times are nanoseconds, all amounts cents.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.events import decode_event, encode_event
from auctionctl.auction.terms import SECOND_NS, auction_id
from auctionctl.house.effects import Fetch, Follow, Publish, Send
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.export import encode_export
from auctionctl.replica.follower import Follower
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, decode, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import Message, domain, message_type
from auctionctl.wire.messages import Bye, Entries, Ping, Pong, decode_request
from auctionctl.wire.messages import encode as encode_message

FETCH_ENTRIES = 4
SESSION = 100


@dataclass(frozen=True)
class Book:
    """Entries of one log, and the house that signs for them. Every change is another book, under a true signature."""

    house: SecretKey
    auction: bytes
    entries: tuple[bytes, ...]
    announcement: bytes

    def note(self, size: int | None = None, key: SecretKey | None = None, auction: bytes | None = None) -> bytes:
        """A checkpoint over the first ``size`` entries (all of them)."""
        tree = Tree()
        for data in self.entries[:size]:
            tree.append(leaf_hash(data))
        origin = origin_of(self.house.identity.text, f"auction/{(auction or self.auction).hex()}")
        return CheckpointSigner(origin, key or self.house).sign(tree.size, tree.root())

    def file(self) -> bytes:
        return encode_export(self.entries, self.note(), self.announcement)

    def piece(self, start: int, stop: int, size: int | None = None) -> Entries:
        """Entries ``start`` to ``stop`` as the house sends them, under its head at ``size`` (at the end)."""
        return Entries(self.auction, start, self.entries[start:stop], self.note(size))

    def entry(self, index: int) -> Entry:
        return decode(self.entries[index])

    def kinds(self) -> list[str]:
        return [decode(data).kind.value for data in self.entries]

    def index_of(self, kind: str, number: int = 0) -> int:
        """Where the ``number``-th entry of ``kind`` stands."""
        return [index for index, each in enumerate(self.kinds()) if each == kind][number]

    def with_data(self, *entries: bytes) -> Book:
        return Book(self.house, self.auction, entries, self.announcement)

    def cut(self, size: int) -> Book:
        return self.with_data(*self.entries[:size])

    def without(self, index: int) -> Book:
        return self.with_data(*self.entries[:index], *self.entries[index + 1 :])

    def inserted(self, index: int, *entries: Entry) -> Book:
        return self.with_data(*self.entries[:index], *map(encode, entries), *self.entries[index:])

    def swapped(self, first: int, second: int) -> Book:
        entries = list(self.entries)
        entries[first], entries[second] = entries[second], entries[first]
        return self.with_data(*entries)

    def changed(self, index: int, **fields: Any) -> Book:
        """Entry ``index`` with other fields, whoever signed it."""
        data = encode(replace(self.entry(index), **fields))
        return self.with_data(*self.entries[:index], data, *self.entries[index + 1 :])

    def reworded(self, index: int, **fields: Any) -> Book:
        """The house's own event at ``index`` with other fields."""
        entry = self.entry(index)
        return self.changed(index, body=encode_event(replace(decode_event(entry.kind, entry.body), **fields)))

    def resigned(self, index: int, key: SecretKey, message: Any) -> Book:
        """A participant's entry at ``index`` with another message, truly signed by ``key``."""
        entry = signed_entry(self.entry(index).kind, self.entry(index).time_ns, key, message)
        return self.with_data(*self.entries[:index], encode(entry), *self.entries[index + 1 :])


def signed_entry(kind: Kind, time_ns: int, key: SecretKey, message: Any) -> Entry:
    """The entry of ``message`` (any of the wire's), signed by ``key`` in the domain of ``kind``'s own type."""
    tag = message.__struct_config__.tag
    body = encode_event(message)
    return Entry(kind, time_ns, body, key.sign(domain(tag) + body))


class Line:
    """One follower and its connection to the house of a stage. ``loses`` says of each message whether it is lost."""

    def __init__(self, stage: Any, staging: Any, name: str = "olga", role: str = "observer") -> None:
        self.stage = stage
        self.staging = staging
        self.key = staging.key_of(name)
        self.follower = Follower(self.key, stage.key.identity, role)
        self.session = SESSION
        self.sent: list[Any] = []
        self.notices: list[Any] = []
        self.loses: Callable[[Message], bool] = lambda message: False
        self.answers_pings = True
        self._followed: set[bytes] = set()
        self._seen = len(stage.effects)
        self._hellos = 0

    def connect(self) -> Line:
        """A new connection, and a hello over it."""
        self.session += 1
        self._followed.clear()
        return self.greet()

    def lose(self, *types: str) -> None:
        """Messages of these types are lost from now on, and no others."""
        self.loses = lambda message: message_type(message.body) in types

    def greet(self) -> Line:
        self._hellos += 1
        self.follower.connected(self._hellos.to_bytes(16, "big"), self.stage.now_ns)
        return self.pump()

    def pump(self) -> Line:
        """Carry messages both ways until nothing moves."""
        moved = True
        while moved:
            moved = False
            for message in self.follower.take_outgoing():
                moved = True
                self.carry(message)
            while self._seen < len(self.stage.effects):
                effect = self.stage.effects[self._seen]
                self._seen += 1
                moved = True
                self.perform(effect)
        return self

    def carry(self, message: Message) -> None:
        self.sent.append(decode_request(message.body))
        if self.loses(message):
            return
        sent = self.sent[-1]
        if isinstance(sent, Ping):
            if self.answers_pings:
                self.hear(Message(encode_message(Pong(sent.token, self.stage.now_ns))))
            return
        signer = self.staging.signer_of(message)
        self.stage.handle(self.staging.Request(self.session, signer, *message, self.key.identity.transport))

    def perform(self, effect: Any) -> None:
        if isinstance(effect, Send) and effect.session == self.session:
            self.hear(effect.message)
        elif isinstance(effect, Follow) and effect.session == self.session:
            self._followed.update(effect.auctions)
        elif isinstance(effect, Publish) and effect.auction in self._followed:
            self.hear(effect.message)
        elif isinstance(effect, Fetch) and effect.session == self.session:
            entries = tuple(self.stage.store.read(effect.log, effect.start, FETCH_ENTRIES))
            self.hear(Message(encode_message(Entries(effect.auction, effect.start, entries, effect.checkpoint))))

    def hear(self, message: Message) -> None:
        if not self.loses(message):
            self.notices += self.follower.receive(message, self.stage.now_ns)

    def run_for(self, duration_ns: int) -> Line:
        """What the shell does while time passes: carry messages, and call whoever has a timer due."""
        end_ns = self.stage.now_ns + duration_ns
        while self.stage.now_ns < end_ns:
            timer_ns = self.follower.get_timer()
            next_ns = min(end_ns, self.stage.now_ns + SECOND_NS // 4)
            if timer_ns is not None:
                next_ns = min(next_ns, max(timer_ns, self.stage.now_ns + 1))
            self.stage.until(next_ns)
            if self.follower.needs_hello(self.stage.now_ns):
                self.greet()
            if timer_ns is not None and timer_ns <= self.stage.now_ns:
                self.follower.handle_timer(self.stage.now_ns)
            self.pump()
        return self

    def told(self, kind: type) -> list[Any]:
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def said(self, kind: type) -> list[Any]:
        return [message for message in self.sent if isinstance(message, kind)]

    def agrees(self, auction: bytes) -> bool:
        """Whether the replica is the house's log, verified."""
        replica = self.follower.replicas[auction]
        same = replica.replay.tree.root() == self.stage.log(auction).tree.root()
        return same and replica.is_verified and not replica.is_behind


def finished_book(staging: ModuleType) -> Book:
    """Three bidders, a reserve, bids, a restart's gap, a departure, an extension, a sale."""
    stage = staging.Stage()
    changes = {"soft_close_window_ns": 5 * SECOND_NS, "max_extension_ns": 8 * SECOND_NS}
    auction = stage.announce(min_bidders=3, reserve_minor=1_500, duration_ns=30 * SECOND_NS, **changes)
    for session, name in enumerate(("ann", "ben", "cleo"), 1):
        stage.enter(session, name)
        stage.handle(stage.join(session, auction))
        stage.after(SECOND_NS)
    stage.handle(stage.bid(1, auction, 1_000))
    stage.after(SECOND_NS)
    stage.handle(stage.bid(3, auction, 1_200))
    stage.after(SECOND_NS)
    stage.restart(2 * SECOND_NS)
    stage.enter(1, "ann")
    stage.enter(2, "ben")
    stage.after(11 * SECOND_NS)
    log = stage.log(auction)
    head = {"head_size": log.tree.size, "head_root": log.tree.root()}
    stage.handle(stage.bid(2, auction, 1_400, **head))
    stage.until(log.auction.end_ns - SECOND_NS)
    stage.handle(stage.bid(1, auction, 1_700), stage.ask(2, Bye()))
    stage.until(log.auction.end_ns)
    return Book(stage.key, auction, tuple(stage.data(auction)), stage.announcement(auction))


@pytest.fixture(scope="session")
def book(staging: ModuleType) -> Book:
    """terms, joined × 3, opened, bid × 2, gap, left, bid × 2, closed: the last bid extended the auction, and won."""
    made = finished_book(staging)
    kinds = "terms joined joined joined opened bid bid gap left bid bid closed"
    assert made.kinds() == kinds.split()
    assert auction_id(made.entry(0).body) == made.auction
    return made


@pytest.fixture(scope="session")
def plays() -> ModuleType:
    """What is played for two programs: auctions that stand still, are called off, and are paid for or not."""
    path = Path(__file__).parents[1] / "independent" / "plays.py"
    spec = importlib.util.spec_from_file_location("auctionctl_tests_replica_plays", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def played(staging: ModuleType, plays: ModuleType) -> Callable[[str], Book]:
    """The log of one of the plays, by its name."""
    books: dict[str, Book] = {}

    def perform(name: str) -> Book:
        if name not in books:
            stage = staging.Stage()
            auction = plays.perform(stage, staging, (plays.PAUSES | plays.SALES)[name])
            books[name] = Book(stage.key, auction, tuple(stage.data(auction)), stage.announcement(auction))
        return books[name]

    return perform


@pytest.fixture(scope="session")
def signed() -> Any:
    return signed_entry


@pytest.fixture(scope="session")
def line_to(staging: ModuleType) -> Callable[..., Line]:
    """A follower's line to the house of a stage; not connected yet."""
    return lambda stage, name="olga", role="observer": Line(stage, staging, name, role)


@pytest.fixture
def line(stage: Any, line_to: Callable[..., Line]) -> Line:
    return line_to(stage)
