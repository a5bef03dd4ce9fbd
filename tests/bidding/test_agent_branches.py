"""A bidder at a house of several instances: one bid, whichever takes it, and bidding goes on as they come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.notices import BidAccepted, BidPlaced, Ended, Joined, Result
from auctionctl.bidding.strategy import Offer, Wait
from auctionctl.wire.frames import message_type

A, B, C = "a.example:1", "b.example:2", "c.example:3"
Spread = Callable[..., Any]


class Steadily:
    """Bids the least once a second while somebody else leads."""

    def __init__(self, terms: Any) -> None:
        self.next_ns = 0

    def decide(self, view: Any, purse: Any, now_ns: int, rng: Any) -> Offer | Wait:
        if now_ns < self.next_ns:
            return Wait(self.next_ns)
        self.next_ns = now_ns + SECOND_NS
        return Offer(view.minimum_minor)


def bids_of(world: Any, auction: bytes) -> list[str]:
    return [entry for entry in world.store[world.log(auction).name] if b"\xa3bid" in entry]


def test_a_bid_for_a_log_that_is_elsewhere_goes_there_as_the_same_bytes_and_is_one_bid(spread_over: Spread) -> None:
    world = spread_over(A, B)
    auction = world.announce()
    world.holders[auction] = B
    ann, ben = world.visit("ann", places=[A]), world.visit("ben", places=[A, B])
    world.run(lambda: all(visitor.agent.is_done for visitor in (ann, ben)))
    accepted = [notice for visitor in (ann, ben) for notice in visitor.told(BidAccepted)]
    placed = [notice for visitor in (ann, ben) for notice in visitor.told(BidPlaced)]
    assert accepted
    assert {each.command for each in accepted} <= {each.command for each in placed}
    assert len(bids_of(world, auction)) == len(accepted)
    assert ann.sent_to(B, "bid") or ben.sent_to(B, "bid")
    # Nothing of this was taken at home, and once it is known where the log is, nothing is sent there first.
    assert [visitor.branches.home for visitor in (ann, ben)] == [A, A]
    assert not ann.sent_to(A, "bid") + ben.sent_to(A, "bid")
    assert ann.notes == ben.notes == []


def test_a_house_in_one_place_is_told_nothing_more_than_without_branches(spread_over: Spread, world: Any) -> None:
    spread = spread_over(A)
    for each in (world, spread):
        each.announce()
    lines = [world.add("ann"), world.add("ben")]
    visitors = [spread.visit("ann"), spread.visit("ben")]
    world.finish()
    spread.run(lambda: all(visitor.agent.is_done for visitor in visitors))
    for line, visitor in zip(lines, visitors, strict=True):
        kinds = [message_type(message.body) for message in line.sent]
        assert kinds == [message_type(message.body) for _, message in visitor.sent]
        assert {place for place, _ in visitor.sent} == {A}


@pytest.mark.parametrize("falls_silent", ["killed", "frozen", "deaf"])
def test_bidding_goes_on_where_the_log_is_after_its_holder_has_gone(spread_over: Spread, falls_silent: str) -> None:
    world = spread_over(A, B, C)
    auction = world.announce(duration_ns=60 * SECOND_NS)
    world.holders[auction] = B
    ann, ben = world.visit("ann", make=Steadily, places=[A, B, C]), world.visit("ben", make=Steadily, places=[A, B, C])
    world.run(lambda: bool(ann.told(BidAccepted) or ben.told(BidAccepted)))
    world.strike(B, falls_silent)
    world.run_for(3 * SECOND_NS)
    world.holders[auction] = C
    since_ns, before = world.now_ns, len(bids_of(world, auction))
    world.run(lambda: len(bids_of(world, auction)) > before)
    assert world.now_ns - since_ns < 5 * SECOND_NS
    world.run(lambda: ann.agent.is_done and ben.agent.is_done)
    accepted = [*ann.told(BidAccepted), *ben.told(BidAccepted)]
    assert len(bids_of(world, auction)) == len(accepted) == len({each.command for each in accepted})
    assert {each.outcome.result for each in (*ann.told(Ended), *ben.told(Ended))} == {Result.WON, Result.LOST}


@pytest.mark.parametrize("falls_silent", ["killed", "frozen", "deaf"])
def test_where_the_home_falls_silent_the_next_place_of_the_address_is_the_home(
    spread_over: Spread, falls_silent: str
) -> None:
    world = spread_over(A, B)
    auction = world.announce(duration_ns=60 * SECOND_NS)
    ann, ben = world.visit("ann", make=Steadily), world.visit("ben", make=Steadily)
    world.run(lambda: len(ann.told(Joined)) + len(ben.told(Joined)) == 2)
    world.strike(A, falls_silent)
    world.holders[auction] = B
    before = len(bids_of(world, auction))
    since_ns = world.now_ns
    world.run(lambda: len(bids_of(world, auction)) > before + 1)
    assert world.now_ns - since_ns < 10 * SECOND_NS
    assert ann.branches.home == ben.branches.home == B


def test_subscriptions_follow_a_log_that_is_given_on_while_it_is_followed(spread_over: Spread) -> None:
    world = spread_over(A, B, C)
    auction = world.announce(duration_ns=30 * SECOND_NS)
    ann, ben = world.visit("ann", make=Steadily, places=[A]), world.visit("ben", make=Steadily, places=[C])
    world.run(lambda: bool(ann.told(BidAccepted) or ben.told(BidAccepted)))
    for place in (B, C):
        world.give(auction, place)
        world.run_for(SECOND_NS)
        assert len(world._followers[auction]) == 2
        before = len(bids_of(world, auction))
        world.run(lambda: len(bids_of(world, auction)) > before, within_s=10)  # noqa: B023
    world.run(lambda: ann.agent.is_done and ben.agent.is_done)
    assert {each.outcome.result for each in (*ann.told(Ended), *ben.told(Ended))} == {Result.WON, Result.LOST}
    assert ann.notes == ben.notes == []


def test_a_place_where_nobody_ever_listened_is_passed_over_at_the_start(spread_over: Spread) -> None:
    world = spread_over(A, B, C)
    world.announce()
    world.down |= {B, C}
    ann = world.visit("ann", places=[B, C, A])
    world.run(lambda: ann.agent.is_welcome, within_s=3)
    assert ann.branches.home == A


def test_what_nobody_holds_just_now_is_asked_for_again_when_the_house_says(spread_over: Spread) -> None:
    world = spread_over(A)
    auction = world.announce()
    world.holders[auction] = ""
    ann, ben = world.visit("ann"), world.visit("ben")
    world.run_for(4 * SECOND_NS)
    assert not ann.told(Joined)
    # Not in a hot loop: the subscription and one command, each a few times a second at most.
    assert len(ann.sent) < 60
    world.holders[auction] = A
    world.run(lambda: bool(ann.told(Joined) and ben.told(Joined)), within_s=3)
    world.run(lambda: ann.agent.is_done and ben.agent.is_done)
    assert ann.notes == []


def test_whoever_is_sent_round_in_circles_says_so_once_and_goes_on_when_it_ends(spread_over: Spread) -> None:
    world = spread_over(A, B)
    auction = world.announce(start_timeout_ns=200 * SECOND_NS)
    ann, ben = world.visit("ann", places=[A]), world.visit("ben", places=[A])
    others = {A: B, B: A, "": A}
    told: list[str] = []

    def say_moved(session: int, log: bytes, command: bytes) -> None:
        place = world._at[session][1]
        told.append(place)
        true_holder, world.holders[log] = world.holders.get(log), others[place]
        type(world)._say_moved(world, session, log, command)
        world.holders[log] = true_holder

    world.holders[auction] = "nowhere:9"
    world._say_moved = say_moved
    world.run_for(30 * SECOND_NS)
    assert any("round in circles" in note for note in ann.notes)
    assert len(ann.notes) == 1
    assert len(told) < 300
    del world._say_moved
    world.holders[auction] = B
    world.run(lambda: bool(ann.told(Joined) and ben.told(Joined)), within_s=20)


def test_a_place_that_cannot_be_reached_is_told_of_and_the_home_is_asked_where_else(spread_over: Spread) -> None:
    world = spread_over(A, B, C)
    auction = world.announce(start_timeout_ns=100 * SECOND_NS)
    world.holders[auction] = B
    world.down.add(B)
    ann, ben = world.visit("ann", places=[A]), world.visit("ben", places=[A])
    world.run_for(8 * SECOND_NS)
    assert ann.notes == [f"nobody answers at {B}, where the house says that it takes something"]
    world.holders[auction] = C
    world.run(lambda: bool(ann.told(Joined) and ben.told(Joined)), within_s=3)


def test_sessions_elsewhere_are_few_whatever_the_house_says(spread_over: Spread) -> None:
    world = spread_over(A)
    auction = world.announce(start_timeout_ns=100 * SECOND_NS)
    ann = world.visit("ann")
    world.run_for(SECOND_NS)
    for number in range(25):
        world.give(auction, f"h{number}.example:1")
        world.run_for(3 * SECOND_NS)
    assert len(ann.branches.open_places()) <= 16
    assert any("more than 16 places" in note for note in ann.notes)


def test_a_lot_that_one_instance_does_not_know_yet_is_asked_for_again(spread_over: Spread) -> None:
    world = spread_over(A, B)
    ann = world.visit("ann")
    auction = world.announce()
    hidden = world.house._held.by_id.pop(auction)
    world.run_for(3 * SECOND_NS)
    ben = world.visit("ben", auctions=[auction])
    world.at(world.now_ns + SECOND_NS, lambda: world.house._held.by_id.__setitem__(auction, hidden))
    world.run(lambda: bool(ben.told(Joined)), within_s=10)
    assert not ben.told(Ended)
    assert ann.notes == []
