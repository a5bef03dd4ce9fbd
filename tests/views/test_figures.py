"""Figures have three digits and the unit that fits."""

from __future__ import annotations

import pytest

from auctionctl.views.figures import duration_text, rate_text, size_text


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "-"),
        (999, "999 ns"),
        (1_000, "1.00 µs"),
        (12_345, "12.3 µs"),
        (4_560_000, "4.56 ms"),
        (1_500_000_000, "1.50 s"),
        (123_400_000_000, "123 s"),
    ],
)
def test_a_duration(duration_ns: int, text: str) -> None:
    assert duration_text(duration_ns) == text


@pytest.mark.parametrize(("size_bytes", "text"), [(0, "-"), (512, "512 B"), (1_536, "1.50 KiB"), (3 << 30, "3.00 GiB")])
def test_a_size(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("count", "span_ns", "text"),
    [(5, 2_000_000_000, "2.5"), (0, 0, "0.0"), (12_345, 1_000_000_000, "12,345"), (10, 1_000_000_000, "10")],
)
def test_a_rate(count: int, span_ns: int, text: str) -> None:
    assert rate_text(count, span_ns) == text
