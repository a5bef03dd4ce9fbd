"""A figure stands beside its target, and says by itself whether that is met."""

from __future__ import annotations

import pytest

from auctionctl.cli.benchmarks.rows import COLUMNS, Row, at_least, at_most


@pytest.mark.parametrize(
    ("row", "is_met"),
    [
        (Row("a", 1.0, "s", target=at_most(1.0)), True),
        (Row("a", 1.01, "s", target=at_most(1.0)), False),
        (Row("a", 5.0, "s", 0.9, "× bare", at_least(0.9)), True),
        # Where there is a ratio it is what counts, however large the value.
        (Row("a", 5.0, "s", 0.89, "× bare", at_least(0.9)), False),
        (Row("a", 5.0, "s", 0.89, "× bare"), None),
    ],
)
def test_a_target_is_met_on_the_right_side_of_its_limit(row: Row, is_met: bool | None) -> None:
    assert row.is_met is is_met
    assert row.record("x")["is_met"] is is_met
    assert row.cells("x")[-1] == {True: "met", False: "not met", None: ""}[is_met]


def test_a_row_says_value_unit_ratio_and_target() -> None:
    row = Row("bids", 13_512.4, "bids/s", 0.7213, "× bare", at_least(0.9))
    assert dict(zip(COLUMNS, row.cells("throughput"), strict=True)) == {
        "benchmark": "throughput",
        "what": "bids",
        "value": "13512 bids/s",
        "ratio": "0.72 × bare",
        "target": "≥ 0.9",
        "verdict": "not met",
    }
    assert row.record("throughput")["target"] == {"sense": "at_least", "limit": 0.9}
    assert [Row("", value, "ms").cells("")[2] for value in (0.123, 12.34, 123.4)] == ["0.12 ms", "12.3 ms", "123 ms"]
