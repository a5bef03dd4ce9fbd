"""A place in one auction: commands are insisted on, money is freed on proof, and nothing is done twice or in a loop."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.notices import BidAccepted, BidPlaced, BidRejected, Joined, JoinRejected, Result, Skipped
from auctionctl.bidding.seat import QUIET_NS
from auctionctl.bidding.strategy import AuctionView, Offer, Purse, Wait
from auctionctl.bidding.wallet import VOID_MARGIN_NS
from auctionctl.errors import ConfigurationError
from auctionctl.replica.follower import Listed
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import (
    Acknowledged,
    Entries,
    Pong,
    Receipted,
    Receipts,
    Refused,
    decode_reply,
    encode,
)

World = Any


class Says:
    """A strategy that answers what it is told to, whatever that is."""

    def __init__(self, answer: Callable[[AuctionView], Offer | Wait]) -> None:
        self.answer = answer
        self.asked_ns: list[int] = []

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:
        self.asked_ns.append(now_ns)
        return self.answer(view)


def once(amount_minor: int) -> Says:
    """Offers once, and never again."""
    offers = [Offer(amount_minor)]
    return Says(lambda view: offers.pop() if offers else Wait())


def sent(line: Any, kind: str) -> list[bytes]:
    return [message.body for message in line.sent if message_type(message.body) == kind]


def alone(world: World, strategy: Any, budget: str = "100EUR", **terms: Any) -> tuple[bytes, Any]:
    """Ann with this strategy, and ben, who never bids."""
    auction = world.announce(**terms)
    line = world.add("ann", auctions=[auction], budget=budget, make=lambda terms: strategy)
    world.add("ben", auctions=[auction], value="0")
    return auction, line


def test_a_busy_house_gets_the_same_bytes_when_it_said(world: World) -> None:
    _, line = alone(world, once(1_000))
    line.loses = lambda message: message_type(message.body) == "bid"
    world.run(lambda: bool(sent(line, "bid")))
    command = line.told(BidPlaced)[0].command
    busy = Message(encode(Refused("busy", "later", command, 2 * SECOND_NS)))
    assert [notice.code for notice in line.agent.receive(busy, world.now_ns)] == ["busy"]
    world.run_for(2 * SECOND_NS - 1)
    assert len(sent(line, "bid")) == 1
    line.loses = lambda message: False
    world.run(lambda: bool(line.told(BidAccepted)), within_s=1)
    assert len(sent(line, "bid")) == 2
    assert len(set(sent(line, "bid"))) == 1


def test_a_house_cannot_silence_a_bidder_by_being_busy_for_long(world: World) -> None:
    _, line = alone(world, once(1_000), duration_ns=60 * SECOND_NS, bid_timeout_ns=100 * SECOND_NS)
    line.loses = lambda message: message_type(message.body) == "bid"
    world.run(lambda: bool(sent(line, "bid")))
    command = line.told(BidPlaced)[0].command
    line.loses = lambda message: False
    line.agent.receive(Message(encode(Refused("busy", "never", command, 10**15))), world.now_ns)
    line.agent.receive(Message(encode(Refused("busy", "who?", bytes(32), 10**15))), world.now_ns)
    world.run(lambda: bool(line.told(BidAccepted)), within_s=31)


def test_an_unanswered_command_goes_out_again_with_each_welcome(world: World) -> None:
    _, line = alone(world, once(1_000))
    line.loses = lambda message: message_type(message.body) == "bid"
    world.run(lambda: bool(sent(line, "bid")))
    world.disconnect(line)
    line.loses = lambda message: False
    world.connect(line)
    world.run(lambda: line.agent.is_welcome, within_s=1)
    assert len(sent(line, "bid")) == 2
    world.run(lambda: bool(line.told(BidAccepted)), within_s=1)


def test_a_joining_that_came_too_late_is_made_anew(world: World) -> None:
    auction = world.announce()
    line = world.add("ann", auctions=[auction])
    line.loses = lambda message: message_type(message.body) == "join" and not line.told(JoinRejected) and late()

    def late() -> bool:
        return world.now_ns < start_ns + 6 * SECOND_NS

    start_ns = world.now_ns
    world.run(lambda: bool(line.told(Joined)))
    assert [notice.rejection.code for notice in line.told(JoinRejected)] == ["expired"]
    assert line.told(JoinRejected)[0].rule == "a command is accepted until its not_after"
    assert len(set(sent(line, "join"))) == 2


def test_a_bid_of_unknown_fate_is_freed_by_a_signed_answer_after_the_margin_and_not_before(world: World) -> None:
    _, line = alone(world, once(9_000), duration_ns=100 * SECOND_NS)
    line.loses = lambda message: message_type(message.body) == "bid"
    world.run(lambda: bool(line.told(BidPlaced)))
    placed = line.told(BidPlaced)[0]
    free_ns = placed.not_after_ns + VOID_MARGIN_NS
    world.run(lambda: world.now_ns > free_ns + 5 * SECOND_NS)
    assert line.agent.wallet.committed_minor == 9_000
    line.loses = lambda message: False
    world.run(lambda: bool(line.told(BidRejected)), within_s=2)
    assert line.agent.wallet.committed_minor == 0
    assert len(set(sent(line, "bid"))) == 1


def test_a_rejected_bid_is_asked_about_once_more_when_it_is_void(world: World) -> None:
    _, line = alone(world, once(9_000), duration_ns=100 * SECOND_NS)
    placed_ns = []
    line.loses = lambda message: message_type(message.body) == "bid" and early()

    def early() -> bool:
        placed_ns.append(world.now_ns)
        return world.now_ns < placed_ns[0] + 5 * SECOND_NS + 1

    world.run(lambda: bool(line.told(BidRejected)))
    assert line.told(BidRejected)[0].code == "expired"
    free_ns = line.told(BidPlaced)[0].not_after_ns + VOID_MARGIN_NS
    count = len(sent(line, "bid"))
    world.run_for(free_ns - 1 - world.now_ns)
    assert line.agent.wallet.committed_minor == 9_000
    assert len(sent(line, "bid")) == count
    world.run(lambda: line.agent.wallet.committed_minor == 0, within_s=2)
    assert len(sent(line, "bid")) == count + 1
    world.run_for(10 * SECOND_NS)
    assert len(sent(line, "bid")) == count + 1
    assert len(line.told(BidRejected)) == 1


def test_a_new_bid_after_a_rejected_one_has_the_next_seq_and_ties_up_both(world: World) -> None:
    offers = [Offer(2_000), Offer(3_000)]
    _, line = alone(world, Says(lambda view: offers.pop() if offers else Wait()), duration_ns=100 * SECOND_NS)
    line.loses = lambda message: message_type(message.body) == "bid" and not offers_made()

    def offers_made() -> bool:
        return world.now_ns > line.agent_bid_ns + 6 * SECOND_NS

    line.agent_bid_ns = world.now_ns
    world.run(lambda: len(line.told(BidPlaced)) == 2)
    assert [bid.seq for bid in line.told(BidPlaced)] == [1, 2]
    assert [bid.amount_minor for bid in line.told(BidPlaced)] == [3_000, 2_000]
    assert line.agent.wallet.committed_minor == 3_000
    world.run(lambda: bool(line.told(BidAccepted)))
    world.run_for(SECOND_NS)
    assert line.agent.wallet.committed_minor == 2_000


def test_a_bidder_that_is_always_rejected_does_not_flood_the_house(world: World) -> None:
    """Its idea of the house's time is an hour off, so that every bid is dated too far ahead."""
    start_ns = world.now_ns + 15 * SECOND_NS
    strategy = Says(lambda view: Offer(1_000) if world.now_ns >= start_ns else Wait(start_ns))
    _, line = alone(world, strategy, duration_ns=2 * 3_600 * SECOND_NS)
    world.run(lambda: bool(line.told(Joined)))
    line.tamper = an_hour_ahead
    world.run(lambda: bool(line.told(BidRejected)))
    before = len(sent(line, "bid"))
    world.run_for(5 * SECOND_NS)
    assert {notice.code for notice in line.told(BidRejected)} == {"not_after_too_far"}
    assert 10 <= len(sent(line, "bid")) - before <= 20


def test_a_bidder_whose_machine_has_slept_is_set_right_by_a_rejection(world: World) -> None:
    """It believes the house to be an hour behind, so that its bid is void before it is sent; a pong says so again."""
    start_ns = world.now_ns + 15 * SECOND_NS
    strategy = Says(lambda view: Offer(1_000) if world.now_ns >= start_ns else Wait(start_ns - 3_600 * SECOND_NS))
    _, line = alone(world, strategy, duration_ns=2 * 3_600 * SECOND_NS)
    world.run(lambda: bool(line.told(Joined)))
    line.tamper = an_hour_behind
    world.run(lambda: bool(line.told(BidAccepted)))
    assert {notice.code for notice in line.told(BidRejected)} == {"expired"}
    assert len(line.told(BidPlaced)) <= 3


def test_a_rejected_bidder_thinks_again_as_soon_as_the_log_moves(world: World) -> None:
    start_ns = world.now_ns + 15 * SECOND_NS
    strategy = Says(lambda view: Offer(1_000) if world.now_ns >= start_ns else Wait(start_ns))
    auction, line = alone(world, strategy, duration_ns=2 * 3_600 * SECOND_NS)
    world.run(lambda: bool(line.told(Joined)))
    line.tamper = an_hour_ahead
    world.run(lambda: bool(line.told(BidRejected)))
    asked = len(strategy.asked_ns)
    world.add("cleo", auctions=[auction], value="0")
    world.run_for(SECOND_NS // 10)
    assert len(strategy.asked_ns) > asked


def an_hour_ahead(message: Message) -> Message:
    return with_pong_later(message, 3_600 * SECOND_NS)


def an_hour_behind(message: Message) -> Message:
    return with_pong_later(message, -3_600 * SECOND_NS)


def with_pong_later(message: Message, by_ns: int) -> Message:
    reply = decode_reply(message.body)
    if not isinstance(reply, Pong):
        return message
    return Message(encode(replace(reply, time_ns=reply.time_ns + by_ns)))


def test_nobody_joins_after_the_deadline(world: World) -> None:
    auction = world.announce()
    line = world.add("ann", auctions=[auction])
    line.loses = lambda message: message_type(message.body) == "join"
    world.run(lambda: len(sent(line, "join")) == 1)
    line.tamper = an_hour_ahead
    world.run_for(12 * SECOND_NS)
    late = world.add("cleo", auctions=[auction])
    late.tamper = an_hour_ahead
    late.loses = lambda message: message_type(message.body) == "entries" and len(late.sent) < 6
    world.run_for(5 * SECOND_NS)
    assert not sent(late, "join")


@pytest.mark.parametrize("amount_minor", [0, 999, 10_001])
def test_an_offer_that_rules_or_wallet_would_not_allow_is_not_made(world: World, amount_minor: int) -> None:
    strategy = Says(lambda view: Offer(amount_minor))
    auction, line = alone(world, strategy)
    world.finish()
    assert strategy.asked_ns
    assert not sent(line, "bid")
    assert line.agent.outcomes[auction].end_reason == "no_bids"


def test_the_leader_does_not_outbid_itself_whatever_its_strategy_says(world: World) -> None:
    auction, line = alone(world, Says(lambda view: Offer(view.minimum_minor)))
    world.finish()
    assert len(sent(line, "bid")) == 1
    assert line.agent.outcomes[auction].price_minor == 1_000


def test_a_strategy_is_asked_again_when_it_said_and_not_after_the_end(world: World) -> None:
    strategy = Says(lambda view: Wait(view.end_ns - SECOND_NS))
    auction, _ = alone(world, strategy)
    world.finish()
    end_ns = world.log(auction).auction.end_ns
    asked_ns = [at_ns for at_ns in strategy.asked_ns if at_ns >= end_ns - SECOND_NS]
    assert asked_ns[0] == end_ns - SECOND_NS
    assert all(at_ns < end_ns for at_ns in asked_ns)
    # A wait that is over is no reason to spin.
    assert len(asked_ns) <= 101


def test_a_log_that_came_in_part_is_not_bid_on(world: World) -> None:
    """The first slice ends below the checkpoint that it comes with."""
    cut: list[int] = []

    def first_slice(message: Message) -> Message:
        reply = decode_reply(message.body)
        if not isinstance(reply, Entries) or reply.auction != auction or reply.start or cut or len(reply.entries) < 2:
            return message
        cut.append(len(reply.entries))
        return Message(encode(replace(reply, entries=reply.entries[:1])))

    auction = world.announce()
    world.add("ben", auctions=[auction])
    world.run_for(SECOND_NS)
    line = world.add("ann", auctions=[auction])
    line.tamper = first_slice
    world.run(lambda: bool(cut))
    assert not sent(line, "join")
    world.run(lambda: bool(line.told(Joined)), within_s=5)


def test_entries_that_no_checkpoint_covers_free_nothing(world: World) -> None:
    auction = world.announce(duration_ns=60 * SECOND_NS)
    line = world.add("ann", auctions=[auction], make=lambda terms: once(9_000))
    late_ns = world.now_ns + 20 * SECOND_NS
    strategy = Says(lambda view: Offer(view.minimum_minor) if world.now_ns >= late_ns else Wait(late_ns))
    for name in ("ben", "cleo"):
        world.add(name, auctions=[auction], budget="20EUR", make=lambda terms: strategy)
    line.loses = lambda message: message_type(message.body) == "bid"
    world.run(lambda: bool(line.told(BidPlaced)))
    line.loses = lambda message: message_type(message.body) in ("bid", "entries")
    world.run(lambda: world.log(auction).auction.bid_count >= 5)
    cut: list[int] = []

    def all_but_the_last(message: Message) -> Message:
        reply = decode_reply(message.body)
        if not isinstance(reply, Entries) or len(reply.entries) < 2:
            return message
        cut.append(len(reply.entries))
        return Message(encode(replace(reply, entries=reply.entries[:-1])))

    line.tamper = all_but_the_last
    line.loses = lambda message: message_type(message.body) == "bid"
    world.run(lambda: bool(cut))
    replica = line.agent.follower.replicas[auction]
    assert replica.replay.state.last_time_ns > line.told(BidPlaced)[0].not_after_ns + VOID_MARGIN_NS
    assert line.agent.wallet.committed_minor == 9_000
    world.run(lambda: line.agent.wallet.committed_minor == 0, within_s=4)


def test_after_a_reconnection_nothing_is_bid_before_the_log_has_been_read_on(world: World) -> None:
    wake_ns = world.now_ns + 8 * SECOND_NS
    strategy = Says(lambda view: Offer(1_000) if world.now_ns >= wake_ns else Wait(wake_ns))
    _, line = alone(world, strategy)
    world.run(lambda: bool(line.told(Joined)))
    world.run_for(wake_ns - world.now_ns - SECOND_NS)
    world.disconnect(line)
    line.loses = lambda message: message_type(message.body) == "entries"
    world.connect(line)
    world.run_for(3 * SECOND_NS)
    assert line.agent.is_welcome
    assert not line.told(BidPlaced)
    line.loses = lambda message: False
    world.run(lambda: bool(line.told(BidPlaced)), within_s=4)


@pytest.mark.parametrize("duration_s", [20, 21, 22])
def test_a_lost_last_entry_is_read_soon_after_the_deadline(world: World, duration_s: int) -> None:
    auction, line = alone(world, once(1_000), duration_ns=duration_s * SECOND_NS)
    world.run(lambda: bool(line.told(BidAccepted)))
    end_ns = world.log(auction).auction.end_ns
    world.at(end_ns - SECOND_NS // 10, lambda: setattr(line, "loses", lambda message: True))
    world.at(end_ns + SECOND_NS // 10, lambda: setattr(line, "loses", lambda message: False))
    world.run(lambda: line.agent.is_done)
    assert world.now_ns - end_ns < 6 * SECOND_NS // 5


def test_a_lost_outbid_is_noticed_after_a_silence(world: World) -> None:
    auction = world.announce(duration_ns=60 * SECOND_NS)
    line = world.add("ann", auctions=[auction])
    world.add("ben", auctions=[auction], value="0")
    world.run(lambda: bool(line.told(BidAccepted)))
    line.loses = lambda message: message_type(message.body) == "entries"
    world.add("cleo", auctions=[auction], value="11.00")
    world.run(lambda: world.log(auction).auction.standing.price_minor == 1_100)
    line.loses = lambda message: False
    world.run(lambda: world.log(auction).auction.standing.price_minor == 1_200, within_s=QUIET_NS // SECOND_NS + 1)


def test_what_comes_after_the_end_changes_nothing(world: World) -> None:
    auction, line = alone(world, once(9_000), budget="90EUR")
    other = world.add("cleo", "market-value", auctions=[auction], value="95.00")
    world.finish()
    assert line.agent.outcomes[auction].result is not Result.NO_SALE
    committed_minor = line.agent.wallet.committed_minor
    receipts = [Receipted(bytes(32), 1, 1, b"")]
    line.agent.receive(Message(encode(Acknowledged((Receipts(auction, b"", tuple(receipts)),)))), world.now_ns)
    placed = other.told(BidPlaced) + line.told(BidPlaced)
    for watcher in (line, other):
        for notice in placed:
            busy = Message(encode(Refused("busy", "later", notice.command, SECOND_NS)))
            watcher.agent.receive(busy, world.now_ns)
        for body in list(sent(watcher, "bid")):
            message = next(message for message in watcher.sent if message.body == body)
            world.at(world.now_ns, lambda watcher=watcher, message=message: world._arrive(watcher.session, message))
    world.run_for(5 * SECOND_NS)
    assert line.agent.wallet.committed_minor == committed_minor
    assert line.agent.is_done


def test_a_skipped_auction_is_followed_without_a_word(world: World) -> None:
    yen = world.announce("yen", currency="JPY")
    lot = world.announce("lot")
    for name in ("ben", "cleo"):
        world.add(name, auctions=[yen], budget="100JPY", value="9000")
    line = world.add("ann")
    world.add("dora", auctions=[lot], value="0")
    world.finish()
    assert [notice.auction for notice in line.told(Skipped)] == [yen]
    assert set(line.agent.outcomes) == {lot}
    assert {notice.auction for notice in line.told(BidPlaced)} == {lot}


def test_what_we_bid_in_another_currency_is_not_counted_in_ours(world: World) -> None:
    yen, lot = world.announce("yen", currency="JPY"), world.announce("lot")
    world.add("ben", auctions=[yen], budget="100JPY", value="0")
    world.add("cleo", auctions=[lot], value="0")
    line = world.add("ann", auctions=[yen], budget="100JPY", value="9000")
    world.run(lambda: bool(line.told(BidAccepted)))
    world.disconnect(line)
    again = world.add("ann", budget="100EUR")
    world.run(lambda: bool(again.told(Skipped)) and bool(again.told(BidAccepted)))
    world.run_for(SECOND_NS)
    assert [commitment.auction for commitment in again.agent.wallet.commitments()] == [lot]


def test_bids_of_an_earlier_run_must_be_our_own(world: World) -> None:
    auction, line = alone(world, once(1_000))
    world.run(lambda: bool(line.told(BidPlaced)))
    message = line.told(BidPlaced)[0].message
    with pytest.raises(ConfigurationError, match="not ours"):
        world.add("cleo", auctions=[auction], earlier=[message])


def test_goodbye_is_said_once_greeted(world: World) -> None:
    _, line = alone(world, once(1_000))
    world.run(lambda: line.agent.is_welcome)
    line.agent.say_bye()
    assert message_type(line.agent.take_outgoing()[-1].body) == "bye"


def test_nothing_but_a_hello_is_sent_before_the_house_has_welcomed_us(world: World) -> None:
    auction, line = alone(world, once(1_000))
    line.loses = lambda message: message_type(message.body) == "bid"
    world.run(lambda: bool(line.told(BidPlaced)))
    world.disconnect(line)
    line.loses = lambda message: True
    line.sent.clear()
    world.connect(line)
    world.run_for(5 * SECOND_NS)
    line.agent.receive(Message(encode(Acknowledged((Receipts(auction, b"", ()),)))), world.now_ns)
    line.agent.handle_timer(world.now_ns)
    line.sent += line.agent.take_outgoing()
    assert {message_type(message.body) for message in line.sent} == {"hello"}
    assert len(line.sent) >= 2


def test_a_catalogue_adds_nothing_to_what_was_chosen(world: World) -> None:
    auction, line = alone(world, once(1_000))
    world.announce("another")
    world.run(lambda: line.agent.is_welcome)
    line.agent.follower.list_auctions(world.now_ns)
    world.run(lambda: bool(line.told(Listed)))
    world.finish()
    assert set(line.agent.outcomes) == {auction}


def test_a_strategy_that_waited_for_somebody_is_asked_again_when_that_has_come(world: World) -> None:
    answers: list[Offer] = []
    auction, line = alone(world, Says(lambda view: answers.pop() if answers else Wait()))
    world.run(lambda: bool(line.agent.can_bid(auction, world.now_ns)))
    answers.append(Offer(1_500))
    line.agent.look_again(bytes(32), world.now_ns)
    world.run_for(SECOND_NS)
    assert not line.told(BidPlaced)
    line.agent.look_again(auction, world.now_ns)
    world.run(lambda: bool(line.told(BidPlaced)), within_s=1)
    assert line.told(BidPlaced)[0].amount_minor == 1_500


def test_who_is_to_look_again_while_a_bid_is_under_way_does_not_turn_in_circles(world: World) -> None:
    auction, line = alone(world, once(1_000))
    line.loses = lambda message: message_type(message.body) == "bid"
    world.run(lambda: bool(sent(line, "bid")))
    timer_ns = line.agent.get_timer()
    line.agent.look_again(auction, 0)
    assert line.agent.get_timer() == timer_ns
    assert timer_ns > world.now_ns
