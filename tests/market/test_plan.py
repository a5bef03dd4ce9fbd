"""A plan says what is held, down to the names."""

from __future__ import annotations

from markets import group, plan


def test_one_bidder_is_called_as_its_group_and_several_are_numbered() -> None:
    assert group("smart", 1).names() == ["smart"]
    assert group("smart", 3, name="keen").names() == ["keen-1", "keen-2", "keen-3"]


def test_there_are_as_many_markets_as_it_takes() -> None:
    assert [plan(auctions=auctions, lots=4).markets for auctions in (1, 4, 5, 8)] == [1, 1, 2, 2]
    assert plan(group(count=3), group("smart", 2)).bidders == 5
