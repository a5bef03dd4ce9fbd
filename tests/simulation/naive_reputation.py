"""What a registry and the logs of its auctions come to for every bidder, as plainly as it can be put.

Shares no line with the product; entries are read with a bare msgpack decoder, by place. Rule: nothing is kept as it
grows; who has what reputation is added up from all that was ever said, each time. Source: auctionctl-log(5),
"Reputation" and "The registry", and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

_decode = msgspec.msgpack.Decoder().decode

DAY_NS: Final = 24 * 3600 * 10**9
ONE: Final = 2**32
"""What a point of today weighs."""

Row = tuple[int, int, int, int, int]
"""Stood, won, paid, defaulted, left."""


def rows_of(entries: Iterable[bytes]) -> dict[bytes, Row]:
    """What the log of an auction, to which nothing can be added, says of each bidder of whom it says anything."""
    bidders: list[bytes] = []
    lefts: list[bytes] = []
    buyers: list[bytes] = []
    defaulters: list[bytes] = []
    leader, debtor, payer = b"", b"", b""
    has_closed = is_over = False
    for kind, _, data, signature in map(_decode, entries):
        body = _decode(data)
        if kind == "bid":
            leader = body[3]
            bidders.append(leader)
        elif kind == "left" and not is_over and body[1] == leader:
            lefts.append(leader)
        elif kind == "closed":
            has_closed = is_over = True
            debtor = body[2] or b""
            buyers.append(debtor)
        elif kind == "cancelled":
            is_over = True
        elif kind == "accepted" and signature:
            debtor = body[3]
            buyers.append(debtor)
        elif kind == "defaulted":
            defaulters.append(body[1])
        elif kind == "settled":
            payer = debtor
    rows = {}
    for bidder in sorted({*bidders, *lefts}):
        stood = has_closed and bidder in bidders and bidder not in defaulters
        row = (stood, bidder in buyers, bidder == payer, bidder in defaulters, lefts.count(bidder))
        if row[0] or row[1] or row[4]:
            rows[bidder] = (int(row[0]), int(row[1]), int(row[2]), int(row[3]), row[4])
    return rows


@lru_cache(maxsize=4_096)
def worth(age_days: int) -> int:
    """What a point weighs after so many days: it halves in 90, and is gone after 2,880."""
    if age_days > 2_880:
        return 0
    limit = 2 ** (2_880 - age_days)
    found = int(2 ** (32 - age_days / 90))
    while found**90 > limit:
        found -= 1
    while (found + 1) ** 90 <= limit:
        found += 1
    return found


class NaiveReputations:
    """A registry, from its first entry to its last."""

    def __init__(self, registry: Iterable[bytes]) -> None:
        self.said: list[tuple[int, bytes, Any]] = []
        """When, of which auction, and the row: bidder, stood, won, paid, defaulted, left, invalid."""
        self.rotations: list[tuple[int, bytes, bytes]] = []
        """When, the key that was replaced, and the one that took its place."""
        for kind, time_ns, data, _ in map(_decode, registry):
            if kind == "conduct":
                _, auction, rows = _decode(data)
                self.said += [(time_ns, auction, row) for row in rows]
            elif kind == "key_rotated":
                _, _, key, signing, *_ = _decode(data)
                self.rotations.append((time_ns, key, signing))

    def said_of(self, auction: bytes) -> list[Any]:
        """The rows of one auction, in their order."""
        return [row for _, of, row in self.said if of == auction]

    def keys_of(self, key: bytes) -> set[bytes]:
        """Every key of the holder of ``key``."""
        keys = {key}
        for _ in self.rotations:
            for _, *pair in self.rotations:
                if keys & set(pair):
                    keys |= set(pair)
        return keys

    def ppm(self, key: bytes, at_ns: int, until_ns: int | None = None) -> int:
        """What the reputation of ``key`` is at ``at_ns``, by what was said before ``until_ns``, or at all."""
        good = bad = 0
        keys = self.keys_of(key)
        for time_ns, _, (bidder, stood, _, paid, defaulted, left, invalid) in self.said:
            if bidder in keys and (until_ns is None or time_ns < until_ns):
                weight = worth(at_ns // DAY_NS - time_ns // DAY_NS)
                good += weight * (stood + 3 * paid)
                bad += weight * (12 * defaulted + min(left, 3) + min(invalid, 5))
        return (good + ONE) * 1_000_000 // (good + bad + 2 * ONE)

    def ppm_then(self, key: bytes, at_ns: int) -> set[int]:
        """What it was at ``at_ns``: before and after what was said at that very time."""
        return {self.ppm(key, at_ns, at_ns), self.ppm(key, at_ns, at_ns + 1)}


def is_said_rightly(rows: list[Any], due: Mapping[bytes, Row]) -> str:
    """What is wrong with the registry's ``rows`` of an auction whose log says ``due``; empty if nothing is."""
    keys = [row[0] for row in rows]
    if keys != sorted(set(keys)):
        return "its bidders are not each named once, in the order of their keys"
    said = {row[0]: tuple(row[1:6]) for row in rows if row[1] or row[2] or row[5]}
    return "" if said == dict(due) else f"the registry says {sorted(said.values())}, and the log {sorted(due.values())}"
