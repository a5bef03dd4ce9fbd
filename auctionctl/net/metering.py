"""The meter of a house's process: what its own loop, its verifiers and its gateway have counted, put together.

Rule: to count is cheap and always done; to put it together is done when somebody asks, or once a second where somebody
reads all the time. All times are of the machine's monotonic clock, which the processes of a house share.
"""

from __future__ import annotations

import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Final

import msgspec

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.house import House
from auctionctl.house.intake import Request
from auctionctl.house.metrics import Recent, Stage
from auctionctl.keys.allowlist import Role
from auctionctl.net.child_words import GATEWAY
from auctionctl.net.chunks import Checked
from auctionctl.net.hops import Counted, SessionCounted
from auctionctl.net.house_words import Measured
from auctionctl.net.news import tell
from auctionctl.net.process_state import ProcessState, own_state
from auctionctl.wire.measures import (
    MAX_BUSIEST,
    MAX_ROWS,
    Busy,
    Labelled,
    Measures,
    PeerMeasure,
    ProcessMeasure,
    StageMeasure,
)
from auctionctl.wire.messages import Refused, encode
from auctionctl.wire.session import Peer

TELL_NS: Final = SECOND_NS


class Meter:
    """Of the process of ``house``."""

    def __init__(self, house: House, queue: Sized, store_bytes: Callable[[], int]) -> None:
        """``queue`` holds the requests that wait; ``store_bytes`` says how large the store is."""
        self._house = house
        self._queue = queue
        self._store_bytes = store_bytes
        self._told_ns = 0
        self._tally = house.tally
        self._recent = house.tally.recent
        self._arrived: deque[tuple[int, int]] = deque()
        """(when a verifier had checked them, how many) of the requests that wait, in the order of their coming; 0 where
        nobody knows any more when that was."""
        self._taken = 0
        self._gateways: dict[str, Counted] = {}
        self._verifiers: dict[int, ProcessState] = {}
        self._begun_ns = 0
        self._decided_ns: int | None = None
        """When the batch under way was judged; None while there is none of which the commit is to come."""
        self.commit_ns = 0
        """How long the last batch took that had to be made durable, from when it was judged until it was."""
        self.durable_ns = 0
        """When the batch was made durable, by the machine's monotonic clock; 0 if nothing had to be."""
        self._checked = self._forged = 0
        self._refused_before: Counter[str] = Counter()
        """What gateways that are no more did not pass on, by code."""

    # Counting

    def arrived(self, checked: Checked[Request], slot: int) -> None:
        """A chunk, or the answer to a beat, has come from verifier ``slot``."""
        if checked.state is not None:
            self._verifiers[slot] = checked.state
        self._forged += len(checked.forged)
        if checked.requests:
            count = len(checked.requests)
            self._checked += count
            self._recent.note(Stage.CHECK, checked.checked_ns - checked.received_ns, count)

    def waits(self, checked_ns: int, count: int) -> None:
        """So many requests, checked at that time, are in the queue from now on."""
        if count:
            self._arrived.append((checked_ns, count))

    def gateway_counted(self, counted: Counted, name: str = GATEWAY) -> None:
        """What the gateway ``name`` has counted since it last said so, and how it is."""
        self._recent.add(Stage.TOTAL, counted.totals, counted.total_ns)
        self._recent.add(Stage.ANSWER, counted.answers, counted.answers_ns)
        self._gateways[name] = counted

    def gateway_lost(self, name: str = GATEWAY) -> None:
        """Its numbers are no more, and what waited of it is dropped: how long others' have waited is not counted."""
        lost = self._gateways.pop(name, None)
        if lost is not None:
            self._refused_before.update(dict(lost.refused))
        self._arrived = deque([(0, len(self._queue))] if self._queue else [])

    def ended(self, logs: Iterable[AuctionLog]) -> None:
        """The bidding in these auctions has ended, durably."""
        for log in logs:
            reason = log.auction.end_reason
            assert reason is not None
            self._tally.ended[reason.value] += 1

    def begin(self, count: int) -> None:
        """The house takes up a batch of ``count`` requests."""
        now_ns = self._begun_ns = time.monotonic_ns()
        self._recent.turn(now_ns)
        self._taken, self._decided_ns, self.durable_ns = count, None, 0
        if count:
            self._tally.batches += 1
            self._tally.requests += count
        while count and self._arrived:
            checked_ns, waiting = self._arrived.popleft()
            if waiting > count:
                self._arrived.appendleft((checked_ns, waiting - count))
            taken = min(waiting, count)
            if checked_ns:
                self._recent.note(Stage.WAIT, now_ns - checked_ns, taken)
            count -= taken

    def decided(self) -> None:
        """The batch has been judged."""
        now_ns = self._decided_ns = time.monotonic_ns()
        if self._taken:
            self._recent.note(Stage.DECIDE, now_ns - self._begun_ns, self._taken)

    def committed(self, *, is_of_time_alone: bool = False) -> None:
        """The batch under way is durable; or if there is none, what the house had to say besides.

        One that ``is_of_time_alone`` says nothing of how long others take.
        """
        self._tally.commits += 1
        if self._decided_ns is None:
            return
        self.durable_ns = time.monotonic_ns()
        took_ns = self.durable_ns - self._decided_ns
        if not is_of_time_alone:
            self.commit_ns = took_ns
        if self._taken:
            self._recent.note(Stage.COMMIT, took_ns, self._taken)
        self._decided_ns = None

    def performed(self) -> None:
        """Everything has been done that came of the batch: no commit is its own any more."""
        self._decided_ns = None

    # Telling

    def answer(self, session: int, now_ns: int) -> bytes:
        """To a session that has asked; names and addresses are for operators, and for the house itself, alone."""
        peer = self._house.presence.peers.get(session)
        if peer is None or not (peer.role == Role.OPERATOR or peer.identity == self._house.identity):
            return encode(Refused("not_authorised", "measure needs the role operator, or the house's own key"))
        return encode(self.measures(now_ns))

    def tell(self, control: socket.socket, now_ns: int) -> None:
        """To the supervisor, once a second: all but peers and auctions. PipeClosedError if nobody is there any more."""
        if now_ns - self._told_ns >= TELL_NS:
            self._told_ns = now_ns
            tell(control, Measured(msgspec.structs.replace(self.measures(now_ns), peers=(), busiest=())))

    def measures(self, now_ns: int) -> Measures:
        """Everything, at ``now_ns`` by the house's clock."""
        monotonic_ns = time.monotonic_ns()
        self._recent.turn(monotonic_ns)
        counts = self._house.presence.peers
        amounts = (
            ("queue", len(self._queue)),
            ("queue_limit", self._house.limits.queue),
            ("requests", self._tally.requests),
            ("batches", self._tally.batches),
            ("commits", self._tally.commits),
            ("acknowledged", self._tally.acknowledged),
            ("checked", self._checked),
            ("forged", self._forged),
            ("sessions", len(counts)),
            ("connections", sum(gateway.connections for gateway in self._gateways.values())),
            ("under_way", sum(gateway.under_way for gateway in self._gateways.values())),
            ("store_bytes", self._store_bytes()),
            ("auctions_open", self._house.held_live_count),
            ("auctions_unfinished", self._house.unfinished_count),
        )
        return Measures(
            now_ns,
            self._house.started_ns,
            self._recent.span_ns(monotonic_ns),
            tuple(_stages(self._recent)),
            amounts,
            tuple(self._labelled()),
            tuple(self._processes()),
            tuple(self._peers()),
            tuple(Busy(*each) for each in self._recent.busiest(MAX_BUSIEST)),
        )

    def _labelled(self) -> Iterator[Labelled]:
        phases = Counter(log.auction.phase.value for log in self._house.logs)
        at_the_gateways: Counter[str] = Counter()
        for gateway in self._gateways.values():
            at_the_gateways.update(dict(gateway.refused))
        points = self._house.registry.state.reputations.points
        families = (
            ("auctions", phases),
            ("ended", self._tally.ended),
            ("rejected", self._tally.rejected),
            ("refused", self._tally.refused + self._refused_before + at_the_gateways),
            ("reputation", Counter(good=points.good, bad=points.bad)),
        )
        for family, counted in families:
            for label, count in sorted(counted.items()):
                yield Labelled(family, label, count)

    def _processes(self) -> Iterator[ProcessMeasure]:
        states = {"house": own_state()}
        states |= {name: gateway.state for name, gateway in sorted(self._gateways.items())}
        states |= {f"verifier {slot}": state for slot, state in sorted(self._verifiers.items())}
        for name, state in states.items():
            yield ProcessMeasure(name, state.pid, state.cpu_ns, state.rss_bytes, state.descriptors)

    def _peers(self) -> list[PeerMeasure]:
        known = self._house.presence.peers
        told = (each for gateway in self._gateways.values() for each in gateway.sessions)
        rows = [_peer(peer, each) for each in told if (peer := known.get(each.session)) is not None]
        rows.sort(key=lambda row: (-row.waiting, -row.lost, -row.messages, row.name))
        return rows[:MAX_ROWS]


def _peer(peer: Peer, counted: SessionCounted) -> PeerMeasure:
    times_ns = (counted.since_ns, counted.heard_ns, counted.round_trip_ns)
    return PeerMeasure(peer.name, peer.role, counted.host, *times_ns, counted.messages, counted.lost, counted.waiting)


def _stages(recent: Recent) -> Iterator[StageMeasure]:
    for stage in Stage:
        lately, ever = recent.lately(stage), recent.ever(stage)
        percentiles = (lately.percentile_ns(500), lately.percentile_ns(990), lately.longest_ns)
        yield StageMeasure(stage.value, lately.count, *percentiles, ever.count, ever.sum_ns)
