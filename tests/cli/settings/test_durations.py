from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.cli.settings.durations import MAX_NS, format_duration, parse_duration
from auctionctl.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("500ms", 500_000_000),
        ("8s", 8_000_000_000),
        ("5m", 300_000_000_000),
        ("2h", 7_200_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("1d", 86_400_000_000_000),
        ("1m5ms", 60_005_000_000),
        ("1us1ns", 1_001),
        (" 3s ", 3_000_000_000),
        ("0s", 0),
    ],
)
def test_a_duration_is_read_exactly(text: str, duration_ns: int) -> None:
    assert parse_duration(text) == duration_ns


@pytest.mark.parametrize(
    "text", ["", "5", "s", "1.5s", "-1s", "30s5m", "5m5m", "5 m", "5min", "٥s", "9" * 20 + "d", "1d!"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_duration(text)


@given(st.integers(0, MAX_NS))
def test_a_written_duration_reads_back_as_itself(duration_ns: int) -> None:
    assert parse_duration(format_duration(duration_ns)) == duration_ns
