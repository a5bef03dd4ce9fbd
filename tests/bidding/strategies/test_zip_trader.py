"""zip: the margin shrinks with what the others bid, learns from what lots were sold for, and is never negative."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.experience import ClosedLot
from auctionctl.bidding.strategies.zip_trader import Zip
from auctionctl.bidding.strategy import Offer, Wait, value_minor
from auctionctl.bidding.tape import BidTape

S = SECOND_NS


def tape(*amounts: int) -> BidTape:
    made = BidTape()
    for amount_minor in amounts:
        made.add(b"other", amount_minor, 0)
    return made


def test_below_its_price_it_bids_the_minimum_at_once(view: Any, decide: Callable[..., Any]) -> None:
    strategy = Zip(2_000)
    assert decide(strategy, view(tape=tape(1_000)), 0) == Offer(1_100)
    assert strategy.price_milli == 1_600_000


def test_a_bid_that_reaches_its_price_moves_that_towards_it_and_so_does_its_standing(
    view: Any, decide: Callable[..., Any]
) -> None:
    strategy = Zip(2_000)
    beyond = view(price_minor=1_700, minimum_minor=1_800, tape=tape(1_700))
    assert decide(strategy, beyond, 0) == Wait(6 * S)
    first = strategy.price_milli
    assert first is not None
    assert 1_600_000 < first < 1_800_000
    assert decide(strategy, beyond, 6 * S - 1) == Wait(12 * S - 1)
    assert strategy.price_milli == first
    answers = [decide(strategy, beyond, k * 6 * S) for k in range(1, 30)]
    assert Offer(1_800) in answers
    assert all(answer == Offer(1_800) for answer in answers[answers.index(Offer(1_800)) :])


def test_its_price_never_rises_above_the_value(view: Any, decide: Callable[..., Any]) -> None:
    strategy = Zip(2_000, rate=Fraction(1), momentum=Fraction(0))
    for amount_minor in range(1_700, 9_000, 300):
        far = view(price_minor=amount_minor, minimum_minor=amount_minor + 100, bid_count=amount_minor, tape=tape(1))
        answer = decide(strategy, far, 0)
        assert strategy.price_milli is not None
        assert strategy.price_milli <= 2_000_000
        assert isinstance(answer, Wait) or answer.amount_minor <= 2_000


def test_similar_lots_that_went_for_less_widen_its_margin(view: Any, decide: Callable[..., Any]) -> None:
    lot = ClosedLot(frozenset({"a", "lot"}), "EUR", 0, None, 800, True, 2, 0, 0)
    unlike = ClosedLot(frozenset({"painting"}), "EUR", 0, None, 800, True, 2, 0, 0)
    prices = []
    for closed in ((), (unlike,), (lot,), (lot,) * 5):
        strategy = Zip(2_000)
        decide(strategy, view(closed_lots=closed, tape=tape(1_000)), 0)
        prices.append(strategy.price_milli or 0)
    assert prices[0] == prices[1] == 1_600_000
    assert prices[0] > prices[2] > prices[3] > 700_000


def test_it_keeps_every_bound(bounds: Callable[..., None]) -> None:
    bounds(Zip(), lambda view, purse, now_ns: value_minor(view, None))
    bounds(Zip(9_000, Fraction(1, 3), Fraction(1), Fraction(0)), lambda view, purse, now_ns: 9_000)
