"""Estimates are shown with fixed digits, the same everywhere."""

from __future__ import annotations

from auctionctl.cli.estimates import as_count, as_share, estimate_record, half_width, in_money, with_interval
from auctionctl.market.statistics import Estimate

ESTIMATE = Estimate(6648.123456789, 10.0)


def test_money_has_two_digits_more_than_its_currency() -> None:
    assert with_interval(ESTIMATE, in_money("EUR"), "EUR") == "66.4812EUR (66.2852 to 66.6772)"
    assert with_interval(ESTIMATE, in_money("JPY")) == "6648.12 (6628.52 to 6667.72)"
    assert half_width(ESTIMATE, in_money("EUR")) == "0.1960"


def test_shares_counts_and_what_is_not_there() -> None:
    assert with_interval(Estimate(0.98765, None), as_share) == "0.9877"
    assert with_interval(Estimate(12.0, 0.5), as_count) == "12.00 (11.02 to 12.98)"
    assert with_interval(Estimate(None, None), as_count) == "-"
    assert half_width(Estimate(1.0, None), as_count) == "-"


def test_json_has_six_digits_and_null_for_what_is_not_there() -> None:
    assert estimate_record(ESTIMATE) == {"mean": 6648.123457, "low": 6628.523817, "high": 6667.723097}
    assert estimate_record(Estimate(1.0, None)) == {"mean": 1.0, "low": None, "high": None}
