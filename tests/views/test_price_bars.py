from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auctionctl.views.price_bars import price_bars
from auctionctl.views.sparkline import BARS


def test_the_least_is_the_lowest_bar_and_the_greatest_the_highest() -> None:
    assert price_bars([None, 100, 150, 200]) == " ▁▄█"
    assert price_bars([5, 5]) == "▁▁"
    assert price_bars([]) == ""
    assert price_bars([None, None]) == "  "


@given(st.lists(st.none() | st.integers(0, 2**62)))
def test_every_value_is_one_character_and_a_greater_one_no_lower_a_bar(values: list[int | None]) -> None:
    line = price_bars(values)
    assert len(line) == len(values)
    bars = sorted((value, BARS.index(bar)) for value, bar in zip(values, line, strict=True) if value is not None)
    assert [bar for _, bar in bars] == sorted(bar for _, bar in bars)
