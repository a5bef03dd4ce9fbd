"""English auction: the first bid from the starting price, then a step above the last; the highest wins at its bid."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction import formats
from auctionctl.auction.formats.english import English
from auctionctl.auction.formats.format import Standing
from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.terms import Rules

ANN, BEN = b"a" * 32, b"b" * 32
ENGLISH = English()
RULES = Rules("english", "EUR", 1_000, Fixed(100), 1, 1, 1, 100_000_000)


def under(**changes: object) -> Rules:
    return msgspec.structs.replace(RULES, **changes)


def test_the_first_bid_is_taken_from_the_starting_price() -> None:
    assert ENGLISH.minimum_minor(RULES, None) == 1_000
    assert ENGLISH.refuse(RULES, None, ANN, 1_000) is None
    assert ENGLISH.refuse(RULES, None, ANN, MAX_MINOR) is None
    expected = Refusal(Code.BELOW_STARTING_PRICE, (("amount", 999), ("minimum", 1_000)))
    assert ENGLISH.refuse(RULES, None, ANN, 999) == expected


def test_an_auction_that_starts_at_nothing_still_wants_one_unit() -> None:
    assert ENGLISH.minimum_minor(under(starting_price_minor=0), None) == 1
    assert ENGLISH.refuse(under(starting_price_minor=0), None, ANN, 1) is None
    assert ENGLISH.refuse(under(starting_price_minor=0), None, ANN, 0) is not None


def test_the_next_bid_is_taken_from_price_plus_increment() -> None:
    standing = Standing(1_250, ANN, 4)
    assert ENGLISH.minimum_minor(RULES, standing) == 1_350
    assert ENGLISH.refuse(RULES, standing, BEN, 1_350) is None
    expected = Refusal(Code.BELOW_INCREMENT, (("amount", 1_349), ("price", 1_250), ("minimum", 1_350)))
    assert ENGLISH.refuse(RULES, standing, BEN, 1_349) == expected


def test_an_equal_bid_loses_to_the_one_before_it() -> None:
    refusal = ENGLISH.refuse(under(increment=Fixed(1)), Standing(1_250, ANN, 4), BEN, 1_250)
    assert refusal is not None
    assert refusal.code is Code.BELOW_INCREMENT


@pytest.mark.parametrize(
    ("increment", "minimum_minor"),
    [(Fixed(7), 1_007), (Percent(501), 1_051), (Table(((0, 1), (1_000, 30), (1_001, 900))), 1_030)],
)
def test_the_increment_is_that_of_the_present_price(increment: Fixed | Percent | Table, minimum_minor: int) -> None:
    assert ENGLISH.minimum_minor(under(increment=increment), Standing(1_000, ANN, 4)) == minimum_minor


@pytest.mark.parametrize("amount_minor", [1, 1_250, 1_350, MAX_MINOR])
def test_the_leader_does_not_outbid_itself(amount_minor: int) -> None:
    refusal = ENGLISH.refuse(RULES, Standing(1_250, ANN, 4), ANN, amount_minor)
    assert refusal == Refusal(Code.ALREADY_LEADING, (("price", 1_250),))


@given(st.integers(1, MAX_MINOR), st.integers(0, MAX_MINOR))
def test_the_lot_is_sold_at_the_leaders_own_bid_from_the_reserve_on(price_minor: int, reserve_minor: int) -> None:
    standing = Standing(price_minor, ANN, 4)
    assert ENGLISH.sale(standing, None) == Standing(price_minor, ANN, 4)
    sold = ENGLISH.sale(standing, reserve_minor)
    assert sold == (Standing(price_minor, ANN, 4) if price_minor >= reserve_minor else None)


def test_a_bid_equal_to_the_reserve_meets_it() -> None:
    assert ENGLISH.sale(Standing(1_250, ANN, 4), 1_250) is not None
    assert ENGLISH.sale(Standing(1_249, ANN, 4), 1_250) is None


def test_every_format_stands_in_a_file_of_its_own_name() -> None:
    folder = Path(formats.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "format"}
    assert set(formats.FORMATS) == files == {"english"}
    assert type(formats.FORMATS["english"]) is English


def test_a_format_keeps_no_state() -> None:
    assert not vars(ENGLISH)
