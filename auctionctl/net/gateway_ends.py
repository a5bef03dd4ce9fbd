"""The house's ends of the pipes to its gateways: which of them serve, and what a turn of the house has for each.

Rule: sessions and chunks say by their numbers whose they are, for each gateway counts its own from ``first_session``
on, and no other gateway ever has one of its SESSIONS_A_GATEWAY numbers: what comes of a gateway that is gone is
nobody's, and no gateway can speak for the sessions of another. Everything that a turn has for a gateway goes out in one
frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from auctionctl.net.child_words import GatewayPipe, encode
from auctionctl.net.chunks import SESSIONS_A_GATEWAY
from auctionctl.net.hops import Admit, Following, LastWord, Mute, Operation, Release, ToFollowers, ToSession
from auctionctl.net.pipes import Pipe, PipeClosedError

BACKLOG_BYTES: Final = 1 << 26
"""A gateway that lets more wait does not keep up, and is treated as lost."""


class GatewayEnd(msgspec.Struct, eq=False):
    """One gateway, from when it was joined to the house until its pipe ends. ``name`` is its place among the others."""

    name: str
    pipe: Pipe
    first_session: int
    is_serving: bool = False
    """Whether it has said that it listens."""
    is_ending: bool = False
    """Whether it waits for the last word."""
    answered: list[int] = msgspec.field(default_factory=list)
    operations: list[Operation] = msgspec.field(default_factory=list)
    follows: set[bytes] = msgspec.field(default_factory=set)
    """The logs that any of its sessions has followed."""

    @property
    def sessions(self) -> range:
        """The numbers of its sessions, and of its chunks."""
        return range(self.first_session, self.first_session + SESSIONS_A_GATEWAY)

    def has(self, session: int) -> bool:
        """Whether this number is one of its own."""
        return self.first_session <= session < self.first_session + SESSIONS_A_GATEWAY

    def flush(self, durable_ns: int) -> None:
        """Send what it is told in this turn."""
        if not self.answered and not self.operations:
            return
        try:
            self.pipe.send(encode(Release(self.answered, self.operations, durable_ns)))
        except PipeClosedError:
            return  # The selector finds its end of stream, and its successor gets the word.
        finally:
            self.answered, self.operations = [], []
        if self.pipe.backlog_bytes > BACKLOG_BYTES:
            self.pipe.abandon()


class GatewayEnds:
    """All gateways that the house is joined to."""

    def __init__(self) -> None:
        self._ends: dict[int, GatewayEnd] = {}
        """By the number of all those before it: its sessions' numbers begin with that."""

    def __iter__(self) -> Iterator[GatewayEnd]:
        return iter(self._ends.values())

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def is_any_serving(self) -> bool:
        """Whether anybody can reach the house."""
        return any(end.is_serving for end in self._ends.values())

    def named(self, name: str) -> GatewayEnd | None:
        """The gateway in this place, if there is one."""
        return next((end for end in self._ends.values() if end.name == name), None)

    def add(self, pipe: Pipe, message: GatewayPipe) -> GatewayEnd:
        """Another one is joined; whoever was in its place before has been removed."""
        end = GatewayEnd(message.name, pipe, message.first_session)
        self._ends[message.first_session // SESSIONS_A_GATEWAY] = end
        return end

    def remove(self, end: GatewayEnd) -> None:
        """It is gone, with all that it was still to be told."""
        del self._ends[end.first_session // SESSIONS_A_GATEWAY]

    def of(self, number: int) -> GatewayEnd | None:
        """Whose session, or chunk, this is; None: of one that is gone."""
        return self._ends.get(number // SESSIONS_A_GATEWAY)

    def backlog_bytes(self, session: int) -> int:
        """How much waits to be sent to the gateway of ``session``; of one that is gone, nothing."""
        end = self.of(session)
        return 0 if end is None else end.pipe.backlog_bytes

    def send(self, session: int, message: tuple[bytes, bytes]) -> None:
        """Have body and signature sent to one session in this turn; to one of a gateway that is gone, nothing is."""
        end = self._ends.get(session // SESSIONS_A_GATEWAY)
        if end is not None:
            end.operations.append(ToSession(session, *message))

    def post(self, operation: Operation) -> None:
        """Have ``operation`` done in this turn, by whomever it concerns."""
        if isinstance(operation, ToFollowers):
            for end in self._ends.values():
                if operation.auction in end.follows:
                    end.operations.append(operation)
        elif isinstance(operation, Admit | Mute | LastWord):
            for end in self._ends.values():
                end.operations.append(operation)
        elif (of_session := self.of(operation.session)) is not None:
            of_session.operations.append(operation)
            if isinstance(operation, Following):
                of_session.follows.update(operation.auctions)

    def flush(self, durable_ns: int) -> None:
        """Send to each what it is told in this turn; ``durable_ns`` is Release's."""
        for end in self._ends.values():
            end.flush(durable_ns)
