"""A share is shown as what somebody would write, and never as more than it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.cli.settings.shares import PPM_A_PERCENT, format_share
from auctionctl.cli.settings.toml_table import TomlTable

WHOLE_PPM = 100 * PPM_A_PERCENT


@pytest.mark.parametrize(
    ("ppm", "text"),
    [
        (0, "0%"),
        (99, "0%"),
        (100, "0.01%"),
        (500_000, "50%"),
        (714_285, "71.42%"),
        (999_999, "99.99%"),
        (10**6, "100%"),
    ],
)
def test_a_share_is_shown_with_no_more_digits_than_it_has(ppm: int, text: str) -> None:
    assert format_share(ppm) == text


@given(st.integers(0, WHOLE_PPM))
def test_what_is_shown_reads_as_no_more_than_it_was_and_less_by_less_than_a_hundredth(ppm: int) -> None:
    table = TomlTable(Path("a file"), "here", {"share": format_share(ppm)}, frozenset({"share"}))
    assert 0 <= ppm - table.share_ppm("share", -1) < 100
