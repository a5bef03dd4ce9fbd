"""Every command has one byte form, pinned by vectors; every other is the peer's fault, and only that."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction import commands
from auctionctl.auction.bid import MAX_SEQ, MAX_TIME_NS
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import (
    COMMAND_KINDS,
    KINDS,
    MAX_WORDS_CHARACTERS,
    Accept,
    AnyCommand,
    Cancel,
    Capacity,
    Decline,
    Offer,
    Pause,
    Pay,
    RejectPayment,
    Resume,
    Settle,
    decode_command,
    encode_command,
    type_of,
)
from auctionctl.auction.phase import SETTLEMENT, TRANSITIONS
from auctionctl.auction.price import MAX_MINOR
from auctionctl.errors import RemoteProtocolError
from auctionctl.tlog.entry import Kind

FUZZ_SEED = 20_261_126
FUZZ_ROUNDS = 20_000
TYPES: dict[str, Any] = {
    "pause": Pause,
    "resume": Resume,
    "cancel": Cancel,
    "pay": Pay,
    "settle": Settle,
    "reject_payment": RejectPayment,
    "offer": Offer,
    "accept": Accept,
    "decline": Decline,
}
ACCEPT_HEX = (
    "98" + "a6616363657074"
    "c4201111111111111111111111111111111111111111111111111111111111111111"
    "c4205555555555555555555555555555555555555555555555555555555555555555"
    "c4203333333333333333333333333333333333333333333333333333333333333333"
    "c410000102030405060708090a0b0c0d0e0f" + "cf18867251edfa0001" + "cf18867258ea1dac01"
    "c4208888888888888888888888888888888888888888888888888888888888888888"
)
ACCEPT = Accept(
    house=b"\x11" * 32,
    auction=b"\x55" * 32,
    actor=b"\x33" * 32,
    nonce=bytes(range(16)),
    placed_at_ns=1_767_225_600_000_000_001,
    not_after_ns=1_767_225_630_000_000_001,
    offer=b"\x88" * 32,
)

KEYS = st.binary(min_size=32, max_size=32)
TIMES = st.integers(0, MAX_TIME_NS)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_WORDS_CHARACTERS)
CURRENCIES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=16)
AMOUNTS = st.integers(1, MAX_MINOR)
CAPACITIES = st.sampled_from(Capacity)
COMMON: tuple[Any, ...] = (KEYS, KEYS, KEYS, st.binary(min_size=16, max_size=16), TIMES, TIMES)
FIELDS: dict[str, tuple[Any, ...]] = {
    "pause": (WORDS,),
    "resume": (WORDS,),
    "cancel": (WORDS,),
    "pay": (AMOUNTS, CURRENCIES, WORDS),
    "settle": (CAPACITIES, KEYS),
    "reject_payment": (CAPACITIES, KEYS, WORDS),
    "offer": (KEYS, AMOUNTS, CURRENCIES, st.integers(1, MAX_SEQ)),
    "accept": (KEYS,),
    "decline": (KEYS,),
}
ANY_COMMAND = st.one_of(*[st.builds(of, *COMMON, *FIELDS[name]) for name, of in TYPES.items()])


def from_fields(name: str, fields: list[Any]) -> AnyCommand:
    if name in ("settle", "reject_payment"):
        fields = [*fields[:6], Capacity(fields[6]), *fields[7:]]
    command: AnyCommand = TYPES[name](*fields)
    return command


def test_the_bytes_of_a_command_are_these() -> None:
    assert encode_command(ACCEPT).hex() == ACCEPT_HEX
    assert decode_command(bytes.fromhex(ACCEPT_HEX)) == ACCEPT


def test_every_vector_of_a_command_reads_writes_and_hashes_as_published(vectors: dict[str, Any]) -> None:
    assert {vector["fields"][0] for vector in vectors["commands"]} == set(TYPES)
    for vector in vectors["commands"]:
        name, *fields = vector["fields"]
        command, body = from_fields(name, fields), bytes.fromhex(vector["bytes"])
        assert encode_command(command) == body, vector["name"]
        assert decode_command(body) == command, vector["name"]
        assert command_id(body).hex() == vector["id"] == hashlib.sha256(body).hexdigest(), vector["name"]
        assert KINDS[type_of(command)] == vector["kind"], vector["name"]


def is_refused(data: bytes) -> bool:
    try:
        decode_command(data)
    except RemoteProtocolError as error:
        return str(error).startswith("not a command: ")
    return False


def test_every_vector_in_another_form_is_refused(vectors: dict[str, Any]) -> None:
    refused = vectors["refused_commands"]
    assert len(refused) > 40
    assert [vector["why"] for vector in refused if not is_refused(bytes.fromhex(vector["bytes"]))] == []


@given(ANY_COMMAND)
def test_every_command_reads_back_as_itself(command: AnyCommand) -> None:
    assert decode_command(encode_command(command)) == command


@given(ANY_COMMAND, ANY_COMMAND)
def test_two_commands_have_one_id_only_if_they_are_the_same(one: AnyCommand, other: AnyCommand) -> None:
    ids = command_id(encode_command(one)), command_id(encode_command(other))
    assert (ids[0] == ids[1]) == (one == other and type(one) is type(other))


def test_the_type_of_a_command_is_its_tag() -> None:
    assert set(get_args(AnyCommand)) == set(TYPES.values())
    for name, of in TYPES.items():
        assert type_of(of) == name
    assert type_of(ACCEPT) == "accept"


def test_every_command_becomes_an_entry_of_a_kind_of_its_own_that_the_tables_know() -> None:
    assert set(KINDS) == set(TYPES)
    assert len(set(KINDS.values())) == len(KINDS)
    assert set(KINDS.values()) == COMMAND_KINDS <= {kind for _, kind in (*TRANSITIONS, *SETTLEMENT)} & set(Kind)
    with pytest.raises(TypeError):
        KINDS["pause"] = "opened"  # type: ignore[index]


def test_words_are_counted_in_characters_and_not_in_bytes() -> None:
    longest = "\U0001f3fa" * MAX_WORDS_CHARACTERS
    pause = Pause(*encode_args(), longest)
    assert decode_command(encode_command(pause)) == pause
    with pytest.raises(RemoteProtocolError):
        decode_command(encode_command(Pause(*encode_args(), longest + "x")))


def encode_args() -> tuple[Any, ...]:
    return (ACCEPT.house, ACCEPT.auction, ACCEPT.actor, ACCEPT.nonce, ACCEPT.placed_at_ns, ACCEPT.not_after_ns)


def test_a_command_does_not_change() -> None:
    with pytest.raises(AttributeError):
        ACCEPT.offer = bytes(32)  # type: ignore[misc]
    assert commands.MAX_COMMAND_TIME_NS == 300 * 10**9


@pytest.mark.parametrize("depth", [2, 1_000, 200_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    body = bytes.fromhex(ACCEPT_HEX)
    for data in (b"\x91" * depth + b"\xc0", body[:9] + b"\x91" * depth, body[:-34] + b"\x91" * depth + b"\xc0"):
        with pytest.raises(RemoteProtocolError):
            decode_command(data)


def test_twenty_thousand_damaged_commands_are_refused_or_are_other_commands(vectors: dict[str, Any]) -> None:
    rng = random.Random(FUZZ_SEED)
    seeds = [bytes.fromhex(vector["bytes"]) for vector in vectors["commands"]]
    outcomes: Counter[str] = Counter()
    for _ in range(FUZZ_ROUNDS):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 2))
        try:
            command = decode_command(bytes(data))
        except RemoteProtocolError:
            outcomes["refused"] += 1
        else:
            assert encode_command(command) == data
            outcomes["read"] += 1
    assert min(outcomes["refused"], outcomes["read"]) > FUZZ_ROUNDS // 20, outcomes
