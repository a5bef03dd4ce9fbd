"""What an entry promises: one encoding, bounded, and nothing but MalformedEntryError from anybody's bytes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import MalformedEntryError
from auctionctl.tlog import entry as entries
from auctionctl.tlog.entry import MAX_ENTRY_BYTES, TIME_LIMIT_NS, Entry, Kind, decode, encode

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "tlog.json").read_text(encoding="utf-8"))

some_entries = st.builds(
    Entry,
    kind=st.sampled_from(Kind),
    time_ns=st.integers(0, TIME_LIMIT_NS - 1),
    body=st.binary(max_size=600),
    signature=st.one_of(st.just(b""), st.binary(min_size=64, max_size=64)),
)


def pack(*fields: object) -> bytes:
    return msgspec.msgpack.encode(list(fields))


@given(some_entries)
def test_an_entry_comes_back_as_it_went_in(entry: Entry) -> None:
    assert decode(encode(entry)) == entry


@pytest.mark.parametrize("vector", VECTORS["entries"], ids=lambda vector: vector["name"])
def test_the_bytes_of_an_entry_never_change(vector: dict[str, object]) -> None:
    entry = Entry(
        Kind(vector["kind"]),
        int(str(vector["time_ns"])),
        bytes.fromhex(str(vector["body"])),
        bytes.fromhex(str(vector["signature"])),
    )
    assert encode(entry).hex() == vector["encoded"]
    assert decode(bytes.fromhex(str(vector["encoded"]))) == entry


def test_the_kinds_are_those_of_the_design_and_no_others() -> None:
    assert " ".join(Kind) == (
        "terms joined left opened bid paused resumed gap closed payment payment_rejected settled defaulted offered "
        "accepted declined reverted cancelled takeover announced admitted role key_rotated key_revoked conduct"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "not an array", id="nothing"),
        pytest.param(pack("bid", 1, b""), "canonical|not an array", id="three fields"),
        pytest.param(pack("bid", 1, b"", b"", 0), "canonical|not an array", id="five fields"),
        pytest.param(pack("bid", 1, b"", b"") + b"\0", "not an array", id="a byte too many"),
        pytest.param(pack("bribe", 1, b"", b""), "not an array", id="an unknown kind"),
        pytest.param(pack("bid", -1, b"", b""), "out of range", id="a time before 1970"),
        pytest.param(pack("bid", 2**63, b"", b""), "out of range", id="a time past 64 bits"),
        pytest.param(pack("bid", 1.0, b"", b""), "not an array|canonical", id="a time in floating point"),
        pytest.param(pack("bid", True, b"", b""), "not an array", id="a truth value for a time"),
        pytest.param(pack("bid", 1, "", b""), "not an array|canonical", id="a body of text"),
        pytest.param(pack("bid", 1, b"", bytes(63)), "signature of 63 bytes", id="a short signature"),
        pytest.param(pack("bid", 1, b"", bytes(65)), "signature of 65 bytes", id="a long signature"),
        pytest.param(b"\x94\xa1\xff\x01\xc4\x00\xc4\x00", "not an array", id="a kind that is not UTF-8"),
        pytest.param(b"\x94\xd9\x03bid\x01\xc4\x00\xc4\x00", "canonical", id="a long header for a short kind"),
        pytest.param(b"\x94\xa3bid\xcc\x01\xc4\x00\xc4\x00", "canonical", id="a wide integer"),
        pytest.param(b"\x94\xa3bid\x01\xc5\x00\x00\xc4\x00", "canonical", id="a long header for a short body"),
        pytest.param(b"\xdc\x00\x04\xa3bid\x01\xc4\x00\xc4\x00", "canonical", id="a long header for the array"),
        pytest.param(b"\x95\xa3bid\x01\xc4\x00\xc4\x00" + b"\x91" * 16000, "not an array", id="deep nesting"),
        pytest.param(b"\x91" * (MAX_ENTRY_BYTES + 1), "more than 16384", id="too long to look at"),
    ],
)
def test_bytes_in_any_other_form_are_no_entry(data: bytes, message: str) -> None:
    with pytest.raises(MalformedEntryError, match=message):
        decode(data)


@pytest.mark.parametrize(
    "entry",
    [
        Entry(Kind.BID, -1, b""),
        Entry(Kind.BID, 2**63, b""),
        Entry(Kind.BID, 2**70, b""),
        Entry(Kind.BID, 1, b"", bytes(1)),
        Entry(Kind.BID, 1, bytes(MAX_ENTRY_BYTES)),
    ],
    ids=["before 1970", "past 63 bits", "past 64 bits", "short signature", "too long"],
)
def test_an_entry_that_nobody_could_read_is_never_written(entry: Entry) -> None:
    with pytest.raises(MalformedEntryError):
        encode(entry)


def test_the_longest_entry_is_read_and_one_byte_more_is_not() -> None:
    room = MAX_ENTRY_BYTES - len(encode(Entry(Kind.BID, 1, bytes(1000)))) + 1000
    longest = Entry(Kind.BID, 1, bytes(room))
    assert len(encode(longest)) == MAX_ENTRY_BYTES
    assert decode(encode(longest)) == longest
    with pytest.raises(MalformedEntryError, match="16385 bytes"):
        encode(Entry(Kind.BID, 1, bytes(room + 1)))


def test_damaged_entries_are_refused_or_are_other_entries_in_their_own_form() -> None:
    dice = random.Random(20261)
    originals = [
        encode(Entry(Kind.BID, 1_760_000_000_000_000_000, dice.randbytes(120), dice.randbytes(64))),
        encode(Entry(Kind.GAP, 7, dice.randbytes(9))),
        encode(Entry(Kind.KEY_ROTATED, 2**40, b"", dice.randbytes(64))),
    ]
    refused = 0
    for _ in range(20_000):
        data = bytearray(dice.choice(originals))
        for _ in range(dice.randint(1, 3)):
            where = dice.randrange(len(data) + 1)
            match dice.randrange(4):
                case 0:
                    data[where : where + 1] = dice.randbytes(1)
                case 1:
                    data[where:where] = dice.randbytes(dice.randint(1, 4))
                case 2:
                    del data[where : where + dice.randint(1, 4)]
                case _:
                    data[where:] = dice.choice(originals)[dice.randrange(20) :]
        try:
            entry = decode(bytes(data))
        except MalformedEntryError:
            refused += 1
        else:
            assert entries.encode(entry) == data
    assert 2_000 < refused < 20_000
