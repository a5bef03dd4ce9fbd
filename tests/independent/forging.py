"""What is done to logs: by whoever can send or change bytes, and by a house that signs anything."""

from __future__ import annotations

import random
from typing import Any

from msgspec.structs import replace

from auctionctl.auction.bid import decode_bid, decode_join
from auctionctl.auction.commands import COMMAND_KINDS, Capacity, decode_command
from auctionctl.auction.events import DefaultCause, PauseCause
from auctionctl.auction.terms import SECOND_NS


def claims(book: Any, index: int, near_ns: int, seq: int) -> list[dict[str, Any]]:
    """Other fields for the joining or bid at ``index``."""
    changes: list[dict[str, Any]] = [{}, {"not_after_ns": near_ns}, {"auction": b"a" * 32}, {"house": b"h" * 32}]
    changes += [{"bidder": b"b" * 32}, {"nonce" if book.kinds()[index] == "joined" else "head_root": b"n" * 16}]
    if book.kinds()[index] == "joined":
        changes += [{"reputation_ppm": 500_000}]
    if book.kinds()[index] == "bid":
        amount = decode_bid(book.entry(index).body).amount_minor
        changes += [{"amount_minor": max(1, amount + step)} for step in (-700, -100, -1, 1, 10**6)]
        changes += [{"seq": seq}, {"currency": "USD"}, {"head_size": seq, "head_root": b"r" * 32}]
    return changes


def said_by(book: Any, staging: Any, index: int, name: str, changes: dict[str, Any]) -> Any:
    """The joining or bid at ``index`` as one of ``name``, who signs it, with other fields."""
    entry, key = book.entry(index), staging.key_of(name)
    said = decode_bid(entry.body) if entry.kind == "bid" else decode_join(entry.body)
    return book.resigned(index, key, replace(said, **{"bidder": key.identity.signing} | changes))


def otherwise(book: Any, staging: Any, index: int, chance: random.Random) -> bytes:
    """The command at ``index``, signed anew by somebody, with other fields."""
    entry, key = book.entry(index), staging.key_of(chance.choice((*staging.NAMES, "sue", "otto")))
    command = decode_command(entry.body)
    fields: dict[str, Any] = {"actor": key.identity.signing, "not_after_ns": entry.time_ns + SECOND_NS}
    choices = {"payment": b"p" * 32, "offer": b"o" * 32, "amount_minor": 700, "bid_index": 4, "bidder": b"b" * 32}
    choices |= {"capacity": chance.choice(list(Capacity)), "house": b"h" * 32, "not_after_ns": entry.time_ns - 1}
    name = chance.choice([name for name in choices if name in command.__struct_fields__])
    fields |= {name: choices[name]} if chance.random() < 0.5 else {}
    return bytes(book.resigned(index, key, replace(command, **fields)).file())


def tampered(book: Any, staging: Any, chance: random.Random) -> bytes:
    """The file of a log with which something was done: by anybody, or by the house under a new signature."""
    size = len(book.entries)
    index, other = chance.randrange(size), chance.randrange(size)
    kind, entry = book.kinds()[index], book.entry(index)
    near_ns = entry.time_ns + chance.choice([-(10**9), -1, 1, 10**9, 10**10])
    match chance.randrange(9):
        case 0:
            data = bytearray(book.file())
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            return bytes(data)
        case 1:
            return bytes(book.without(index).file()) if size > 1 else bytes(book.file())
        case 2:
            return bytes(book.swapped(index, other).file())
        case 3:
            return bytes(book.inserted(other, entry).file())
        case 4:
            return bytes(book.changed(index, time_ns=near_ns).file())
        case 5:
            return bytes(book.cut(index + 1).file())
        case 6:
            raw = bytearray(book.entries[index])
            raw[chance.randrange(len(raw))] = chance.randrange(256)
            return bytes(book.with_data(*book.entries[:index], bytes(raw), *book.entries[index + 1 :]).file())
        case _:
            pass
    if entry.signature and kind in COMMAND_KINDS:
        return otherwise(book, staging, index, chance)
    if kind in {"bid", "joined"}:
        name, seq = chance.choice((*staging.NAMES, "sue")), chance.randrange(1, 40)
        return bytes(said_by(book, staging, index, name, chance.choice(claims(book, index, near_ns, seq))).file())
    if kind == "gap":
        said = {"since_ns": near_ns} if chance.random() < 0.5 else {"until_ns": near_ns + chance.choice([0, 5 * 10**9])}
        return bytes(book.reworded(index, **said).file())
    if kind == "closed":
        said = chance.choice(
            [{"winner": None}, {"price_minor": 1_000}, {"bid_index": 4}, {"end_reason": "no_bids"}, {"reserve": None}]
        )
        return bytes(book.reworded(index, **said).file())
    if kind in {"paused", "resumed", "defaulted"}:
        causes = DefaultCause if kind == "defaulted" else PauseCause
        return bytes(book.reworded(index, cause=chance.choice(list(causes))).file())
    return bytes(book.changed(index, signature=chance.choice([b"", bytes(64)])).file())
