"""conservative: nothing in the first half, and well below the value after that."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.strategies import make
from auctionctl.bidding.strategies.conservative import Conservative
from auctionctl.bidding.strategy import Offer, Wait, value_minor


def test_it_waits_for_half_time_then_bids_the_minimum(view: Any, decide: Callable[..., Any]) -> None:
    half_ns = 150 * SECOND_NS
    assert decide(Conservative(), view(), 0) == Wait(half_ns)
    assert decide(Conservative(), view(), half_ns - 1) == Wait(half_ns)
    assert decide(Conservative(), view(), half_ns) == Offer(1_100)
    assert decide(Conservative(), view(minimum_minor=1_700), half_ns) == Offer(1_700)
    assert decide(Conservative(), view(minimum_minor=1_701), half_ns) == Wait()


def test_a_gap_moves_its_half_time(view: Any, decide: Callable[..., Any]) -> None:
    later = view(opened_at_ns=100 * SECOND_NS, end_ns=500 * SECOND_NS)
    assert decide(Conservative(), later, 250 * SECOND_NS) == Wait(300 * SECOND_NS)


def test_its_patience_can_be_chosen(view: Any, decide: Callable[..., Any]) -> None:
    patient = make("conservative", {"patience": "0.9", "factor": "1"}, currency="EUR")
    assert decide(patient, view(minimum_minor=2_000), 269 * SECOND_NS) == Wait(270 * SECOND_NS)
    assert decide(patient, view(minimum_minor=2_000), 270 * SECOND_NS) == Offer(2_000)


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Conservative(), lambda view, purse, now_ns: value_minor(view, None) * 85 // 100)
    bounds(Conservative(patience=Fraction(0)), lambda view, purse, now_ns: value_minor(view, None) * 85 // 100)
