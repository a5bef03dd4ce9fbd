"""One log and checkpoint have one file; no other file says the same."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import VerificationError
from auctionctl.replica.export import Export, decode_export, encode_export

NOTE = b"origin\n2\nroot\n\n\xe2\x80\x94 origin signature\n"
FILE = b"auctionctl-log/v1\n2\nZW50cnk=\nb3RoZXI=\n\n" + NOTE


def read(data: bytes) -> Export | None:
    """What the file holds, or None where it is refused."""
    try:
        return decode_export(data)
    except VerificationError:
        return None


def test_the_file_is_written_as_the_format_says() -> None:
    assert encode_export([b"entry", b"other"], NOTE) == FILE
    assert decode_export(FILE) == Export((b"entry", b"other"), NOTE)


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6), st.binary(max_size=60))
def test_what_is_written_reads_back_as_itself(entries: list[bytes], note: bytes) -> None:
    assert decode_export(encode_export(entries, note)) == Export(tuple(entries), note)


@given(st.data())
def test_what_is_read_is_written_as_the_same_bytes(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**32))
    rng = random.Random(seed)
    damaged = bytearray(FILE)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(damaged))
        damaged[at : at + rng.randrange(2)] = rng.choice([b"", b"\n", b"=", b"\n\n", b"A", b"2", rng.randbytes(1)])
    export = read(bytes(damaged))
    assert export is None or encode_export(*export) == damaged, seed


def test_every_changed_bit_is_refused_or_says_something_else() -> None:
    good = decode_export(FILE)
    for position in range(len(FILE)):
        for bit in range(8):
            damaged = bytearray(FILE)
            damaged[position] ^= 1 << bit
            assert read(bytes(damaged)) != good, (position, bit)


@pytest.mark.parametrize(
    ("data", "index"),
    [
        (b"", None),
        (b"auctionctl-log/v1", None),
        (FILE[1:], None),
        (b"\n" + FILE, None),
        (b"\xef\xbb\xbf" + FILE, None),
        (FILE.replace(b"v1", b"v2"), None),
        (FILE.replace(b"\n", b"\r\n"), None),
        (FILE.replace(b"\n2\n", b"\n02\n", 1), None),
        (FILE.replace(b"\n2\n", b"\n+2\n", 1), None),
        (FILE.replace(b"\n2\n", b"\n3\n", 1), None),
        (FILE.replace(b"\n2\n", b"\n\n", 1), None),
        (b"auctionctl-log/v1\n0\n\n" + NOTE, None),
        (b"auctionctl-log/v1\n1\nZW50cnk=", None),
        (b"auctionctl-log/v1\n1\nZW50cnk=\n", None),
        (FILE.replace(b"ZW50cnk=", b"ZW50cnl="), 0),
        (FILE.replace(b"ZW50cnk=", b"ZW50cnk"), 0),
        (FILE.replace(b"ZW50cnk=", b"ZW50cnk=="), 0),
        (FILE.replace(b"ZW50cnk=", b" ZW50cnk="), 0),
        (FILE.replace(b"b3RoZXI=", b"b3RoZX*="), 1),
        (FILE.replace(b"b3RoZXI=", b"b3RoZX_="), 1),
        (FILE.replace(b"b3RoZXI=", b"b3RoZX\xff="), 1),
    ],
)
def test_what_is_in_another_form_is_refused_and_the_line_named(data: bytes, index: int | None) -> None:
    with pytest.raises(VerificationError) as raised:
        decode_export(data)
    assert (raised.value.rule, raised.value.index) == ("format", index)


def test_a_real_log_makes_the_round_trip(book: Any) -> None:
    assert decode_export(book.file()) == Export(book.entries, book.note(), book.announcement)


def test_the_proof_of_the_announcement_stands_behind_the_checkpoint(book: Any) -> None:
    data = encode_export([b"entry", b"other"], NOTE, book.announcement)
    assert data == FILE + b"\n" + book.announcement
    assert decode_export(data) == Export((b"entry", b"other"), NOTE, book.announcement)
    assert decode_export(FILE).announcement == b""


def test_what_is_no_proof_is_taken_for_a_part_of_the_checkpoint_and_written_as_the_same_bytes(book: Any) -> None:
    good = FILE + b"\n" + book.announcement
    for position in range(len(FILE) - 1, len(FILE) + 30):
        for damaged in (good[:position] + good[position + 1 :], good[:position] + b"\n" + good[position:]):
            export = decode_export(damaged)
            assert encode_export(*export) == damaged
            assert export != decode_export(good)
