"""Views at random, and the bounds that every strategy keeps on all of them."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from auctionctl.auction.price import MAX_MINOR
from auctionctl.bidding.experience import ClosedLot
from auctionctl.bidding.strategy import AuctionView, Offer, Purse, Strategy, Wait
from auctionctl.bidding.tape import BidTape

amounts = st.one_of(st.integers(0, 20_000), st.integers(0, MAX_MINOR))
times = st.integers(0, 400 * 10**9)


def closed_lot(rng: random.Random) -> ClosedLot:
    """A lot like it or unlike it, sold or not."""
    words = rng.choice((frozenset({"a", "lot"}), frozenset({"lot", "other"}), frozenset({"unlike"})))
    price_minor = rng.choice((None, some_amount(rng)))
    paid_minor = 0 if price_minor is None else rng.choice((0, price_minor))
    estimate_minor = rng.choice((None, 0, some_amount(rng)))
    return ClosedLot(words, "EUR", 0, estimate_minor, price_minor, price_minor is not None, 2, 0, paid_minor)


def some_amount(rng: random.Random) -> int:
    """Small ones and huge ones, and nothing at all."""
    return rng.choice((0, rng.randint(0, 100), rng.randint(0, 20_000), rng.randint(0, MAX_MINOR)))


def view_of(seed: int) -> AuctionView:
    """An open auction as any log may have it, soft closes and gaps included. From a seed: a hundred draws are slow."""
    rng = random.Random(seed)
    duration_ns = rng.randint(1, 300 * 10**9)
    opened_at_ns = rng.randint(0, 400 * 10**9)
    bid_count = rng.choice((0, 1, rng.randint(0, 50)))
    start_minor = some_amount(rng)
    increment_minor = rng.randint(1, 5_000)
    price_minor = start_minor + some_amount(rng) if bid_count else None
    end_ns = opened_at_ns + duration_ns + rng.choice((0, rng.randint(0, 100 * 10**9)))
    tape = BidTape()
    for amount_minor in sorted(some_amount(rng) for _ in range(min(bid_count, 5))):
        tape.add(rng.choice((b"us", b"a", b"b")), amount_minor, opened_at_ns)
    return AuctionView(
        auction=bytes(32),
        title="A lot",
        currency="EUR",
        starting_price_minor=start_minor,
        price_minor=price_minor,
        minimum_minor=max(1, start_minor) if price_minor is None else price_minor + increment_minor,
        increment_minor=increment_minor,
        is_leading=bid_count > 0 and rng.random() < 0.2,
        opened_at_ns=opened_at_ns,
        end_ns=end_ns,
        duration_ns=duration_ns,
        active_bidders=rng.randint(0, bid_count),
        bid_count=bid_count,
        estimate_minor=rng.choice((None, some_amount(rng))),
        soft_close_window_ns=rng.choice((0, rng.randint(0, duration_ns))),
        max_end_ns=end_ns + rng.choice((0, rng.randint(0, 10**9))),
        round_trip_ns=rng.randint(0, 10**9),
        tape=tape,
        own_number=tape.number_of(b"us"),
        closed_lots=tuple(closed_lot(rng) for _ in range(rng.randint(0, 3))),
        lots_open=rng.randint(1, 5),
        lots_to_come=rng.randint(0, 5),
    )


Limit = Callable[[AuctionView, Purse, int], int]


def hold_bounds(made: Strategy, limit_minor: Limit) -> None:
    """On random views, a strategy such as ``made`` keeps to minimum, limit and purse, repeats itself, and waits for the
    future."""

    @settings(max_examples=200, deadline=None)
    @given(st.integers(0, 2**32), amounts, amounts, times)
    def check(seed: int, available_minor: int, budget_minor: int, now_ns: int) -> None:
        view = view_of(seed)
        note(view)
        available_minor = min(available_minor, budget_minor)
        purse = Purse(
            available_minor, budget_minor, budget_minor - available_minor, (budget_minor - available_minor) // 2
        )
        now_ns = min(now_ns, view.end_ns - 1)
        strategy, other = copy.deepcopy(made), copy.deepcopy(made)
        answer = strategy.decide(view, purse, now_ns, random.Random(seed))
        assert answer == other.decide(view, purse, now_ns, random.Random(seed))
        assert answer == strategy.decide(view, purse, now_ns, random.Random(seed))
        ceiling_minor = getattr(made, "ceiling_minor", None)
        assert ceiling_minor is None or view.minimum_minor <= ceiling_minor or answer == Wait()
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
