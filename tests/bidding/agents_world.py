"""A world in memory: a real house, real agents, wires with latency and loss between them, and one virtual clock.

The world does what gateway, verifiers, store and dealer do: it carries messages, says whose signature a request bears,
keeps what is to be durable, answers pings, and calls whoever has a timer due. All times are nanoseconds.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from auctionctl.auction.bid import decode_bid, decode_join
from auctionctl.auction.commands import KINDS, decode_command
from auctionctl.auction.price import Money
from auctionctl.auction.terms import SECOND_NS, auction_id, decode_terms
from auctionctl.bidding import strategies
from auctionctl.bidding.agent import Agent
from auctionctl.bidding.notices import AgentNotice
from auctionctl.bidding.wallet import Wallet
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.effects import Commit, Effect, Fetch, Follow, Publish, Send
from auctionctl.house.house import House
from auctionctl.house.intake import Request
from auctionctl.house.limits import Limits
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.frames import Message, is_signed_by, message_type
from auctionctl.wire.listing import Entropy, LotDescription, sign_terms
from auctionctl.wire.messages import Entries, Ping, Pong, decode_request, encode

START_NS = 1_767_225_600 * SECOND_NS
LATENCY_NS = 2_000_000
TICK_NS = SECOND_NS * 2 // 5
NAMES = ("ann", "ben", "cleo", "dora")

Tamper = Callable[[Message], Message]

FAST = Limits(bids_per_s=10**9, bids_burst=10**9, all_bids_per_s=10**9)
"""Whoever tries the rates says so; here many bids come at one instant."""


def key_of(name: str) -> SecretKey:
    """The key of ``name``, always the same."""
    return SecretKey(name.encode().ljust(32, b"."))


def nonces(name: str) -> Iterator[bytes]:
    """16 bytes each, never the same twice."""
    for count in itertools.count():
        yield name.encode().ljust(8, b".")[:8] + count.to_bytes(8, "big")


@dataclass
class Line:
    """One agent's connection and what went over it. ``loses`` and ``tamper`` are the faults of the wire."""

    name: str
    agent: Agent
    session: int = 0
    notices: list[AgentNotice] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    loses: Callable[[Message], bool] = lambda message: False
    tamper: Tamper = lambda message: message

    def lose_every(self, count: int) -> None:
        """Every ``count``-th message is lost from now on, whichever way it goes."""
        numbers = itertools.count(1)
        self.loses = lambda message: next(numbers) % count == 0

    def told(self, kind: type) -> list[Any]:
        """The notices of this kind, in order."""
        return [notice for notice in self.notices if isinstance(notice, kind)]


class World:
    """Everything there is. ``ahead_ns`` is how far the house's clock is ahead of everybody's."""

    def __init__(self, ahead_ns: int = 0) -> None:
        self.key = key_of("house")
        self.now_ns = START_NS
        self.ahead_ns = ahead_ns
        entries = [Entry(key_of(name).identity, name, "bidder+seller") for name in NAMES]
        entries.append(Entry(key_of("seller").identity, "seller", "seller"))
        entries.append(Entry(key_of("olga").identity, "olga", "operator"))
        self.house = House(self.key, FAST, AllowList(enumerate(entries, 1)), self.house_ns)
        self.store: dict[str, list[bytes]] = {}
        self.lines: dict[str, Line] = {}
        self._by_session: dict[int, Line] = {}
        self._followers: dict[bytes, set[int]] = {}
        self._sessions = itertools.count(1)
        self._nonces = nonces("hello")
        self._order = itertools.count()
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._entropy = itertools.count(1)
        self._tick_ns = START_NS
        self._idle_steps = 0

    @property
    def house_ns(self) -> int:
        return self.now_ns + self.ahead_ns

    # Setting the scene

    def announce(self, listing: str = "lot-1", seller: str = "seller", **changes: Any) -> bytes:
        """An auction with these terms; returns its id."""
        fields: dict[str, Any] = {
            "listing": listing,
            "title": "A lot",
            "currency": "EUR",
            "starting_price_minor": 1_000,
            "estimate_minor": 5_000,
            "duration_ns": 20 * SECOND_NS,
            "bid_timeout_ns": 10 * SECOND_NS,
            "min_bidders": 2,
        } | changes
        count = next(self._entropy)
        entropy = Entropy(count.to_bytes(16, "big"), count.to_bytes(32, "big"), count.to_bytes(32, "big"))
        terms = sign_terms(
            LotDescription(**fields), self.house.identity.signing, self.key.escrow_public, key_of(seller), entropy
        )
        self.do(self.house.announce(terms.body, terms.signature, self.house_ns))
        return auction_id(terms.body)

    def add(
        self,
        name: str,
        strategy: str = "market-value",
        *,
        budget: str = "1000EUR",
        auctions: Iterable[bytes] | None = None,
        earlier: Iterable[Message] = (),
        seed: int = 1,
        make: Any = None,
        **params: str,
    ) -> Line:
        """An agent, connected."""
        minor, currency = int(budget[:-3]) * 100, budget[-3:]
        agent = Agent(
            key_of(name),
            self.house.identity,
            strategy=make or strategies.factory(strategy, params),
            wallet=Wallet(Money(minor, currency)),
            rng=random.Random(seed),
            nonces=nonces(f"{name}{next(self._sessions)}"),
            auctions=None if auctions is None else frozenset(auctions),
            earlier=earlier,
        )
        return self.add_agent(name, agent)

    def add_agent(self, name: str, agent: Agent) -> Line:
        """An agent that was made elsewhere, connected."""
        line = self.lines[name] = Line(name, agent)
        self.connect(line)
        return line

    def connect(self, line: Line) -> None:
        line.session = next(self._sessions)
        self._by_session[line.session] = line
        self._greet(line)

    def _greet(self, line: Line) -> None:
        line.agent.connected(next(self._nonces), self.now_ns)
        self._drain(line)

    def disconnect(self, line: Line) -> None:
        """The connection breaks: what is under way in it is lost."""
        del self._by_session[line.session]
        for followers in self._followers.values():
            followers.discard(line.session)
        self.house.session_ended(line.session, self.house_ns)
        line.agent.disconnected()

    def log(self, auction: bytes) -> AuctionLog:
        return self.house.log(auction)

    # Running

    def run(self, until: Callable[[], bool], *, within_s: int = 120) -> None:
        """Let time pass until ``until()``; a world in which that does not happen fails the test."""
        deadline_ns = self.now_ns + within_s * SECOND_NS
        while not until():
            assert self.now_ns < deadline_ns, "nothing came of it"
            before_ns = self.now_ns
            self._step()
            self._idle_steps = 0 if self.now_ns > before_ns else self._idle_steps + 1
            assert self._idle_steps < 1_000, "somebody has a timer that is always due"

    def run_for(self, duration_ns: int) -> None:
        end_ns = self.now_ns + duration_ns
        self.at(end_ns, lambda: None)
        self.run(lambda: self.now_ns >= end_ns)

    def at(self, at_ns: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at_ns, next(self._order), action))

    def finish(self) -> None:
        """Until every agent is done."""
        self.run(lambda: all(line.agent.is_done for line in self.lines.values()))

    def _step(self) -> None:
        times = [self._tick_ns]
        if self._events:
            times.append(self._events[0][0])
        for line in self._by_session.values():
            timer_ns = line.agent.get_timer()
            if timer_ns is not None:
                times.append(timer_ns)
        house_timer_ns = self.house.get_timer()
        if house_timer_ns is not None:
            times.append(house_timer_ns - self.ahead_ns)
        self.now_ns = max(self.now_ns, min(times))
        if self.now_ns >= self._tick_ns or (house_timer_ns is not None and house_timer_ns <= self.house_ns):
            self._tick_ns = self.now_ns + TICK_NS
            self.do(self.house.handle_timer(self.house_ns))
        while self._events and self._events[0][0] <= self.now_ns:
            heapq.heappop(self._events)[2]()
        for line in list(self._by_session.values()):
            timer_ns = line.agent.get_timer()
            if timer_ns is not None and timer_ns <= self.now_ns:
                if line.agent.needs_hello(self.now_ns):
                    self._greet(line)
                line.agent.handle_timer(self.now_ns)
                line.notices += line.agent.take_notices()
                self._drain(line)

    # The wires

    def _drain(self, line: Line) -> None:
        session = line.session
        for message in line.agent.take_outgoing():
            line.sent.append(message)
            if not line.loses(message):
                self.at(self.now_ns + LATENCY_NS, lambda message=message: self._arrive(session, message))

    def _arrive(self, session: int, message: Message) -> None:
        line = self._by_session.get(session)
        if line is None:
            return
        if message_type(message.body) == "ping":
            ping = decode_request(message.body)
            assert isinstance(ping, Ping)
            self.send(session, Message(encode(Pong(ping.token, self.house_ns))))
            return
        signer = signer_of_message(message, key_of(line.name).identity.signing)
        transport = key_of(line.name).identity.transport
        self.do(self.house.handle([Request(session, signer, *message, transport)], self.house_ns))

    def send(self, session: int, message: Message) -> None:
        """What the gateway does with a message for ``session``."""
        line = self._by_session.get(session)
        if line is not None and not line.loses(message):
            self.at(self.now_ns + LATENCY_NS, lambda: self._hear(session, message))

    def _hear(self, session: int, message: Message) -> None:
        line = self._by_session.get(session)
        if line is not None:
            line.notices += line.agent.receive(line.tamper(message), self.now_ns)
            self._drain(line)

    # The house's shell

    def do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Commit(appends):
                    for append in appends:
                        entries = self.store.setdefault(append.log, [])
                        assert len(entries) == append.expected_size
                        entries += append.entries
                    self.do(self.house.committed())
                case Send(session, message):
                    self.send(session, message)
                case Publish(auction, message):
                    for session in sorted(self._followers.get(auction, ())):
                        self.send(session, message)
                case Follow(session, auctions):
                    for auction in auctions:
                        self._followers.setdefault(auction, set()).add(session)
                case Fetch(session, log, auction, start, checkpoint):
                    entries = tuple(self.store[log][start:])
                    self.send(session, Message(encode(Entries(auction, start, entries, checkpoint))))
                case _:
                    pass


def signer_of_message(message: Message, sender: bytes) -> bytes:
    """What a verifier says: whose signature this is, if it is good."""
    kind = message_type(message.body)
    if kind == "hello":
        signer = decode_request(message.body).identity
    elif kind == "bid":
        signer = decode_bid(message.body).bidder
    elif kind == "join":
        signer = decode_join(message.body).bidder
    elif kind == "terms":
        signer = decode_terms(message.body).seller
    elif kind in KINDS:
        signer = decode_command(message.body).actor
    elif kind in ("revoke", "rotate", "finish"):
        signer = sender
    else:
        return b""
    assert is_signed_by(signer, message.body, message.signature)
    return signer
