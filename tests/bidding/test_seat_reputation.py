"""A bidder whose reputation is too low stays out, and one that was stated wrong is stated as the house has it."""

from __future__ import annotations

from typing import Any

from auctionctl.auction.bid import Join, decode_join
from auctionctl.auction.rejection import Code
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.notices import JoinRejected, Result
from auctionctl.bidding.seat import MAX_RESTATEMENTS
from auctionctl.wire.frames import message_type
from auctionctl.wire.messages import Rejection

World = Any


def sent(line: Any, kind: str) -> list[bytes]:
    return [message.body for message in line.sent if message_type(message.body) == kind]


def taking_part(world: World, **terms: Any) -> tuple[bytes, Any]:
    """Ann and ben, of whom the house knows nothing yet."""
    auction = world.announce(**terms)
    line = world.add("ann", auctions=[auction], value="20EUR")
    world.add("ben", auctions=[auction], value="0")
    return auction, line


def test_whoever_has_less_reputation_than_the_terms_ask_for_is_kept_out_and_told_what_both_are(world: World) -> None:
    auction, line = taking_part(world, min_reputation_ppm=600_000)
    world.run(lambda: bool(line.told(JoinRejected)))
    (rejected,) = line.told(JoinRejected)
    assert rejected.rejection.code == Code.LOW_REPUTATION
    assert dict(rejected.rejection.observed) == {"reputation": 500_000, "needed": 600_000}
    assert line.agent.outcomes[auction].result is Result.REFUSED
    world.run_for(20 * SECOND_NS)
    assert len(sent(line, "join")) == 1, "it would be refused again"


def test_a_reputation_that_was_stated_wrong_is_stated_once_more_as_the_house_has_it(world: World) -> None:
    auction, line = taking_part(world, min_reputation_ppm=400_000)
    line.loses = lambda message: message_type(message.body) == "join"
    world.run(lambda: bool(sent(line, "join")))
    line.loses = lambda message: False
    before = decode_join(sent(line, "join")[0])
    assert before.reputation_ppm == 500_000
    seat = line.agent._seats[auction]
    assert seat.keeps_out(wrong_reputation(before, 450_000)) is False
    assert seat.told_ppm == 450_000
    for _ in range(MAX_RESTATEMENTS - 1):
        assert not seat.keeps_out(wrong_reputation(before, 460_000))
    assert seat.keeps_out(wrong_reputation(before, 470_000)), "a house that says another value each time is given up"


def wrong_reputation(join: Join, has_ppm: int) -> Rejection:
    observed = (("stated", join.reputation_ppm), ("reputation", has_ppm))
    return Rejection(join.house, join.auction, bytes(32), Code.WRONG_REPUTATION, observed, 1, join.placed_at_ns)
