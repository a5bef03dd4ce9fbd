"""Agents against a real house: to the close, through loss, reconnection and restart, within one budget, and no lies."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.increments import Fixed
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.notices import (
    BidAccepted,
    BidPlaced,
    BidRejected,
    Ended,
    Joined,
    Outbid,
    Result,
    Resumed,
    Skipped,
    Waiting,
    WaitReason,
)
from auctionctl.bidding.strategies import market_value
from auctionctl.bidding.strategy import Asking, Failed, Wait
from auctionctl.errors import ConfigurationError
from auctionctl.replica.follower import Advanced, Listed, Welcomed
from auctionctl.replica.replay import Replay
from auctionctl.tlog.proof import decode_receipt, verify_proof
from auctionctl.wire.frames import message_type
from auctionctl.wire.messages import Entries, decode_reply

World = Any


def bids_sent(line: Any) -> list[bytes]:
    return [message.body for message in line.sent if message_type(message.body) == "bid"]


def assert_log_replays(world: World, auction: bytes) -> None:
    replay = Replay(world.house.identity.signing, auction)
    for data in world.store[world.log(auction).name]:
        replay.apply(data)
    assert replay.contested == []


def test_three_agents_bid_to_the_close_and_agree_on_the_winner(world: World) -> None:
    auction = world.announce(min_bidders=3)
    ann = world.add("ann", "market-value", value="40.00EUR", auctions=[auction])
    ben = world.add("ben", "aggressive", value="60.00", auctions=[auction])
    cleo = world.add("cleo", "conservative", value="50.00", auctions=[auction])
    world.finish()
    outcomes = {name: line.agent.outcomes[auction] for name, line in world.lines.items()}
    assert {name: outcome.result for name, outcome in outcomes.items()} == {
        "ann": Result.LOST,
        "ben": Result.WON,
        "cleo": Result.LOST,
    }
    price_minor = outcomes["ben"].price_minor
    assert {outcome.price_minor for outcome in outcomes.values()} == {price_minor}
    # Nobody else could go an increment higher: cleo's limit is 42.50.
    assert 4_250 < price_minor + 100 <= 6_700
    assert ben.agent.wallet.committed_minor == price_minor
    assert ann.agent.wallet.committed_minor == cleo.agent.wallet.committed_minor == 0
    assert len(ann.told(Joined)) == len(ann.told(Ended)) == 1
    assert ann.told(Outbid)
    assert ann.told(Welcomed)
    assert ann.told(Advanced)
    assert_log_replays(world, auction)


def test_every_accepted_bid_is_reported_once_with_a_proof_that_stands_alone(world: World) -> None:
    auction = world.announce()
    lines = [world.add(name, auctions=[auction]) for name in ("ann", "ben")]
    world.finish()
    for line in lines:
        accepted = line.told(BidAccepted)
        placed = line.told(BidPlaced)
        refused = {bid.command for bid in line.told(BidRejected)}
        assert accepted
        assert [bid.command for bid in accepted] == [bid.command for bid in placed if bid.command not in refused]
        assert [bid.amount_minor for bid in line.agent.outcomes[auction].bids] == [bid.amount_minor for bid in accepted]
        for notice in accepted + line.told(Joined):
            proof = decode_receipt(notice.evidence.text)
            assert proof.extra == notice.evidence.entry
            origin = line.agent.follower.replicas[auction].origin
            verify_proof(proof, proof.extra, origin, world.house.identity.signing)


def test_nobody_needs_a_clock_that_agrees_with_the_house(world_with: Callable[..., World]) -> None:
    for ahead_ns in (-3_600 * SECOND_NS, 3_600 * SECOND_NS):
        world = world_with(ahead_ns)
        auction = world.announce()
        world.add("ann", "smart", auctions=[auction])
        world.add("ben", "conservative", auctions=[auction])
        world.finish()
        assert world.lines["ann"].agent.outcomes[auction].result is Result.WON
        assert not world.lines["ann"].told(BidRejected)


@pytest.mark.parametrize("every", [3, 4, 5, 7])
def test_lost_messages_cost_time_and_nothing_else(world: World, every: int) -> None:
    auction = world.announce(min_bidders=3, duration_ns=60 * SECOND_NS)
    for name in ("ann", "ben", "cleo"):
        world.add(name, "market-value", value="30.00", auctions=[auction]).lose_every(every)
    world.finish()
    results = [line.agent.outcomes[auction].result for line in world.lines.values()]
    assert sorted(results) == [Result.LOST, Result.LOST, Result.WON]
    assert 2_900 <= world.log(auction).auction.standing.price_minor <= 3_000
    for line in world.lines.values():
        accepted = [bid.command for bid in line.told(BidAccepted)]
        assert len(accepted) == len(set(accepted)) == len(line.agent.outcomes[auction].bids)
    assert_log_replays(world, auction)


def test_an_unanswered_bid_is_sent_again_as_the_same_bytes(world: World) -> None:
    auction = world.announce()
    ann = world.add("ann", auctions=[auction])
    world.add("ben", auctions=[auction], value="0")
    tries = itertools.count(1)
    ann.loses = lambda message: message_type(message.body) == "bid" and next(tries) <= 3
    world.run(lambda: bool(ann.told(BidAccepted)))
    sent = bids_sent(ann)
    assert len(sent) == 4
    assert len(set(sent)) == len(ann.told(BidPlaced)) == 1


def test_a_broken_connection_is_taken_up_where_it_ended(world: World) -> None:
    auction = world.announce()
    ann = world.add("ann", auctions=[auction], value="45.00")
    ben = world.add("ben", auctions=[auction], value="40.00")
    for seconds in range(1, 18):
        line = (ann, ben)[seconds % 2]
        at_ns = world.now_ns + seconds * SECOND_NS
        world.at(at_ns, lambda line=line: world.disconnect(line))
        world.at(at_ns + SECOND_NS // 3, lambda line=line: world.connect(line))
    world.finish()
    assert ann.agent.outcomes[auction].result is Result.WON
    assert ann.agent.outcomes[auction].price_minor in (4_000, 4_100)
    assert_log_replays(world, auction)


def test_a_bidder_that_the_log_says_has_left_joins_again(world: World) -> None:
    auction = world.announce(duration_ns=40 * SECOND_NS)
    ann = world.add("ann", auctions=[auction])
    world.add("ben", auctions=[auction], value="0")
    world.run(lambda: bool(ann.told(BidAccepted)))
    world.disconnect(ann)
    world.run(lambda: len(world.log(auction).auction.present) == 1)
    world.connect(ann)
    world.run(lambda: len(ann.told(Joined)) == 2)
    assert len(world.log(auction).auction.present) == 2


@pytest.mark.parametrize("kept", [0, 2])
def test_a_restarted_agent_carries_on_and_knows_what_it_bid(world: World, kept: int) -> None:
    auction = world.announce()
    ann = world.add("ann", auctions=[auction], value="45.00")
    world.add("ben", auctions=[auction], value="44.00")
    world.run(lambda: len(ann.told(BidAccepted)) >= 5)
    world.disconnect(ann)
    earlier = [notice.message for notice in ann.told(BidPlaced)][len(ann.told(BidPlaced)) - kept :]
    again = world.add("ann", auctions=[auction], value="45.00", earlier=earlier)
    world.finish()
    outcome = again.agent.outcomes[auction]
    assert outcome.result is Result.WON
    assert [bid.seq for bid in outcome.bids] == sorted({bid.seq for bid in outcome.bids})
    assert len(outcome.bids) >= 6
    assert again.agent.wallet.committed_minor == outcome.price_minor
    assert not again.told(BidRejected)


def test_a_bid_in_flight_at_a_restart_is_sent_again_as_the_same_bytes_and_binds_the_wallet(world: World) -> None:
    auction, other = world.announce("lot-1"), world.announce("lot-2")
    ann = world.add("ann", auctions=[auction], budget="10EUR", value="10.00")
    world.add("ben", auctions=[auction, other], value="0")
    world.run(lambda: bool(ann.told(BidPlaced)))
    world.disconnect(ann)
    earlier = [notice.message for notice in ann.told(BidPlaced)]
    again = world.add("ann", auctions=[auction, other], budget="10EUR", value="10.00", earlier=earlier)
    assert again.agent.wallet.available_minor(other) == 0
    world.finish()
    assert again.agent.outcomes[auction].result is Result.WON
    assert set(bids_sent(again)) == {earlier[0].body}
    assert [notice.command for notice in again.told(BidAccepted)] == [ann.told(BidPlaced)[0].command]
    assert again.agent.outcomes[other].result is Result.NO_SALE


def test_what_was_bid_where_we_are_no_longer_to_bid_binds_until_it_is_void_and_is_not_pressed(world: World) -> None:
    auction, other = world.announce("lot-1", duration_ns=60 * SECOND_NS), world.announce("lot-2")
    ann = world.add("ann", auctions=[auction], budget="10EUR", value="10.00")
    world.add("ben", auctions=[auction, other], value="0")
    world.run(lambda: bool(ann.told(BidPlaced)))
    world.disconnect(ann)
    (placed,) = ann.told(BidPlaced)
    again = world.add("ann", auctions=[other], budget="10EUR", value="10.00", earlier=[placed.message])
    world.run(lambda: bool(bids_sent(again)))
    assert world.house_ns > placed.not_after_ns, "nobody wants it any more: it is sent for the proof that it is void"
    assert not again.told(BidPlaced)
    world.run(lambda: again.agent.is_done)
    assert {notice.auction for notice in again.told(BidPlaced)} == {other}
    assert {notice.auction for notice in again.told(Joined)} == {other}
    assert list(again.agent.outcomes) == [other], "done with what was asked for"
    assert again.agent.outcomes[other].result is Result.WON


def test_nothing_is_bid_before_it_is_known_what_an_earlier_run_has_won_and_leads_elsewhere(world: World) -> None:
    won = world.announce("won", min_bidders=1, duration_ns=5 * SECOND_NS)
    leading = world.announce("leading", min_bidders=1, duration_ns=90 * SECOND_NS)
    later = world.announce("later", min_bidders=1, duration_ns=60 * SECOND_NS, start_timeout_ns=60 * SECOND_NS)
    first = world.add("ann", auctions=[won, leading], budget="25EUR")
    world.run(lambda: won in first.agent.outcomes and first.agent.wallet.committed_minor == 2_000)
    world.disconnect(first)
    again = world.add("ann", auctions=[won, leading, later], budget="25EUR")
    slow = {won, leading}
    again.loses = lambda message: is_of(message, slow)
    world.run_for(3 * SECOND_NS)
    assert again.told(Joined), "to join costs nothing"
    slow = {leading}
    world.run_for(3 * SECOND_NS)
    assert not again.told(BidPlaced)
    slow = set()
    world.run_for(10 * SECOND_NS)
    assert not again.told(BidPlaced)
    assert [each.reason for each in again.told(Waiting)] == [WaitReason.BUDGET]
    assert again.agent.wallet.committed_minor == 2_000


def test_whoever_bids_in_all_auctions_knows_what_each_ties_up_before_bidding_in_any(world: World) -> None:
    sent, leading = (world.announce(name, min_bidders=1, duration_ns=90 * SECOND_NS) for name in ("sent", "leading"))
    later = world.announce("later", min_bidders=1, duration_ns=60 * SECOND_NS, start_timeout_ns=60 * SECOND_NS)
    first = world.add("ann", auctions=[sent, leading], budget="25EUR")
    world.run(lambda: len(first.told(BidAccepted)) == 2)
    world.disconnect(first)
    (earlier,) = [placed.message for placed in first.told(BidPlaced) if placed.auction == sent]
    again = world.add("ann", auctions=None, budget="25EUR", earlier=[earlier])
    again.loses = lambda message: message_type(message.body) == "catalogue"
    world.run(lambda: again.agent.wallet.committed_minor == 1_000 and bool(again.told(Resumed)))
    again.loses = lambda message: is_of(message, {leading})
    world.run(lambda: later in {joined.auction for joined in again.told(Joined)})
    world.run_for(3 * SECOND_NS)
    assert not again.told(BidPlaced)
    again.loses = lambda _: False
    world.run(lambda: again.agent.wallet.committed_minor == 2_000)
    world.run_for(3 * SECOND_NS)
    assert not again.told(BidPlaced)


def is_of(message: Any, auctions: set[bytes]) -> bool:
    """Whether this holds entries of one of ``auctions``."""
    if message_type(message.body) != "entries":
        return False
    reply = decode_reply(message.body)
    assert isinstance(reply, Entries)
    return reply.auction in auctions


def test_no_bid_is_handed_out_for_sending_before_its_notice_is(world: World) -> None:
    auction = world.announce(min_bidders=1)
    agent = world.add("ann", auctions=[auction]).agent
    world.run(lambda: agent.can_bid(auction, world.now_ns) or agent.wallet.committed_minor > 0)
    world.lines.clear()
    quiet = world.add("ben", auctions=[auction], value="0").agent
    world.run(lambda: quiet.can_bid(auction, world.now_ns))
    quiet.place(auction, 2_000, world.now_ns)
    sent = [message for message in quiet.take_outgoing() if message_type(message.body) == "bid"]
    assert not sent
    (placed,) = [notice for notice in quiet.take_notices() if isinstance(notice, BidPlaced)]
    assert [message for message in quiet.take_outgoing() if message_type(message.body) == "bid"] == [placed.message]


def test_a_bid_of_another_run_that_is_not_ours_is_not_taken_for_ours(world: World) -> None:
    auction = world.announce(min_bidders=1)
    ann = world.add("ann", auctions=[auction])
    world.run(lambda: bool(ann.told(BidPlaced)))
    (placed,) = ann.told(BidPlaced)
    with pytest.raises(ConfigurationError, match="is not ours"):
        world.add("ben", auctions=[auction], earlier=[placed.message])
    with pytest.raises(ConfigurationError, match="currency"):
        world.add("ann", auctions=[auction], budget="1000JPY", earlier=[placed.message])


def test_two_auctions_share_one_budget_and_freed_money_is_bid_again(world: World) -> None:
    first = world.announce("lot-1", starting_price_minor=3_000)
    second = world.announce("lot-2", starting_price_minor=3_000, duration_ns=40 * SECOND_NS)
    ann = world.add("ann", auctions=[first, second], budget="50EUR")
    world.add("ben", auctions=[first, second], value="0")
    cleo = world.add("cleo", auctions=[first], value="0")
    world.run(lambda: bool(ann.told(BidAccepted)))
    world.run_for(SECOND_NS)
    assert len(ann.told(BidPlaced)) == 1
    assert ann.agent.wallet.committed_minor == 3_000
    taken = ann.told(BidPlaced)[0].auction
    free = second if taken == first else first
    world.disconnect(cleo)
    world.add("cleo", "aggressive", auctions=[taken], value="60.00", budget="60EUR", seed=2)
    world.run(lambda: bool(ann.told(Outbid)))
    world.run_for(SECOND_NS // 20)
    assert {bid.auction for bid in ann.told(BidPlaced)} == {taken, free}
    world.finish()
    won = [outcome for outcome in ann.agent.outcomes.values() if outcome.result is Result.WON]
    assert [outcome.price_minor for outcome in won] == [ann.agent.wallet.committed_minor]
    assert ann.agent.wallet.committed_minor <= 5_000


def test_an_agent_of_all_auctions_finds_each_and_is_done_with_the_last(world: World) -> None:
    ann = world.add("ann")
    world.add("ben", "conservative")
    world.run_for(SECOND_NS)
    assert ann.told(Listed)
    assert not ann.agent.is_done
    first = world.announce("lot-1")
    world.run(lambda: bool(ann.told(Joined)))
    second = world.announce("lot-2", estimate_minor=2_000)
    world.finish()
    assert set(ann.agent.outcomes) == {first, second}


def test_an_agent_of_all_auctions_skips_what_it_cannot_bid_in(world: World) -> None:
    own = world.announce("own", seller="ann", start_timeout_ns=SECOND_NS)
    yen = world.announce("yen", currency="JPY", start_timeout_ns=SECOND_NS)
    lot = world.announce("lot")
    ann = world.add("ann")
    world.add("ben", auctions=[lot], value="0")
    world.finish()
    assert {notice.auction: notice.reason for notice in ann.told(Skipped)} == {
        own: "we are its seller",
        yen: "it is held in JPY, and the budget is in EUR",
    }
    assert set(ann.agent.outcomes) == {lot}


def test_a_chosen_auction_in_another_currency_is_an_error(world: World) -> None:
    yen = world.announce("yen", currency="JPY")
    ann = world.add("ann", auctions=[yen])
    with pytest.raises(ConfigurationError, match="held in JPY"):
        world.run(lambda: ann.agent.is_done)


def test_an_agent_needs_something_to_bid_in(world: World) -> None:
    with pytest.raises(ConfigurationError, match="no auction"):
        world.add("ann", auctions=[])


def test_an_auction_without_bidders_is_no_sale(world: World) -> None:
    auction = world.announce(start_timeout_ns=3 * SECOND_NS)
    ann = world.add("ann", auctions=[auction])
    world.finish()
    outcome = ann.agent.outcomes[auction]
    assert (outcome.result, outcome.end_reason, outcome.price_minor) == (Result.NO_SALE, "cancelled", None)


def test_who_waits_says_once_why(world: World) -> None:
    auction = world.announce(min_bidders=2)
    ann = world.add("ann", value="12.00EUR", auctions=[auction])
    world.run(lambda: bool(ann.told(Waiting)))
    assert ann.told(Waiting) == [Waiting(auction, WaitReason.BIDDERS, (("joined", 1), ("needed", 2)))]
    ben = world.add("ben", value="50.00EUR", auctions=[auction])
    world.finish()
    reasons = [waiting.reason for waiting in ann.told(Waiting)]
    assert reasons == [WaitReason.BIDDERS, WaitReason.VALUE]
    assert dict(ann.told(Waiting)[-1].observed)["minimum"] > 1_200
    assert ben.told(Waiting) == []


@pytest.mark.parametrize(("answer", "reasons"), [(Failed(), [WaitReason.FAILED]), (Asking(), [])])
def test_one_whose_strategy_fails_or_asks_a_person_is_not_told_that_it_does_not_pay(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: Wait, reasons: list[WaitReason]
) -> None:
    monkeypatch.setattr(market_value.MarketValue, "decide", lambda *seen: answer)
    auction = world.announce(min_bidders=1)
    ann = world.add("ann", "market-value", auctions=[auction])
    world.finish()
    assert [each.reason for each in ann.told(Waiting)] == reasons


def test_a_budget_that_is_too_small_is_the_reason_that_is_told(world: World) -> None:
    auction = world.announce(min_bidders=1)
    ann = world.add("ann", budget="5EUR", auctions=[auction])
    world.finish()
    (waiting,) = ann.told(Waiting)
    assert (waiting.reason, dict(waiting.observed)) == (WaitReason.BUDGET, {"minimum": 1_000, "available": 500})


def test_patience_names_its_end(world: World) -> None:
    auction = world.announce(min_bidders=1)
    ann = world.add("ann", "conservative", auctions=[auction])
    world.finish()
    (waiting,) = ann.told(Waiting)
    state = world.log(auction).auction
    assert waiting == Waiting(auction, WaitReason.PATIENCE, (("until", state.opened_at_ns + 10 * SECOND_NS),))


def test_a_new_run_says_at_once_what_an_earlier_one_left(world: World) -> None:
    auction = world.announce(min_bidders=1)
    first = world.add("ann", auctions=[auction])
    world.run(lambda: bool(first.told(BidAccepted)))
    assert first.told(Resumed) == []
    world.disconnect(first)
    second = world.add("ann", auctions=[auction])
    world.run(lambda: bool(second.told(Resumed)))
    (resumed,) = second.told(Resumed)
    assert [bid.amount_minor for bid in resumed.bids] == [1_000]
    assert resumed.is_leading
    world.finish()
    assert len(second.told(Resumed)) == 1
    assert world.add("ann", auctions=[auction]).told(Resumed) == []


def test_an_auction_that_was_archived_meanwhile_counts_as_ended_and_frees_nothing(world: World) -> None:
    auction, other = world.announce(min_bidders=1), world.announce("lot-2", min_bidders=1, duration_ns=90 * SECOND_NS)
    ann = world.add("ann", budget="100EUR", auctions=[auction, other])
    world.run(lambda: len(ann.told(BidAccepted)) == 2)
    committed_minor = ann.agent.wallet.committed_minor
    world.disconnect(ann)
    world.run(lambda: world.log(auction).auction.outcome is not None)
    world.house.forget(world.log(auction))
    world.connect(ann)
    world.run(lambda: bool(ann.told(Ended)))
    outcome = ann.agent.outcomes[auction]
    assert (outcome.result, outcome.end_reason, outcome.price_minor) == (Result.UNKNOWN, "archived", None)
    assert [bid.amount_minor for bid in outcome.bids] == [1_000]
    assert ann.agent.wallet.committed_minor == committed_minor == 2_000
    world.finish()
    assert ann.agent.outcomes[other].result is Result.WON


def test_who_finds_an_archived_auction_alone_is_done(world: World) -> None:
    auction = world.announce(start_timeout_ns=SECOND_NS)
    ann = world.add("ann", auctions=[auction])
    world.disconnect(ann)
    world.run(lambda: world.log(auction).auction.outcome is not None)
    world.house.forget(world.log(auction))
    world.connect(ann)
    world.run(lambda: ann.agent.is_done, within_s=5)


def test_terms_that_ask_for_more_than_there_is_are_the_reason_that_is_told(world: World) -> None:
    auction = world.announce(min_bidders=2, increment=Fixed(MAX_MINOR))
    ann = world.add("ann", budget="10000000000000EUR", value="10000000000000EUR", auctions=[auction])
    ben = world.add("ben", budget="10000000000000EUR", value="10000000000000EUR", auctions=[auction])
    world.finish()
    waiting = [each for line in (ann, ben) for each in line.told(Waiting) if each.reason is not WaitReason.BIDDERS]
    assert waiting == [Waiting(auction, WaitReason.LIMIT, (("minimum", 1_000 + MAX_MINOR),))]
