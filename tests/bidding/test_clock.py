"""Agents hear how late it is, keep it, and catch a house that dates its entries otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.once import Exactly, OneBid
from auctionctl.errors import VerificationError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.replica.follower import ClockOff, Stamped
from auctionctl.replica.replay import Replay

World = Any


def test_bidders_of_a_short_auction_get_a_stamp_for_every_second_of_it(world: World) -> None:
    auction = world.announce(duration_ns=3 * SECOND_NS)
    lines = [world.add(name, auctions=[auction]) for name in ("ann", "ben")]
    world.finish()
    replay = Replay(world.key.identity.signing, auction)
    for data in world.store[world.log(auction).name]:
        replay.apply(data)
    opened_s, closed_s = replay.state.opened_at_ns // SECOND_NS, replay.state.last_time_ns // SECOND_NS
    for line in lines:
        stamps = line.told(Stamped)
        assert {notice.auction for notice in stamps} == {auction}
        times = {notice.kept.head.time_s for notice in stamps}
        assert set(range(opened_s + 1, closed_s)) <= times <= set(range(opened_s, closed_s + 1))
        assert line.agent.follower.replicas[auction].clock_heads.latest == stamps[-1].kept
        assert line.told(ClockOff) == []


@pytest.mark.parametrize(("by_ns", "rule"), [(-1_500_000_000, "back_dated"), (4 * SECOND_NS, "ahead_of_clock")])
def test_an_agent_stops_at_a_house_that_dates_a_bid_otherwise(
    world: World, monkeypatch: pytest.MonkeyPatch, by_ns: int, rule: str
) -> None:
    auction = world.announce(duration_ns=30 * SECOND_NS)
    ann = world.add("ann", "conservative", auctions=[auction])
    world.add("ben", "conservative", auctions=[auction], patience="0.9")
    world.run(lambda: len(ann.told(Stamped)) >= 3)
    honest = AuctionLog.add_bid
    monkeypatch.setattr(AuctionLog, "add_bid", lambda log, *bid: honest(log, *bid[:-1], bid[-1] + by_ns))
    with pytest.raises(VerificationError) as error:
        world.finish()
    assert error.value.rule == rule
    assert error.value.index == 4
    assert "clock-head.note" in error.value.evidence


@pytest.mark.parametrize("ahead_s", [-60, 60])
def test_an_agent_says_once_that_the_house_lives_in_another_minute(world_with: Any, ahead_s: int) -> None:
    world = world_with(ahead_ns=ahead_s * SECOND_NS)
    auction = world.announce()
    lines = [world.add(name, auctions=[auction]) for name in ("ann", "ben")]
    world.finish()
    for line in lines:
        (off,) = line.told(ClockOff)
        assert abs(off.ahead_ns - ahead_s * SECOND_NS) < SECOND_NS


def test_so_does_one_that_bids_once(world_with: Any, secret_key: Any) -> None:
    world = world_with(ahead_ns=60 * SECOND_NS)
    auction = world.announce(min_bidders=1)
    agent = OneBid(
        secret_key("ann"),
        world.house.identity,
        auction,
        Exactly(1_000),
        currency="EUR",
        nonces=iter([bytes(16), bytes([1]) * 16]),
        wait_ns=9 * SECOND_NS,
    )
    line = world.add_agent("ann", agent)
    world.finish()
    assert len(line.told(ClockOff)) == 1
