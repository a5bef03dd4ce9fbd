from __future__ import annotations

from auctionctl.auction.terms import SECOND_NS
from auctionctl.views.price_history import MAX_POINTS, PriceHistory

START_NS = 1_700_000_000 * SECOND_NS


def test_the_price_holds_from_one_bid_to_the_next() -> None:
    history = PriceHistory()
    history.add(START_NS + 3 * SECOND_NS, 100)
    history.add(START_NS + 7 * SECOND_NS, 200)
    assert history.trend(START_NS, START_NS + 10 * SECOND_NS, 5).prices == (None, 100, 100, 200, 200)


def test_only_bids_of_the_last_minute_count() -> None:
    history = PriceHistory()
    for second in (0, 1, 1, 50):
        history.add(START_NS + second * SECOND_NS, 100 + second)
    assert [history.trend(START_NS, START_NS + now * SECOND_NS, 1).bids_a_minute for now in (55, 60, 61, 111)] == [
        4,
        3,
        1,
        0,
    ]


def test_nobody_bids_for_what_has_ended_and_its_price_is_told_until_its_end() -> None:
    history = PriceHistory()
    history.add(START_NS + 3 * SECOND_NS, 100)
    history.add(START_NS + 7 * SECOND_NS, 200)
    assert history.whole(START_NS, START_NS + 10 * SECOND_NS, 5) == (0, (None, 100, 100, 200, 200))


def test_of_very_many_bids_some_are_forgotten_and_the_newest_never() -> None:
    history = PriceHistory()
    for number in range(20 * MAX_POINTS):
        history.add(START_NS + number * 1_000_000, number)
    count = 20 * MAX_POINTS
    trend = history.trend(START_NS, START_NS + (count - 1) * 1_000_000, 4)
    assert trend.prices[-1] == count - 1
    assert all(abs(price - count * n // 4) < 64 for n, price in enumerate(trend.prices, 1) if price is not None)
    assert len(history._times_ns) == len(history._minors) <= MAX_POINTS
    assert trend.bids_a_minute == count


def test_an_auction_without_bids_has_no_prices() -> None:
    assert PriceHistory().trend(0, START_NS, 3) == (0, (None, None, None))
