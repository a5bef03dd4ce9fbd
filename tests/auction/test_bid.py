"""A bid and a joining have one byte form each, pinned by vectors; every other is the peer's fault, and only that."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction.bid import MAX_SEQ, MAX_TIME_NS, Bid, Join, decode_bid, decode_join, encode_bid, encode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.price import MAX_MINOR
from auctionctl.errors import RemoteProtocolError

FUZZ_SEED = 20_260_101
FUZZ_ROUNDS = 20_000

BID = Bid(
    house=b"\x11" * 32,
    auction=b"\x55" * 32,
    bidder=b"\x33" * 32,
    seq=7,
    amount_minor=12_500,
    currency="EUR",
    placed_at_ns=1_767_225_600_000_000_001,
    not_after_ns=1_767_225_630_000_000_000,
    head_size=19,
    head_root=b"\x5a" * 32,
)
BID_HEX = (
    "9b" + "a3626964"
    "c4201111111111111111111111111111111111111111111111111111111111111111"
    "c4205555555555555555555555555555555555555555555555555555555555555555"
    "c4203333333333333333333333333333333333333333333333333333333333333333"
    "07" + "cd30d4" + "a3455552" + "cf18867251edfa0001" + "cf18867258ea1dac00" + "13"
    "c4205a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
)

KEYS = st.binary(min_size=32, max_size=32)
TIMES = st.integers(0, MAX_TIME_NS)
HEADS = st.just((0, b"")) | st.tuples(st.integers(1, MAX_SEQ), KEYS)
BIDS = st.builds(
    lambda head, **fields: Bid(head_size=head[0], head_root=head[1], **fields),
    HEADS,
    house=KEYS,
    auction=KEYS,
    bidder=KEYS,
    seq=st.integers(1, MAX_SEQ),
    amount_minor=st.integers(1, MAX_MINOR),
    currency=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=16),
    placed_at_ns=TIMES,
    not_after_ns=TIMES,
)
JOINS = st.builds(Join, KEYS, KEYS, KEYS, st.binary(min_size=16, max_size=16), TIMES, TIMES, st.integers(0, 1_000_000))


def test_the_bytes_of_a_bid_are_these() -> None:
    assert encode_bid(BID).hex() == BID_HEX
    assert decode_bid(bytes.fromhex(BID_HEX)) == BID


def test_every_vector_of_a_command_reads_writes_and_hashes_as_published(vectors: dict[str, Any]) -> None:
    seen = 0
    for kind, of, encode, decode in (("bids", Bid, encode_bid, decode_bid), ("joins", Join, encode_join, decode_join)):
        for vector in vectors[kind]:
            body = bytes.fromhex(vector["bytes"])
            command = of(*vector["fields"][1:])
            assert encode(command) == body, vector["name"]
            assert decode(body) == command, vector["name"]
            assert command_id(body).hex() == vector["id"], vector["name"]
            seen += 1
    assert seen >= 4


def test_a_command_is_named_by_the_hash_of_its_bytes() -> None:
    body = bytes.fromhex(BID_HEX)
    assert command_id(body) == hashlib.sha256(body).digest()
    assert command_id(body) != command_id(body[:-1] + b"\x5b")


def is_refused(decode: Callable[[bytes], object], data_hex: str) -> bool:
    """Whether the bytes are the peer's fault; any other error comes through and fails the test."""
    try:
        decode(bytes.fromhex(data_hex))
    except RemoteProtocolError as error:
        return str(error).startswith("not a ")
    return False


def test_every_vector_of_a_refused_bid_is_refused(vectors: dict[str, Any]) -> None:
    assert len(vectors["refused_bids"]) > 40
    assert [vector["why"] for vector in vectors["refused_bids"] if not is_refused(decode_bid, vector["bytes"])] == []


def test_every_vector_of_a_refused_joining_is_refused(vectors: dict[str, Any]) -> None:
    assert len(vectors["refused_joins"]) > 10
    assert [vector["why"] for vector in vectors["refused_joins"] if not is_refused(decode_join, vector["bytes"])] == []


def test_a_bid_is_no_joining_and_a_joining_is_no_bid(vectors: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_join(bytes.fromhex(vectors["bids"][0]["bytes"]))
    with pytest.raises(RemoteProtocolError):
        decode_bid(bytes.fromhex(vectors["joins"][0]["bytes"]))


@given(BIDS)
def test_every_bid_reads_back_as_itself(bid: Bid) -> None:
    assert decode_bid(encode_bid(bid)) == bid


@given(JOINS)
def test_every_joining_reads_back_as_itself(join: Join) -> None:
    assert decode_join(encode_join(join)) == join


@given(BIDS, BIDS)
def test_two_bids_never_share_their_bytes(one: Bid, other: Bid) -> None:
    assert (encode_bid(one) == encode_bid(other)) == (one == other)


@pytest.mark.parametrize("size", [0, 1, 31, 33])
def test_a_head_has_a_root_of_32_bytes_or_there_is_neither(size: int) -> None:
    headless = msgspec.structs.replace(BID, head_size=0, head_root=b"")
    assert decode_bid(encode_bid(headless)) == headless
    for bid in (
        msgspec.structs.replace(BID, head_root=bytes(size)),
        msgspec.structs.replace(BID, head_size=0),
    ):
        with pytest.raises(RemoteProtocolError):
            decode_bid(encode_bid(bid))


@pytest.mark.parametrize("depth", [2, 100, 5_000, 200_000])
@pytest.mark.parametrize("decode", [decode_bid, decode_join])
def test_deep_nesting_is_refused_wherever_it_stands(decode: Callable[[bytes], object], depth: int) -> None:
    nested = b"\x91" * depth + b"\xc0"
    body = bytes.fromhex(BID_HEX)
    for data in (nested, b"\x81\xa1a" * depth + b"\xc0", b"\x9c" + body[1:] + nested, body[:1] + nested + body[5:]):
        with pytest.raises(RemoteProtocolError):
            decode(data)


@pytest.mark.parametrize("claimed", ["dc0fff", "ddffffffff", "c6ffffffff", "dbffffffff", "dfffffffff", "c9ffffffff01"])
@pytest.mark.parametrize("decode", [decode_bid, decode_join])
def test_a_claimed_length_without_the_bytes_is_refused(decode: Callable[[bytes], object], claimed: str) -> None:
    for data in (
        bytes.fromhex(claimed),
        bytes.fromhex("9ba3626964" + claimed),
        bytes.fromhex("97a46a6f696e" + claimed),
    ):
        with pytest.raises(RemoteProtocolError):
            decode(data)


def mutate(rng: random.Random, body: bytes) -> bytes:
    """One to three edits: a bit, a byte, a cut, a repetition, a splice, or a header byte of msgpack."""
    data = bytearray(body)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(data):
                data[at] = rng.randrange(256)
            case 2:
                del data[at : at + rng.randint(1, 40)]
            case 3:
                data[at:at] = data[at : at + rng.randint(1, 40)]
            case 4:
                data[at:at] = rng.randbytes(rng.randint(1, 8))
            case _:
                data[at : at + 1] = bytes(
                    [rng.choice([0x8F, 0x9F, 0xC0, 0xC1, 0xC4, 0xC7, 0xCB, 0xCF, 0xD3, 0xDB, 0xDD])]
                )
    return bytes(data)


def test_twenty_thousand_damaged_commands_are_refused_or_are_other_commands(vectors: dict[str, Any]) -> None:
    rng = random.Random(FUZZ_SEED)
    seeds = [bytes.fromhex(vector["bytes"]) for vector in vectors["bids"] + vectors["joins"]]
    seen: Counter[str] = Counter()
    for _ in range(FUZZ_ROUNDS):
        data = mutate(rng, rng.choice(seeds))
        for decode, encode in ((decode_bid, encode_bid), (decode_join, encode_join)):
            try:
                command = decode(data)
            except RemoteProtocolError:
                seen["refused"] += 1
            else:
                assert encode(command) == data, f"seed {FUZZ_SEED}: {data.hex()}"
                seen[type(command).__name__] += 1
    assert sum(seen.values()) == 2 * FUZZ_ROUNDS
    assert min(seen["refused"], seen["Bid"], seen["Join"]) > 500, seen
