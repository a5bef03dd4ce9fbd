"""How a house works, in numbers, for whoever runs it: the question ``measure``, and what ``measures`` answers.

Rule: it is the house's own word, unsigned, and nothing is to be proved by it. Durations are nanoseconds, percentiles at
most an eighth too high (:mod:`auctionctl.house.metrics`); "lately" is about a minute. Names of amounts and families are
stable words; a client shows those that it does not know as they are.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from auctionctl.auction.bid import TimeNs
from auctionctl.auction.rules import Key

MAX_ROWS: Final = 128
"""How many peers, at most, one answer names; those that wait or lose most come first."""
MAX_BUSIEST: Final = 16

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, msgspec.Meta(max_length=128)]


class Measure(msgspec.Struct, array_like=True, tag="measure", frozen=True):
    """How does the house work? For operators, and for the house's own key."""


class StageMeasure(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What requests took in one stage: lately, and (count, sum) since the house's process began."""

    stage: Name
    count: Count
    p50_ns: Count
    p99_ns: Count
    longest_ns: Count
    total_count: Count
    total_ns: Count


class Labelled(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One of a family: as rejections with this code, or auctions in this phase."""

    family: Name
    label: Name
    count: Count


class ProcessMeasure(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One process of the house: processor time since its start, memory and descriptors; 0 where nobody can tell."""

    name: Name
    pid: Count
    cpu_ns: Count
    rss_bytes: Count
    descriptors: Count


class PeerMeasure(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One session. ``lost`` are messages to it that it was too slow to read, ``waiting`` its unanswered requests.

    ``round_trip_ns`` is what the operating system has measured on its connection, 0 where nobody can tell.
    """

    name: Name
    role: Name
    host: Name
    since_ns: TimeNs
    heard_ns: TimeNs
    round_trip_ns: Count
    messages: Count
    lost: Count
    waiting: Count


class Busy(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An auction, and how many commands became durable in it lately."""

    auction: Key
    count: Count


class Measures(msgspec.Struct, array_like=True, tag="measures", frozen=True):
    """How the house works; ``span_ns`` is how long "lately" is, ``amounts`` are (name, value)."""

    time_ns: TimeNs
    started_ns: TimeNs
    span_ns: Count
    stages: tuple[StageMeasure, ...]
    amounts: tuple[tuple[Name, Count], ...]
    labelled: tuple[Labelled, ...]
    processes: tuple[ProcessMeasure, ...]
    peers: Annotated[tuple[PeerMeasure, ...], msgspec.Meta(max_length=MAX_ROWS)]
    busiest: Annotated[tuple[Busy, ...], msgspec.Meta(max_length=MAX_BUSIEST)]

    def amount(self, name: str) -> int:
        """The amount of this name; 0 if there is none."""
        return dict(self.amounts).get(name, 0)
