"""Views at random, and the bounds that every strategy keeps on all of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auctionctl.auction.price import MAX_MINOR
from auctionctl.bidding.strategy import AuctionView, Offer, Purse, Strategy, Wait

amounts = st.one_of(st.integers(0, 20_000), st.integers(0, MAX_MINOR))
times = st.integers(0, 400 * 10**9)


@st.composite
def views(draw: st.DrawFn) -> AuctionView:
    """An open auction as any log may have it, soft closes and gaps included."""
    duration_ns = draw(st.integers(1, 300 * 10**9))
    opened_at_ns = draw(times)
    bid_count = draw(st.integers(0, 50))
    start_minor = draw(amounts)
    increment_minor = draw(st.integers(1, 5_000))
    price_minor = start_minor + draw(amounts) if bid_count else None
    return AuctionView(
        auction=bytes(32),
        title="A lot",
        currency="EUR",
        starting_price_minor=start_minor,
        price_minor=price_minor,
        minimum_minor=max(1, start_minor) if price_minor is None else price_minor + increment_minor,
        increment_minor=increment_minor,
        is_leading=bid_count > 0 and draw(st.booleans()),
        opened_at_ns=opened_at_ns,
        end_ns=opened_at_ns + duration_ns + draw(st.integers(0, 100 * 10**9)),
        duration_ns=duration_ns,
        active_bidders=draw(st.integers(0, bid_count)),
        bid_count=bid_count,
        estimate_minor=draw(st.none() | amounts),
    )


Limit = Callable[[AuctionView, Purse, int], int]


def hold_bounds(strategy: Strategy, limit_minor: Limit) -> None:
    """On random views, the strategy keeps to minimum, limit and purse, repeats itself, and waits for the future."""

    @settings(max_examples=200, deadline=None)
    @given(views(), amounts, amounts, times, st.integers(0, 2**32))
    def check(view: AuctionView, available_minor: int, budget_minor: int, now_ns: int, seed: int) -> None:
        purse = Purse(min(available_minor, budget_minor), budget_minor)
        now_ns = min(now_ns, view.end_ns - 1)
        answer = strategy.decide(view, purse, now_ns, random.Random(seed))
        assert answer == strategy.decide(view, purse, now_ns, random.Random(seed))
        match answer:
            case Offer(amount_minor):
                assert not view.is_leading
                assert view.minimum_minor <= amount_minor <= purse.available_minor
                assert amount_minor <= limit_minor(view, purse, now_ns)
            case Wait(until_ns):
                assert until_ns is None or now_ns < until_ns <= view.end_ns

    check()


@pytest.fixture(scope="session")
def bounds() -> Callable[[Strategy, Limit], None]:
    return hold_bounds


@pytest.fixture
def rng() -> random.Random:
    return random.Random(1)


@pytest.fixture
def decide(rng: random.Random) -> Callable[..., Any]:
    """What a strategy says of a view at a time, with money for anything."""

    def ask(strategy: Strategy, view: AuctionView, now_ns: int, purse_minor: int = MAX_MINOR) -> Any:
        return strategy.decide(view, Purse(purse_minor, purse_minor), now_ns, rng)

    return ask
