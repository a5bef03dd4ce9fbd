"""A market is a house and its bidders without keys: the same rules, the same caution with money, a clock of its own."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from markets import MILLISECOND_NS, SECOND_NS, group, plan
from naive_english import NaiveTerms, hold

from auctionctl.auction.bid import Bid
from auctionctl.auction.increments import Fixed
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.bidding.strategies import truthful
from auctionctl.bidding.strategy import AuctionView, Offer, Purse, Wait
from auctionctl.market.floor import Floor
from auctionctl.market.market import Market
from auctionctl.market.plan import Order
from auctionctl.market.values import Recorded, Uniform

STRATEGIES = ("market-value", "aggressive", "conservative", "smart")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Bid, int, Refusal | None]]:
    """Every bid that came before the rules, when, and what they said."""
    found: list[tuple[Bid, int, Refusal | None]] = []
    judge = Floor.judge

    def listen(self: Floor, bid: Bid, now_ns: int) -> Refusal | None:
        refusal = judge(self, bid, now_ns)
        found.append((bid, now_ns, refusal))
        return refusal

    monkeypatch.setattr(Floor, "judge", listen)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_a_naive_auction_of_the_same_bids_has_the_same_winner_and_price(seed: int, heard: list[Any]) -> None:
    rng = random.Random(seed)
    groups = [
        group(
            rng.choice(STRATEGIES),
            rng.randint(1, 3),
            name=f"g{number}",
            latency_ns=rng.choice([0, 20, 300]) * MILLISECOND_NS,
            reaction_ns=(0, rng.choice([0, 100, 2_000]) * MILLISECOND_NS),
        )
        for number in range(rng.randint(1, 3))
    ]
    window, step = rng.choice([0, 5]), rng.randint(50, 500)
    market = Market(
        plan(
            *groups,
            seed=seed,
            increment=Fixed(step),
            duration_ns=30 * SECOND_NS,
            soft_close_window_ns=window * SECOND_NS,
            max_extension_ns=6 * window * SECOND_NS,
        ),
        0,
    )
    (held,) = market.run()
    # The opening is at 0: a row of nobody's at that time says so, and is refused for offering nothing.
    rows = [("nobody", 0, 0), *((bid.bidder.hex(), bid.amount_minor, now_ns) for bid, now_ns, _ in heard)]
    terms = NaiveTerms(1, step, 30 * SECOND_NS, window * SECOND_NS, 6 * window * SECOND_NS)
    winner, price_minor, naively_heard = hold(terms, rows)
    assert held.price_minor == price_minor
    assert (None if held.bidder is None else market.bidders[held.bidder].key.hex()) == winner
    assert [refusal is None for _, _, refusal in heard] == naively_heard[1:]


def test_two_truthful_bidders_pay_the_lower_value_within_a_step() -> None:
    for low, high in ((3_000, 7_000), (7_000, 3_000), (5_000, 5_000)):
        (held,) = Market(plan(group(count=2), values=Recorded(((low, high),))), 0).run()
        assert held.price_minor is not None
        assert abs(held.price_minor - min(low, high)) <= 100
        assert held.value_minor == max(low, high)
        assert held.highest_value_minor == max(low, high)


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("latency_ms", [0, 250])
def test_no_wallet_is_ever_beyond_its_budget_however_many_lots_there_are(order: Order, latency_ms: int) -> None:
    spent_most = 0
    for number in range(30):
        budget_minor = 4_000 + 200 * number
        bidders = group("aggressive", 3, budget_minor=budget_minor, latency_ns=latency_ms * MILLISECOND_NS)
        market = Market(plan(bidders, group(count=1), lots=6, order=order, seed=number), number)
        held = market.run()
        assert [each.lot for each in held] == list(range(6))
        for index, bidder in enumerate(market.bidders):
            paid_minor = sum(each.price_minor or 0 for each in held if each.bidder == index)
            assert paid_minor == bidder.wallet.spent_minor == bidder.wallet.committed_minor
            assert paid_minor <= bidder.wallet.budget.minor
            if index < 3:
                spent_most = max(spent_most, 100 * paid_minor // budget_minor)
    assert spent_most > 90  # the budget was in the way


def test_lots_follow_one_another_or_run_at_once(heard: list[Any]) -> None:
    def spans(order: Order) -> list[tuple[int, int]]:
        heard.clear()
        Market(plan(group(count=2), lots=3, order=order), 0).run()
        times: dict[bytes, list[int]] = {}
        for bid, now_ns, _ in heard:
            times.setdefault(bid.auction, []).append(now_ns)
        return [(min(each), max(each)) for each in times.values()]

    after = spans(Order.SEQUENTIAL)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(after))
    assert max(start for start, _ in spans(Order.CONCURRENT)) < SECOND_NS


def test_of_bids_that_cross_on_their_way_one_is_refused_and_its_bidder_thinks_again(heard: list[Any]) -> None:
    far = group(count=4, latency_ns=400 * MILLISECOND_NS)
    market = Market(plan(far, seed=3), 0)
    (held,) = market.run()
    refused = [refusal.code for _, _, refusal in heard if refusal is not None]
    assert held.rejected == len(refused) == sum(place.rejected for place in market.places[0])
    assert set(refused) == {Code.BELOW_INCREMENT}
    assert held.bids == sum(refusal is None for _, _, refusal in heard) > 20
    assert held.value_minor == held.highest_value_minor


def test_no_bid_is_made_while_one_is_unanswered(heard: list[Any]) -> None:
    latency_ns = 300 * MILLISECOND_NS
    Market(plan(group(count=3, latency_ns=latency_ns, reaction_ns=(0, 10))), 0).run()
    last: dict[bytes, int] = {}
    for bid, now_ns, _ in heard:
        assert bid.placed_at_ns == now_ns - latency_ns
        assert bid.placed_at_ns >= last.get(bid.bidder, -latency_ns) + latency_ns
        last[bid.bidder] = now_ns


def test_a_strategy_is_woken_when_it_asked_for_it_and_offers_that_nobody_may_make_are_none(heard: list[Any]) -> None:
    asked: list[int] = []

    class Sleeper:
        def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: object) -> Offer | Wait:
            asked.append(now_ns)
            if now_ns < 7 * SECOND_NS:
                return Wait(7 * SECOND_NS)
            return Offer(view.minimum_minor - 1) if len(asked) == 2 else Offer(purse.available_minor + 1)

    sleeper = group("s", 1, make=lambda _: Sleeper(), budget_minor=500, reaction_ns=(0, 0))
    (held,) = Market(plan(sleeper), 0).run()
    assert asked == [0, 7 * SECOND_NS]
    assert heard == []
    assert (held.bidder, held.price_minor, held.value_minor) == (None, None, None)


def test_one_that_asks_for_the_past_does_not_stop_the_world() -> None:
    class Hasty:
        def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: object) -> Wait:
            return Wait(0)

    (held,) = Market(plan(group("h", 1, make=lambda _: Hasty()), duration_ns=2 * SECOND_NS), 0).run()
    assert held.bids == 0


def test_whoever_has_said_that_the_price_is_beyond_it_would_not_have_bid_any_more() -> None:
    steady = (50 * MILLISECOND_NS, 50 * MILLISECOND_NS)  # no chance is used up by being asked

    def silent(value_minor: int) -> Any:
        decide = truthful.Truthful(value_minor).decide
        return type("Silent", (), {"decide": staticmethod(decide)})()

    for number in range(10):
        told = Market(plan(group("truthful", 5, reaction_ns=steady), seed=number), 0).run()
        assert told == Market(plan(group("truthful", 5, reaction_ns=steady, make=silent), seed=number), 0).run()


def test_what_a_bidder_believes_may_differ_from_the_value_that_it_gets() -> None:
    beliefs: list[int] = []

    def make(belief_minor: int) -> Any:
        beliefs.append(belief_minor)
        return group().make(belief_minor)

    noisy = group("n", 400, make=make, noise_minor=50)
    Market(plan(noisy, values=Uniform(1_000, 1_000)), 0).run()
    assert min(beliefs) == 950
    assert max(beliefs) == 1_050


def test_the_same_number_is_the_same_market_whatever_ran_before() -> None:
    many = plan(group(count=3), group("aggressive", 2), auctions=3, lots=2, order=Order.CONCURRENT)
    first = [Market(many, number).run() for number in range(3)]
    assert first == [Market(many, number).run() for number in (0, 1, 2)]
    assert Market(many, 2).run() == first[2]
    assert first[0] != first[1]


def test_the_path_of_the_price_is_kept_if_asked_for() -> None:
    (held,) = Market(plan(), 0, is_recorded=True).run()
    assert len(held.path) == held.bids
    assert held.path[-1][1] == held.price_minor
    assert list(held.path) == sorted(held.path)
    assert Market(plan(), 0).run()[0].path == ()
