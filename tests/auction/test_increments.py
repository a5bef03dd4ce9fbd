"""The step from a price is the one that fractions give; an increment under which prices stand still is refused."""

from __future__ import annotations

import math
from fractions import Fraction

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auctionctl.auction.increments import (
    MAX_BASIS_POINTS,
    MAX_TABLE_ROWS,
    Fixed,
    Increment,
    Percent,
    Table,
    check_increment,
    increment_at,
)
from auctionctl.auction.price import MAX_MINOR
from auctionctl.errors import TermsError

AMOUNTS = st.integers(1, MAX_MINOR)
PRICES = st.integers(0, MAX_MINOR) | st.integers(0, 20_000)
TABLES = st.builds(
    lambda bounds, steps: Table(tuple(zip([0, *sorted(bounds)], steps, strict=False))),
    st.sets(st.integers(1, MAX_MINOR) | st.integers(1, 30), max_size=MAX_TABLE_ROWS - 1),
    st.lists(AMOUNTS, min_size=MAX_TABLE_ROWS, max_size=MAX_TABLE_ROWS),
)
INCREMENTS: st.SearchStrategy[Increment] = (
    st.builds(Fixed, AMOUNTS) | st.builds(Percent, st.integers(1, MAX_BASIS_POINTS)) | TABLES
)


def naive_step(increment: Increment, price_minor: int) -> int:
    """The rule as DESIGN.md states it, without a thought for speed."""
    if isinstance(increment, Fixed):
        return increment.minor
    if isinstance(increment, Percent):
        return max(1, math.ceil(Fraction(price_minor) * Fraction(increment.basis_points, 100) / 100))
    step = 0
    for lower_bound, row_step in increment.rows:
        if lower_bound <= price_minor:
            step = row_step
    return step


@given(INCREMENTS, PRICES)
@example(Percent(1), MAX_MINOR)
@example(Percent(MAX_BASIS_POINTS), MAX_MINOR)
@example(Table(((0, 1), (MAX_MINOR, 7))), MAX_MINOR)
def test_every_step_is_the_one_that_fractions_give(increment: Increment, price_minor: int) -> None:
    check_increment(increment)
    step = increment_at(increment, price_minor)
    assert step == naive_step(increment, price_minor)
    assert step >= 1


@given(TABLES, st.data())
def test_a_row_holds_from_its_lower_bound_to_one_below_the_next(table: Table, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(table.rows) - 1))
    lower_bound, step = table.rows[row]
    assert increment_at(table, lower_bound) == step
    assert increment_at(table, lower_bound + 1) == naive_step(table, lower_bound + 1)
    if row:
        assert increment_at(table, lower_bound - 1) == table.rows[row - 1][1]


@pytest.mark.parametrize(
    ("price_minor", "step"),
    [
        (0, 100),
        (1, 100),
        (49_999, 100),
        (50_000, 2_500),
        (50_001, 2_500),
        (99_999, 2_500),
        (100_000, 5_000),
        (10**15, 5_000),
    ],
)
def test_the_row_with_the_greatest_bound_not_above_the_price_holds(price_minor: int, step: int) -> None:
    assert increment_at(Table(((0, 100), (50_000, 2_500), (100_000, 5_000))), price_minor) == step


@pytest.mark.parametrize(
    ("basis_points", "price_minor", "step"),
    [
        (500, 0, 1),  # never less than one minor unit
        (500, 1, 1),
        (500, 20, 1),
        (500, 21, 2),  # rounded up
        (500, 40, 2),
        (500, 41, 3),
        (1, 10_000, 1),
        (1, 10_001, 2),
        (10_000, 7, 7),
        (100_000, 7, 70),
        (3_333, 3 * 10**14, 99_990_000_000_000),
        (1, 10**15 - 1, 10**11),
    ],
)
def test_a_percentage_is_rounded_up_to_one_unit_at_the_least(basis_points: int, price_minor: int, step: int) -> None:
    assert increment_at(Percent(basis_points), price_minor) == step


@pytest.mark.parametrize(
    "increment",
    [
        Fixed(1),
        Fixed(MAX_MINOR),
        Percent(1),
        Percent(MAX_BASIS_POINTS),
        Table(((0, 1),)),
        Table(((0, MAX_MINOR),)),
        Table(((0, 9), (1, 1))),
        Table(((0, 1), (MAX_MINOR, 1))),
        Table(tuple((n, 1) for n in range(MAX_TABLE_ROWS))),
    ],
)
def test_the_outermost_increments_are_accepted(increment: Increment) -> None:
    check_increment(increment)


@pytest.mark.parametrize(
    ("increment", "message"),
    [
        (Fixed(0), "at least one minor unit"),
        (Fixed(-1), "at least one minor unit"),
        (Fixed(MAX_MINOR + 1), "increment"),
        (Percent(0), "between 0.01% and 1000%"),
        (Percent(-1), "between 0.01% and 1000%"),
        (Percent(MAX_BASIS_POINTS + 1), "between 0.01% and 1000%"),
        (Table(()), "1 to 64 rows, not 0"),
        (Table(tuple((n, 1) for n in range(MAX_TABLE_ROWS + 1))), "1 to 64 rows, not 65"),
        (Table(((1, 1),)), "must start at 0"),
        (Table(((-1, 1), (0, 1))), "must start at 0"),
        (Table(((0, 1), (0, 2))), "must rise"),
        (Table(((0, 1), (5, 1), (5, 1))), "must rise"),
        (Table(((0, 1), (5, 1), (4, 1))), "must rise"),
        (Table(((0, 0),)), "at least one minor unit"),
        (Table(((0, 1), (5, -1))), "at least one minor unit"),
        (Table(((0, MAX_MINOR + 1),)), "increment table"),
        (Table(((0, 1), (MAX_MINOR + 1, 1))), "increment table"),
    ],
)
def test_an_increment_under_which_prices_stand_still_or_run_away_is_refused(increment: Increment, message: str) -> None:
    with pytest.raises(TermsError, match=message):
        check_increment(increment)


def test_a_fourth_kind_of_increment_is_a_fault_of_our_own() -> None:
    with pytest.raises(AssertionError):
        increment_at("half of it", 1)  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        check_increment("half of it")  # type: ignore[arg-type]


def test_increments_have_one_byte_form_each() -> None:
    encode = msgspec.msgpack.encode
    assert encode(Fixed(100)).hex() == "92" + "a56669786564" + "64"
    assert encode(Percent(250)).hex() == "92" + "a770657263656e74" + "ccfa"
    assert encode(Table(((0, 1), (5, 2)))).hex() == "92" + "a57461626c65" + "92" + "920001" + "920502"
