"""The world of agents, of which the house is reached in several places, as one of several instances is.

Each place takes what is about the logs that it holds, says of others where they are, and may fall silent.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agents_world import LATENCY_NS, World, key_of, nonces, signer_of_message

from auctionctl.auction.command_id import command_id
from auctionctl.auction.price import Money
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding import strategies
from auctionctl.bidding.agent import Agent
from auctionctl.bidding.notices import AgentNotice
from auctionctl.bidding.wallet import Wallet
from auctionctl.house.intake import Request
from auctionctl.replica.branches import Branches
from auctionctl.replica.destinations import log_of
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Moved, Ping, Pong, Subscribe, decode_request, encode


@dataclass
class Visitor:
    """An agent at a house of several places, and what went over each of its sessions."""

    name: str
    agent: Agent
    branches: Branches
    sessions: dict[str, int] = field(default_factory=dict)
    sent: list[tuple[str, Message]] = field(default_factory=list)
    heard: list[Message] = field(default_factory=list)
    notices: list[AgentNotice] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def told(self, kind: type) -> list[Any]:
        """The notices of this kind, in order."""
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def sent_to(self, place: str, kind: str) -> list[Message]:
        """What went to ``place``, of this type."""
        return [message for where, message in self.sent if where == place and message_type(message.body) == kind]


class SpreadWorld(World):
    """The same house, reached in several places: each takes what is about the logs that it holds, and no other.

    ``holders`` is log → the place that takes it, or empty where nobody does; logs that are not in it are the first
    place's. At the places of ``down`` nobody listens; ``deaf`` ones answer pings alone, ``frozen`` ones nothing.
    """

    def __init__(self, *places: str) -> None:
        super().__init__()
        self.places = places
        self.holders: dict[bytes, str] = {}
        self.down: set[str] = set()
        self.deaf: set[str] = set()
        self.frozen: set[str] = set()
        self.retry_ns = SECOND_NS // 2
        self.visitors: list[Visitor] = []
        self._at: dict[int, tuple[Visitor, str]] = {}

    def visit(self, name: str, strategy: str = "market-value", *, places: Iterable[str] = (), **agent: Any) -> Visitor:
        """An agent with an address of these places, or all."""
        auctions = agent.pop("auctions", None)
        core = Agent(
            key_of(name),
            self.house.identity,
            strategy=agent.pop("make", None) or strategies.factory(strategy, {}),
            wallet=Wallet(Money(100_000, "EUR")),
            rng=random.Random(1),
            nonces=nonces(f"{name}{next(self._sessions)}"),
            auctions=auctions,
        )
        branches = Branches(core, list(places) or list(self.places), self.now_ns)
        visitor = Visitor(name, core, branches)
        self.visitors.append(visitor)
        self._exchange(visitor)
        return visitor

    def give(self, log: bytes, place: str) -> None:
        """``place`` takes what is about ``log`` from now on; whoever follows it is told."""
        self.holders[log] = place
        for session in sorted(self._followers.pop(log, ())):
            self._say_moved(session, log, b"")

    def strike(self, place: str, how: str) -> None:
        """Have ``place`` be killed, frozen or deaf."""
        match how:
            case "killed":
                self.kill(place)
            case "frozen":
                self.frozen.add(place)
            case _:
                self.deaf.add(place)

    def kill(self, place: str) -> None:
        """Whoever has a session at ``place`` has it no more, and nobody listens there."""
        self.down.add(place)
        for session in [session for session, (_, where) in self._at.items() if where == place]:
            self.hang_up(session)

    def hang_up(self, session: int) -> None:
        """One connection breaks."""
        visitor, place = self._at.pop(session)
        del visitor.sessions[place]
        for followers in self._followers.values():
            followers.discard(session)
        self.house.session_ended(session, self.house_ns)
        if place in visitor.branches.open_places():
            visitor.branches.disconnected(place, self.now_ns)
            self._exchange(visitor)

    def _exchange(self, visitor: Visitor) -> None:
        """The shell's part: open and close connections, and carry what is to leave."""
        outgoing = visitor.branches.take_outgoing(self.now_ns)
        visitor.notes += visitor.branches.take_notes()
        needed = visitor.branches.open_places()
        for place in [place for place in visitor.sessions if place not in needed]:
            self.hang_up(visitor.sessions[place])
        for place, message in outgoing:
            if (session := visitor.sessions.get(place)) is not None:
                visitor.sent.append((place, message))
                self.at(self.now_ns + LATENCY_NS, lambda s=session, m=message: self._arrive_at(s, m))  # type: ignore[misc]
        for place in needed:
            if place not in visitor.sessions and place not in self.down:
                session = visitor.sessions[place] = next(self._sessions)
                self._at[session] = visitor, place
                visitor.branches.connected(place, next(self._nonces), self.now_ns)
                self._exchange(visitor)
            elif place in self.down:
                visitor.branches.unreached(place)

    def _arrive_at(self, session: int, message: Message) -> None:
        if session not in self._at:
            return
        visitor, place = self._at[session]
        if place in self.frozen:
            return
        kind = message_type(message.body)
        if kind == "ping":
            ping = decode_request(message.body)
            assert isinstance(ping, Ping)
            pong = Message(encode(Pong(ping.token, self.house_ns)))
            self.at(self.now_ns + LATENCY_NS, lambda: self._hear(session, pong))
            return
        if place in self.deaf:
            return
        if kind == "subscribe":
            subscribe = decode_request(message.body)
            assert isinstance(subscribe, Subscribe)
            for log in subscribe.auctions:
                if self._holder(log) != place:
                    self._say_moved(session, log, b"")
            message = Message(encode(Subscribe(tuple(log for log in subscribe.auctions if self._holder(log) == place))))
        elif kind not in ("hello", "list", "read", "bye"):
            log = log_of(message)
            assert log is not None
            if self._holder(log) != place:
                self._say_moved(session, log, command_id(message.body))
                return
        key = key_of(visitor.name).identity
        request = Request(session, signer_of_message(message, key.signing), *message, key.transport)
        self.do(self.house.handle([request], self.house_ns))

    def _holder(self, log: bytes) -> str:
        return self.holders.get(log, self.places[0])

    def _say_moved(self, session: int, log: bytes, command: bytes) -> None:
        self.send(session, Message(encode(Moved(log, self._holder(log), command, self.retry_ns))))

    def send(self, session: int, message: Message) -> None:
        if session in self._at and self._at[session][1] not in self.down | self.deaf | self.frozen:
            self.at(self.now_ns + LATENCY_NS, lambda: self._hear(session, message))

    def _hear(self, session: int, message: Message) -> None:
        if session in self._at:
            visitor, place = self._at[session]
            visitor.heard.append(message)
            visitor.notices += visitor.branches.receive(place, message, self.now_ns)
            self._exchange(visitor)

    def _step(self) -> None:
        times = [each for visitor in self.visitors if (each := visitor.branches.get_timer()) is not None]
        self.at(max(self.now_ns, min([*times, self._tick_ns])), lambda: None)
        super()._step()
        for visitor in self.visitors:
            timer_ns = visitor.branches.get_timer()
            if timer_ns is not None and timer_ns <= self.now_ns:
                for place in visitor.branches.open_places():
                    if place in visitor.sessions and visitor.branches.needs_hello(place, self.now_ns):
                        visitor.branches.connected(place, next(self._nonces), self.now_ns)
                visitor.branches.handle_timer(self.now_ns)
                visitor.notices += visitor.agent.take_notices()
            self._exchange(visitor)
