"""zi-c: any amount from the minimum to the value, each as likely as any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from auctionctl.bidding.strategies.zi_c import ZeroIntelligence
from auctionctl.bidding.strategy import Wait, value_minor


def test_its_bids_are_spread_evenly_from_the_minimum_to_the_value(view: Any, decide: Callable[..., Any]) -> None:
    counts = Counter(decide(ZeroIntelligence(1_103), view(), 0).amount_minor for _ in range(4_000))
    assert sorted(counts) == [1_100, 1_101, 1_102, 1_103]
    assert all(900 < count < 1_100 for count in counts.values())
    assert decide(ZeroIntelligence(1_099), view(), 0) == Wait()


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(ZeroIntelligence(), lambda view, purse, now_ns: value_minor(view, None))
