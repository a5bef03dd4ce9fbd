"""How many bids a second a simulated market judges on one core, beside what the rules alone take for the same bids.

Truthful bidders, one lot a market. First the bids are written down, then markets and bare rules take turns, on the same
machine in the same minute, each timed by the CPU time of this process: the ratio is what compares. Bare means the same
bids, in the same order, through ``decide`` and ``apply``, and nothing else.
"""

from __future__ import annotations

import statistics
import time
from typing import Any, Final

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid
from auctionctl.auction.increments import Fixed
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.rejection import Refusal
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.strategies import truthful
from auctionctl.cli.output import write_line
from auctionctl.cli.progress import Progress, tell_nobody
from auctionctl.market.casting import strategy_maker
from auctionctl.market.floor import Floor, MarketTerms, terms_of
from auctionctl.market.market import Market
from auctionctl.market.plan import BidderGroup, MarketPlan, Order
from auctionctl.market.values import Uniform
from auctionctl.wire.listing import LotDescription

BIDDERS: Final = 5
RANGE_MINOR: Final = 10_000
STEP_MINOR: Final = RANGE_MINOR // 100
REACTION_NS: Final = (100_000_000, 500_000_000)
MANY_AUCTIONS: Final = 20_000
MICROSECONDS: Final = 1_000_000


class _Listener(Floor):
    """A floor that writes down what it judges."""

    __slots__ = ("heard",)

    def __init__(self, auction_id: bytes, terms: MarketTerms, now_ns: int) -> None:
        super().__init__(auction_id, terms, now_ns)
        self.heard: list[tuple[Bid, int]] = []

    def judge(self, bid: Bid, now_ns: int) -> Refusal | None:
        self.heard.append((bid, now_ns))
        return super().judge(bid, now_ns)


def measure_simulation(auctions: int, runs: int, progress: Progress = tell_nobody) -> dict[str, Any]:
    """Hold ``auctions`` auctions ``runs`` times; returns the figures by name. ``progress`` is told between the runs."""
    plan = _plan(auctions)
    recorded = [_record(plan, number) for number in range(auctions)]
    bids = sum(len(floor.heard) for floor in recorded)
    simulated_s: list[float] = []
    bare_s: list[float] = []
    for number in range(runs):
        progress(number, runs)
        simulated_s.append(_hold(plan))
        bare_s.append(sum(_judge_bare(plan, floor) for floor in recorded))
    return {
        "auctions": auctions,
        "bidders": BIDDERS,
        "bids": bids,
        "runs": runs,
        "bids_per_s": bids / statistics.median(simulated_s),
        "bare_rules_per_s": bids / statistics.median(bare_s),
        "ratio": statistics.median(bare / simulated for bare, simulated in zip(bare_s, simulated_s, strict=True)),
        "auctions_20000_s": statistics.median(simulated_s) / auctions * MANY_AUCTIONS,
    }


def write_simulation(result: dict[str, Any]) -> None:
    """The figures in words."""
    write_line(f"{result['auctions']} auctions of {result['bidders']} bidders, {result['bids']} bids")
    write_line(f"{result['bids_per_s']:.0f} bids/s of CPU time, asked for, tied up in wallets and judged")
    write_line(f"{result['bare_rules_per_s']:.0f} bids/s through the bare rules")
    write_line(f"{result['ratio']:.3f} ratio")
    write_line(f"{result['auctions_20000_s']:.1f} s for 20,000 such auctions")


def _plan(auctions: int) -> MarketPlan:
    lot = LotDescription(
        "lot", "Lot", "credits", 1, increment=Fixed(STEP_MINOR), duration_ns=3_600 * SECOND_NS, min_bidders=1
    )
    make = strategy_maker(truthful.SPEC, {}, lot.currency)
    group = BidderGroup(truthful.SPEC.name, truthful.SPEC.name, make, BIDDERS, MAX_MINOR, REACTION_NS, 0)
    return MarketPlan(terms_of(lot), Uniform(0, RANGE_MINOR), (group,), auctions, 1, Order.SEQUENTIAL, 1)


def _record(plan: MarketPlan, number: int) -> _Listener:
    market = Market(plan, number, floor_of=_Listener)
    market.run()
    (floor,) = market.floors
    market.dissolve()
    assert isinstance(floor, _Listener)
    return floor


def _hold(plan: MarketPlan) -> float:
    begun_s = time.process_time()
    for number in range(plan.markets):
        market = Market(plan, number)
        market.run()
        market.dissolve()
    return time.process_time() - begun_s


def _judge_bare(plan: MarketPlan, heard: _Listener) -> float:
    """Seconds for the same bids in an auction that has just opened: what comes before and after is not counted."""
    floor = Floor(heard.auction.id, plan.terms, 0)
    for bidder in heard.auction.present:
        if floor.auction.is_ready_to_open:
            floor.run_until(0)
        floor.admit(bidder, 0)
    floor.run_until(0)
    auction: Auction = floor.auction
    begun_s = time.process_time()
    for bid, now_ns in heard.heard:
        if auction.decide_bid(bid, now_ns) is None:
            auction.apply_bid(bid, now_ns)
    taken_s = time.process_time() - begun_s
    assert auction.standing == heard.auction.standing
    return taken_s
