"""A table of an array has what the decoder takes, and nothing that nobody has described."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from auctionctl.cli.manual.shapes import fields_table, number_text, plain_table


class Inner(msgspec.Struct, array_like=True):
    """An array within."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=5)]


class Outer(msgspec.Struct, array_like=True, tag="outer"):
    """An array with a type."""

    key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    amount: Annotated[int, msgspec.Meta(ge=0, le=10**15)]
    inner: Inner | None
    pairs: tuple[tuple[int, str], ...]


def test_an_array_shows_places_names_types_and_bounds() -> None:
    assert plain_table(Outer).rows == (
        ("0", "", '"`outer`"'),
        ("1", "`key`", "bin 32"),
        ("2", "`amount`", "uint 0..10^15"),
        ("3", "`inner`", "`Inner` or nil"),
        ("4", "`pairs`", "array of [int, str]"),
    )
    assert plain_table(Inner).rows == (("0", "`text`", "str 1..5"),)


def test_a_field_without_a_meaning_and_a_meaning_without_a_field_are_errors() -> None:
    meanings = {"key": "a", "amount": "b", "inner": "c", "pairs": "d"}
    assert [row[3] for row in fields_table(Outer, meanings).rows] == ["The type.", "a", "b", "c", "d"]
    for wrong in ({**meanings, "more": "e"}, {"key": "a"}):
        with pytest.raises(ValueError, match="Outer has the fields"):
            fields_table(Outer, wrong)


def test_only_large_bounds_are_powers() -> None:
    assert [number_text(number) for number in (64, 10_000, 10**15, 2**53, 2**62, 10**15 + 1)] == [
        "64",
        "10000",
        "10^15",
        "2^53",
        "2^62",
        "1000000000000001",
    ]
