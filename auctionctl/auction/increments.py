"""The least step from one price to the next (DESIGN.md section 6): fixed, a percentage, or a table.

Amounts are minor units. A percentage is in basis points (1/100 of a percent) and is rounded up, to 1 at the least. In a
table the row with the greatest lower bound ≤ price holds.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import assert_never

import msgspec

from auctionctl.auction.price import MAX_MINOR
from auctionctl.errors import TermsError

MAX_BASIS_POINTS = 100_000
MAX_TABLE_ROWS = 64


class Fixed(msgspec.Struct, array_like=True, tag="fixed", frozen=True):
    """The same step at every price."""

    minor: int


class Percent(msgspec.Struct, array_like=True, tag="percent", frozen=True):
    """A share of the price, rounded up."""

    basis_points: int


class Table(msgspec.Struct, array_like=True, tag="table", frozen=True):
    """Rows of (lower bound, step), by rising bound from 0."""

    rows: tuple[tuple[int, int], ...]


Increment = Fixed | Percent | Table


def increment_at(increment: Increment, price_minor: int) -> int:
    """The step from ``price_minor``, at least 1."""
    match increment:
        case Fixed():
            return increment.minor
        case Percent():
            return max(1, -(-price_minor * increment.basis_points // 10_000))
        case Table():
            return increment.rows[bisect_right(increment.rows, price_minor, key=_lower_bound) - 1][1]
        case _:
            assert_never(increment)


def check_increment(increment: Increment) -> None:
    """Raises TermsError for an increment under which prices could stand still or run away."""
    match increment:
        case Fixed(minor):
            if not 1 <= minor <= MAX_MINOR:
                raise TermsError("the increment must be at least one minor unit")
        case Percent(basis_points):
            if not 1 <= basis_points <= MAX_BASIS_POINTS:
                raise TermsError("a percentage increment must be between 0.01% and 1000%")
        case Table(rows):
            _check_rows(rows)
        case _:
            assert_never(increment)


def _check_rows(rows: tuple[tuple[int, int], ...]) -> None:
    if not 1 <= len(rows) <= MAX_TABLE_ROWS:
        raise TermsError(f"an increment table has 1 to {MAX_TABLE_ROWS} rows, not {len(rows)}")
    if rows[0][0] != 0:
        raise TermsError("the first row of an increment table must start at 0")
    if any(below[0] >= above[0] for below, above in pairwise(rows)):
        raise TermsError("the lower bounds of an increment table must rise")
    if any(not 1 <= step <= MAX_MINOR for _, step in rows) or rows[-1][0] > MAX_MINOR:
        raise TermsError("every step of an increment table must be at least one minor unit")


def _lower_bound(row: tuple[int, int]) -> int:
    return row[0]
