"""A row of numbers can be read off its bars."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auctionctl.views.sparkline import BARS, sparkline


def test_the_highest_is_a_full_bar_and_nothing_is_the_lowest() -> None:
    assert sparkline((0, 1, 50, 100), 10) == "▁▂▄█"
    assert sparkline((0, 0), 10) == "▁▁"
    assert (sparkline((), 10), sparkline((1, 2), 0)) == ("", "")


@given(st.lists(st.integers(0, 10**9), max_size=40), st.integers(1, 30))
def test_it_is_as_wide_as_asked_and_never_turns_an_order_around(values: list[int], width: int) -> None:
    line = sparkline(values, width)
    shown = values[-width:]
    assert len(line) == len(shown)
    heights = [BARS.index(bar) for bar in line]
    assert sorted(zip(shown, heights, strict=True)) == sorted(zip(sorted(shown), sorted(heights), strict=True))
    assert all((height == 0) == (value == 0) for value, height in zip(shown, heights, strict=True))
