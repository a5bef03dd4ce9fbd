"""One house of several instances in a real cluster, and bidders who go to whichever of them takes what they have."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from house_clients import HonestBidder, message_auction
from house_process import HOUSE_KEY, PATIENCE_S, HouseInProcesses, is_running, until
from nats_cluster import Cluster

from auctionctl.house.recovery import rebuild
from auctionctl.house.registry import RegistryLog
from auctionctl.replica.audit import Audit, audit
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import REGISTRY
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Moved

HOP_S = 1.0
"""How long an instance has to answer before another one is asked the same."""
__all__ = ["Several", "Wanderer"]


class Several:
    """Instances by name, each with a directory of its own."""

    def __init__(self, stack: ExitStack, directory: Path, cluster: Cluster, lots: list[dict[str, Any]]) -> None:
        self._stack = stack
        self._directory = directory
        self._cluster = cluster
        self._lots = lots
        self.running: dict[str, HouseInProcesses] = {}

    def start(self, name: str, bidders: tuple[str, ...], port: int = 0) -> HouseInProcesses:
        directory = self._directory / name
        directory.mkdir(exist_ok=True)
        house = HouseInProcesses(
            directory, bidders, self._lots, store=self._cluster.url, instance=name, port=port, verifiers=1
        )
        self._stack.callback(house.close)
        self.running[name] = house
        return house

    def start_alone(self, bidders: tuple[str, ...]) -> HouseInProcesses:
        """The same house as one of one instance, in a directory of its own."""
        (self._directory / "alone").mkdir()
        house = HouseInProcesses(self._directory / "alone", bidders, store=self._cluster.url)
        self._stack.callback(house.close)
        return house

    def kill(self, name: str) -> None:
        """kill -9 all processes of an instance, the supervisor first."""
        house = self.running.pop(name)
        house.hear()
        house.process.kill()
        house.process.wait()
        for pid in house.all_pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(is_running(pid) for pid in house.all_pids), "the end of an instance")

    def store(self) -> ClusterStore:
        return ClusterStore(self._cluster.address, HOUSE_KEY.identity.signing.hex(), instance="observes")

    def audited(self) -> dict[bytes, Audit]:
        """Every auction's log as the cluster has it, through the offline audit."""
        store = self.store()
        registry = RegistryLog(HOUSE_KEY, store.read(REGISTRY))
        found: dict[bytes, Audit] = {}
        for name, _ in store.logs():
            if name == REGISTRY:
                continue
            log = rebuild(HOUSE_KEY, name, store.read(name))
            note = CheckpointSigner(origin_of(HOUSE_KEY.identity.text, name), HOUSE_KEY).sign(
                log.tree.size, log.tree.root()
            )
            data = encode_export(store.read(name), note, registry.announcement(log.id))
            found[log.id] = audit(data, HOUSE_KEY.identity)
        store.close()
        return found


class Wanderer:
    """An identity with a session at each instance, that brings the same bytes from one to the next."""

    def __init__(self, stack: ExitStack, name: str, house: Several) -> None:
        self._stack = stack
        self.name = name
        self._house = house
        self._sessions: dict[str, HonestBidder] = {}
        self.kept: dict[bytes, Any] = {}
        self._best: dict[bytes, str] = {}
        self._seq = 0

    def session(self, instance: str) -> HonestBidder:
        house = self._house.running[instance]
        found = self._sessions.get(instance)
        if found is None or found.address != house.address:
            found = self._sessions[instance] = HonestBidder(self.name, house.address)
            self._stack.callback(found.close)
            found.greet()
        return found

    def receipts(self) -> list[tuple[bytes, Any]]:
        """Of each acknowledged command the auction, and what was kept."""
        return [(message_auction(kept.entry), kept) for kept in self.kept.values()]

    def join(self, auction: bytes) -> float:
        """Join; how long it took until that was acknowledged, in s. So for a bid."""
        return self.bring(auction, lambda session: session.sign_join(auction))

    def bid(self, auction: bytes, amount_minor: int) -> float:
        def sign(session: HonestBidder) -> Message:
            self._seq += 1
            session._seq = self._seq - 1
            return session.sign_bid(auction, amount_minor)

        return self.bring(auction, sign)

    def bring(self, auction: bytes, sign: Callable[[HonestBidder], Message]) -> float:
        """Have what is signed once acknowledged by whichever instance holds ``auction``; how long that took, in s."""
        begun_s = time.monotonic()
        message: Message | None = None
        while time.monotonic() - begun_s < PATIENCE_S:
            names = sorted(self._house.running, key=lambda name: name != self._best.get(auction))
            for name in names:
                session = self.session(name)
                message = message or sign(session)
                if self._ask(session, message):
                    self._best[auction] = name
                    return time.monotonic() - begun_s
        raise TimeoutError(f"nobody has taken what {self.name} had for {auction.hex()[:8]}")

    def _living(self) -> list[HonestBidder]:
        return [self._sessions[name] for name in self._house.running if name in self._sessions]

    def _ask(self, session: HonestBidder, message: Message) -> bool:
        command = session.submit(message)
        seen = len(session.notices)
        deadline_s = time.monotonic() + HOP_S
        while command not in session.kept and time.monotonic() < deadline_s:
            # Each of them: one that is silent for long is taken for a client with bad manners.
            for each in self._living():
                each.turn(0.002)
            assert command not in session.codes, session.codes[command]
            if any(isinstance(each, Moved) and each.command == command for each in session.notices[seen:]):
                break
        session.core.unanswered.pop(command, None)
        if command in session.kept:
            self.kept[command] = session.kept[command]
        return command in session.kept
