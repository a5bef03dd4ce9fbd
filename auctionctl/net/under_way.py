"""The requests that a gateway has taken and that have not been answered: gathered in chunks, sent, settled.

Rule: all requests of one place go to the same verifier, in order; what a dead verifier held is lost, but for the ends
of sessions, which go out again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Final, NamedTuple

from auctionctl.house.metrics import Histogram
from auctionctl.net.child_words import encode
from auctionctl.net.chunks import Chunk, RequestTuple
from auctionctl.net.pipes import Pipe, PipeClosedError

CHUNK_REQUESTS: Final = 32
"""A verifier has so many checked in 1.5 ms; they go on together."""


class _Sent(NamedTuple):
    """A chunk that has not been answered: the verifier that has it, whose requests, and which sessions it ends."""

    slot: int
    sessions: list[int]
    ended: list[int]
    received_ns: int


class UnderWay:
    """``count`` is how many requests there are. Chunks are numbered from ``next_chunk`` on."""

    def __init__(self) -> None:
        self.next_chunk = 0
        self.count = 0
        self.received_ns = 0
        """When the turn began in which what is gathered came, by the machine's monotonic clock."""
        self.totals = Histogram()
        """What requests took until they were answered; whoever reads it puts an empty one there."""
        self.answers = Histogram()
        """The same from when what came of them was durable."""
        self._gathered: dict[int, list[RequestTuple]] = {}
        self._sent: dict[int, _Sent] = {}

    def put(self, place: int, request: RequestTuple) -> None:
        """Gather ``request``, for the verifier at ``place``."""
        self._gathered.setdefault(place, []).append(request)
        self.count += 1

    def send(self, verifiers: Mapping[int, Pipe]) -> None:
        """What is gathered, to the verifiers, by slot."""
        if not self._gathered:
            return
        slots = sorted(verifiers)
        for place, requests in self._gathered.items():
            slot = slots[place]
            for start in range(0, len(requests), CHUNK_REQUESTS):
                part = requests[start : start + CHUNK_REQUESTS]
                sessions = [request[0] for request in part]
                ended = [request[0] for request in part if not request[2]]
                self._sent[self.next_chunk] = _Sent(slot, sessions, ended, self.received_ns)
                # A dead one is replaced, and its successor starts with nothing unanswered.
                with contextlib.suppress(PipeClosedError):
                    verifiers[slot].send(encode(Chunk(self.next_chunk, part, self.received_ns)))
                self.next_chunk += 1
        self._gathered.clear()

    def answer(self, chunk: int, now_ns: int) -> list[int]:
        """A chunk has been answered at ``now_ns``: the sessions of its requests."""
        sent = self._sent.get(chunk)
        if sent is not None:
            self.totals.note(now_ns - sent.received_ns, len(sent.sessions))
        return self.settle(chunk)

    def sent(self, requests: int, durable_ns: int, now_ns: int) -> None:
        """What came of so many ``requests``, durable since ``durable_ns`` (0: nothing had to be), was sent now."""
        if requests and durable_ns:
            self.answers.note(now_ns - durable_ns, requests)

    def settle(self, chunk: int) -> list[int]:
        """A chunk has been answered, or never will be: the sessions of its requests."""
        sent = self._sent.pop(chunk, None)
        if sent is None:
            return []
        self.count -= len(sent.sessions)
        return sent.sessions

    def held_by(self, slot: int) -> list[tuple[int, list[int]]]:
        """The chunks that verifier ``slot`` has, and which sessions each of them ends."""
        return [(number, sent.ended) for number, sent in self._sent.items() if sent.slot == slot]
