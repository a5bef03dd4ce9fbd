"""Whatever stands in a log, replaying it ends in a state or in a VerificationError: nothing else comes out.

The logs are honest ones of pauses, cancellations and settlements, in which anything is changed; the signatures are
taken to be good, so that what no participant would sign reaches the rules as well.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from auctionctl.errors import MalformedEntryError, VerificationError
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import TIME_LIMIT_NS, Entry, Kind, decode, encode

SEED = 20_261_127
ROUNDS = 120
"""Damaged copies of each log."""
SECOND_NS = 10**9
TIMES_NS = (-SECOND_NS, -1, 0, 1, SECOND_NS, 7 * SECOND_NS, 30 * SECOND_NS, 100 * SECOND_NS, 1_000 * SECOND_NS, 2**62)
NUMBERS = (0, 1, 2, 5, 6, 100, 999, 1_200, 1_500, 10**15, 10**15 + 1, 2**53, 2**62, 2**63 - 1, -1)
WORDS = ("", "EUR", "USD", "late", "absent", "terms", "cap", "seller", "operator", "stalled", "completed", "no_bids")


class Chance:
    """Damages a log, from a seed; ``others`` are entries of all logs, to take kinds and bodies from."""

    def __init__(self, seed: int, others: list[Entry]) -> None:
        self.random = random.Random(seed)
        self.others = others
        self.keys = sorted({value for entry in others for value in fields_of(entry) if isinstance(value, bytes)})

    def damage(self, entries: list[Entry]) -> list[Entry]:
        entries = list(entries)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            at = self.random.randrange(1, len(entries))
            step = self.random.choice((self.leave_out, self.repeat, self.swap, self.insert, *[self.change] * 5))
            step(entries, at)
            if len(entries) < 2:
                break
        return entries

    def leave_out(self, entries: list[Entry], at: int) -> None:
        del entries[at]

    def repeat(self, entries: list[Entry], at: int) -> None:
        entries.insert(self.random.randrange(at, len(entries)) + 1, entries[at])

    def swap(self, entries: list[Entry], at: int) -> None:
        other = self.random.randrange(1, len(entries))
        entries[at], entries[other] = entries[other], entries[at]

    def insert(self, entries: list[Entry], at: int) -> None:
        entries.insert(at, replace(self.random.choice(self.others), time_ns=entries[at - 1].time_ns))

    def change(self, entries: list[Entry], at: int) -> None:
        entry, other = entries[at], self.random.choice(self.others)
        match self.random.randrange(6):
            case 0:
                entry = replace(entry, kind=self.random.choice(list(Kind)))
            case 1:
                entry = replace(entry, time_ns=entry.time_ns + self.random.choice(TIMES_NS))
            case 2:
                entry = replace(entry, kind=other.kind, body=other.body, signature=other.signature)
            case 3:
                entry = replace(entry, signature=b"" if entry.signature else bytes(64))
            case _:
                entry = replace(entry, body=self.reword(entry))
        if 0 <= entry.time_ns < TIME_LIMIT_NS:
            entries[at] = entry

    def reword(self, entry: Entry) -> bytes:
        fields = fields_of(entry)
        at = self.random.randrange(1, len(fields)) if len(fields) > 1 else 0
        match fields[at]:
            case bytes():
                fields[at] = self.random.choice([*self.keys, b"", bytes(32)])
            case bool() | int():
                near = (fields[at] + self.random.choice(TIMES_NS), self.random.choice(NUMBERS))
                fields[at] = max(-(2**63), min(2**64 - 1, self.random.choice(near)))
            case str():
                fields[at] = self.random.choice(WORDS)
            case _:
                fields[at] = self.random.choice((None, *NUMBERS, *WORDS, bytes(32)))
        return msgspec.msgpack.encode(fields)


def fields_of(entry: Entry) -> list[Any]:
    try:
        fields = msgspec.msgpack.decode(entry.body)
    except msgspec.DecodeError:
        return [entry.body]
    return fields if isinstance(fields, list) and fields else [fields]


def replayed(house: bytes, auction: bytes, entries: list[Entry]) -> str:
    """How it ends: the rule that was broken, or where the auction stands."""
    replay = Replay(house, auction, lambda *_: True)
    try:
        for entry in entries:
            replay.apply(encode(entry))
    except (VerificationError, MalformedEntryError) as error:
        return str(error.rule if isinstance(error, VerificationError) else "entry")
    auction_state = replay.state
    assert auction_state.size == len(entries)
    assert auction_state.get_timer() is None or not auction_state.is_final
    return str(auction_state.whereabouts)


def test_whatever_is_changed_in_a_log_it_is_judged(plays: Any, played: Callable[[str], Any]) -> None:
    books = {name: played(name) for name in plays.PAUSES | plays.SALES}
    logs = {name: [decode(data) for data in book.entries] for name, book in books.items()}
    chance = Chance(SEED, [entry for entries in logs.values() for entry in entries[1:]])
    ends: Counter[str] = Counter()
    for name, entries in logs.items():
        book = books[name]
        house = book.house.identity.signing
        assert replayed(house, book.auction, entries) == str(replayed(house, book.auction, entries))
        for _ in range(ROUNDS):
            ends[replayed(house, book.auction, chance.damage(entries))] += 1
    assert sum(ends.values()) == ROUNDS * len(logs)
    rules = {
        "phase",
        "entry",
        "time",
        "paused",
        "resumed",
        "defaulted",
        "reverted",
        "declined",
        "left",
        "gap",
        "closed",
    }
    assert rules <= set(ends), ends
    assert len(ends) > 35, ends


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_whatever_is_changed_in_a_log_it_is_judged_for_long(plays: Any, played: Callable[[str], Any]) -> None:
    books = [played(name) for name in plays.PAUSES | plays.SALES]
    logs = [[decode(data) for data in book.entries] for book in books]
    chance = Chance(SEED + 1, [entry for entries in logs for entry in entries[1:]])
    for book, entries in zip(books, logs, strict=True):
        for _ in range(20 * ROUNDS):
            replayed(book.house.identity.signing, book.auction, chance.damage(entries))
