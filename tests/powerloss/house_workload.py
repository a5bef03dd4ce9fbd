"""A seeded sale in a whole house on a recording disk: everything that the house said, and when it had said it.

What it said is receipts, each with index and time, and heads: after a power cut, recovery has to find all of them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from recording import Operation, RecordingDisk

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.auction_log import AuctionLog, log_name
from auctionctl.house.effects import Effect, Publish, Send
from auctionctl.house.house import House
from auctionctl.house.limits import Limits
from auctionctl.house.registry import RegistryLog
from auctionctl.net.stored_logs import StoredLogs
from auctionctl.replica.registry import REGISTRY
from auctionctl.store.archive import Archive
from auctionctl.store.log_store import Append, LogStore
from auctionctl.store.sqlite import SqliteStore
from auctionctl.tlog.checkpoint import parse
from auctionctl.wire.messages import Acknowledged, Entries, Receipts, decode_reply

STEPS = 40
WAL_CAP_BYTES = 64 * 1024
BIDDERS = ("ann", "ben", "cleo", "dora")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a bidder was told of its command."""

    done: int
    log: str
    command: bytes
    index: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class Head:
    """A head that the house signed, and sent to somebody."""

    done: int
    log: str
    size: int
    root: bytes


@dataclass(slots=True)
class HouseRecording:
    seed: int
    house: Any
    operations: list[Operation]
    receipts: list[Receipt] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)

    def hear(self, effects: list[Effect]) -> None:
        """Everything that was released, behind the operations so far."""
        for effect in effects:
            if isinstance(effect, Send | Publish):
                reply = decode_reply(effect.message.body)
                if isinstance(reply, Entries):
                    self._see(reply.checkpoint)
                elif isinstance(reply, Acknowledged):
                    for receipts in reply.logs:
                        self._keep(receipts)

    def _keep(self, receipts: Receipts) -> None:
        self._see(receipts.checkpoint)
        name, done = log_name(receipts.auction), len(self.operations)
        self.receipts += [
            Receipt(done, name, receipt.command, receipt.index, receipt.time_ns) for receipt in receipts.receipts
        ]

    def _see(self, note: bytes) -> None:
        checkpoint = parse(note[: note.index(b"\n\n") + 1].decode())
        log = checkpoint.origin.partition("/")[2]
        self.heads.append(Head(len(self.operations), log, checkpoint.size, checkpoint.root))


def record_house(staging: ModuleType, seed: int, directory: Path, steps: int = STEPS) -> HouseRecording:
    """Hold auctions in a house whose store lies in ``directory``, which is fresh."""
    disk = RecordingDisk(seed)
    try:
        return _Sale(staging, seed, directory, disk).run(steps)
    finally:
        disk.end()


class _Sale:
    def __init__(self, staging: ModuleType, seed: int, directory: Path, disk: RecordingDisk) -> None:
        self._random = random.Random(seed)
        self._directory = directory
        self._disk = disk
        self._stage = stage = staging.Stage(limits=Limits(100, 1_000))
        registry = stage.registry_data()
        self._open()
        if registry:
            stage.store.append([Append(REGISTRY, 0, tuple(registry))], stage.now_ns)
        self._recording = HouseRecording(seed, stage.key, disk.recorded)
        self._auctions: list[bytes] = []
        self._price_minor = 1_000
        self._last: list[Any] = []

    def _open(self) -> None:
        self._stage.store = SqliteStore(
            self._directory, vfs=self._disk.vfs_name, wal_cap_bytes=WAL_CAP_BYTES, ballast_target_bytes=0
        )

    def run(self, steps: int) -> HouseRecording:
        self._greet()
        self._announce()
        actions = (self._bid, self._announce, self._pass_time, self._say_again, self._restart)
        for _ in range(steps):
            (action,) = self._random.choices(actions, (60, 8, 20, 10, 2))
            action()
        self._stage.store.close()
        return self._recording

    def _hear(self, effects: list[Effect]) -> None:
        self._recording.hear(effects)

    def _greet(self) -> None:
        for session, name in enumerate(BIDDERS, 1):
            self._stage.enter(session, name)

    def _announce(self) -> None:
        auction = self._stage.announce(duration_ns=self._random.randint(3, 12) * SECOND_NS)
        self._auctions.append(auction)
        self._hear(self._stage.handle(*(self._stage.join(session, auction) for session in (1, 2, 3))))

    def _bid(self) -> None:
        requests = []
        for _ in range(self._random.choice((1, 2, 6))):
            self._price_minor += 1_000
            session, auction = self._random.randint(1, 3), self._random.choice(self._auctions)
            requests.append(self._stage.bid(session, auction, self._price_minor))
        self._last = requests
        self._hear(self._stage.handle(*requests))

    def _say_again(self) -> None:
        self._hear(self._stage.handle(*self._last))

    def _pass_time(self) -> None:
        before = len(self._stage.effects)
        self._stage.after(self._random.randint(1, 4) * SECOND_NS // 2)
        self._stage.store.alive(self._stage.now_ns)
        self._hear(self._stage.effects[before:])

    def _restart(self) -> None:
        self._stage.store.close()
        self._open()
        self._stage.restart(SECOND_NS)
        self._greet()


@dataclass(frozen=True, slots=True)
class Recovered:
    """A house after recovery, and which of its logs did not hold."""

    registry: RegistryLog
    logs: dict[str, AuctionLog]
    quarantined: list[tuple[str, str]]

    def head(self, log: str, size: int) -> bytes | None:
        """The root at this size, or None if the log is shorter."""
        tree = self.registry.tree if log == REGISTRY else self.logs[log].tree if log in self.logs else None
        return None if tree is None or tree.size < size else tree.root(size)


def recover(key: Any, store: LogStore, directory: Path) -> Recovered:
    """What a house does when it starts: its registry, and every auction through the rules."""
    stored = StoredLogs(key, store, Archive(directory / "archive"))
    registry = stored.registry()
    logs, quarantined = stored.auctions(registry)
    return Recovered(registry, {log.name: log for log in logs}, quarantined)


def go_on(recovered: Recovered, key: Any, store: LogStore, staging: ModuleType) -> None:
    """Take the recovered logs on, as a house that starts does, with what that appends."""
    last_ns = store.last_alive_ns() or staging.START_NS
    house = House(key, Limits(100, 1_000), staging.EVERYBODY, last_ns)
    now_ns = last_ns + SECOND_NS
    for effect in house.adopt(recovered.registry, recovered.logs.values(), store.last_alive_ns(), now_ns):
        store.append([Append(*append) for append in effect.appends], now_ns)
        house.committed()
