"""One bid against a real house: a proof, a signed refusal, or a plain word; never a second bid."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from auctionctl.auction.commands import Pause
from auctionctl.auction.increments import Fixed
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.rejection import Code
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.commanding import Commander
from auctionctl.bidding.notices import BidAccepted, BidPlaced, BidRejected, Joined, JoinRejected, Result
from auctionctl.bidding.once import (
    Above,
    Accepted,
    Amount,
    Exactly,
    Halted,
    Least,
    NotHeard,
    NotOpened,
    OneBid,
    Over,
    Rejected,
    StandsStill,
    Unanswered,
    Void,
    amount_minor,
    judge,
)
from auctionctl.errors import MoneyError, RefusedError
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Refused, encode

World = Any


@pytest.fixture
def bid_once(world: World, secret_key: Any) -> Any:
    def start(name: str, auction: bytes, amount: Amount, *, wait_s: int = 30, **undecided: Any) -> Any:
        salt = itertools.count()
        nonces = (name.encode().ljust(8, b".") + next(salt).to_bytes(8, "big") for _ in itertools.count())
        key, house = secret_key(name), world.house.identity
        wait_ns = wait_s * SECOND_NS
        agent = OneBid(key, house, auction, amount, currency="EUR", nonces=nonces, wait_ns=wait_ns, **undecided)
        return world.add_agent(name, agent)

    return start


def ending_of(world: World, line: Any, within_s: int = 120) -> Any:
    world.run(lambda: line.agent.is_done, within_s=within_s)
    return line.agent.ending


def bids_sent(line: Any) -> set[bytes]:
    return {message.body for message in line.sent if message_type(message.body) == "bid"}


@pytest.fixture
def opened(world: World) -> bytes:
    """An auction that is open, with ben in it at the starting price of 10.00EUR."""
    auction = world.announce(min_bidders=1)
    ben = world.add("ben", "market-value", value="10.50EUR", auctions=[auction])
    world.run(lambda: bool(ben.told(BidAccepted)))
    return bytes(auction)


def test_an_acceptable_bid_is_joined_placed_and_proved(world: World, bid_once: Any, opened: bytes) -> None:
    line = bid_once("ann", opened, Exactly(2_000))
    ending = ending_of(world, line)
    assert isinstance(ending, Accepted)
    assert ending.is_leading
    assert ending.notice.amount_minor == 2_000
    assert len(line.told(Joined)) == len(line.told(BidPlaced)) == len(bids_sent(line)) == 1
    assert line.agent.replica.size > ending.notice.evidence.receipt.index


@pytest.mark.parametrize(("amount", "expected"), [(Least(), 1_100), (Above(150), 1_150)])
def test_relative_amounts_are_of_the_price_at_that_moment(
    world: World, bid_once: Any, opened: bytes, amount: Amount, expected: int
) -> None:
    ending = ending_of(world, bid_once("ann", opened, amount))
    assert isinstance(ending, Accepted)
    assert ending.notice.amount_minor == expected


@pytest.mark.parametrize(("amount", "cap_minor"), [(Least(), 1_099), (Above(150), 1_149), (Exactly(2_000), 1_999)])
def test_nothing_is_bid_beyond_the_cap_of_the_auction(
    world: World, bid_once: Any, opened: bytes, amount: Amount, cap_minor: int
) -> None:
    with pytest.raises(MoneyError, match="is this auction's cap"):
        ending_of(world, bid_once("ann", opened, amount, cap_of=lambda _: cap_minor))
    assert bids_sent(world.lines["ann"]) == set()
    world.disconnect(world.lines["ann"])
    ending = ending_of(world, bid_once("ann", opened, amount, cap_of=lambda _: cap_minor + 1))
    assert isinstance(ending, Accepted)
    assert ending.notice.amount_minor == cap_minor + 1


def test_what_the_rules_refuse_is_sent_all_the_same_and_refused_by_the_house(
    world: World, bid_once: Any, opened: bytes
) -> None:
    line = bid_once("ann", opened, Exactly(1_001))
    ending = ending_of(world, line)
    assert isinstance(ending, Rejected)
    assert isinstance(ending.notice, BidRejected)
    assert ending.notice.code == Code.BELOW_INCREMENT
    assert dict(ending.notice.observed)["minimum"] == 1_100
    world.run_for(5 * SECOND_NS)
    assert len(bids_sent(line)) == 1


def test_who_leads_is_told_so_by_the_house(world: World, bid_once: Any, opened: bytes) -> None:
    assert isinstance(ending_of(world, bid_once("ann", opened, Exactly(2_000))), Accepted)
    world.disconnect(world.lines["ann"])
    ending = ending_of(world, bid_once("ann", opened, Exactly(3_000)))
    assert isinstance(ending, Rejected)
    assert isinstance(ending.notice, BidRejected)
    assert ending.notice.code == Code.ALREADY_LEADING


def test_an_opening_is_waited_for(world: World, bid_once: Any) -> None:
    auction = world.announce(min_bidders=2)
    line = bid_once("ann", auction, Exactly(2_000))
    world.run(lambda: bool(line.told(Joined)))
    assert not line.agent.is_done
    world.add("ben", value="5.00EUR", auctions=[auction])
    assert isinstance(ending_of(world, line), Accepted)


@pytest.mark.parametrize("wait_s", [0, 7])
def test_an_opening_that_does_not_come_is_waited_for_no_longer_than_asked(
    world: World, bid_once: Any, wait_s: int
) -> None:
    auction = world.announce(min_bidders=3, start_timeout_ns=3_600 * SECOND_NS)
    before_ns = world.now_ns
    line = bid_once("ann", auction, Exactly(2_000), wait_s=wait_s)
    assert ending_of(world, line) == NotOpened(1, 3)
    assert wait_s * SECOND_NS <= world.now_ns - before_ns <= (wait_s + 1) * SECOND_NS
    assert not bids_sent(line)


def test_joining_that_opens_the_auction_is_enough_without_any_wait(world: World, bid_once: Any) -> None:
    auction = world.announce(min_bidders=1)
    assert isinstance(ending_of(world, bid_once("ann", auction, Exactly(2_000), wait_s=0)), Accepted)


def test_an_auction_that_has_ended_takes_nothing(world: World, bid_once: Any, opened: bytes) -> None:
    world.finish()
    line = bid_once("ann", opened, Exactly(2_000))
    ending = ending_of(world, line)
    assert isinstance(ending, Over)
    assert ending.outcome.result is Result.LOST
    assert not bids_sent(line)


def test_a_seller_is_not_let_in(world: World, bid_once: Any, opened: bytes) -> None:
    assert judge(world.log(opened).auction, world.log(opened).auction.terms.seller, 2_000, world.house_ns) == (
        Code.OWN_AUCTION,
        (),
    )


def test_a_house_that_falls_silent_before_the_bid_is_given_up(world: World, bid_once: Any, opened: bytes) -> None:
    line = bid_once("ann", opened, Exactly(2_000), wait_s=5)
    line.loses = lambda message: message_type(message.body) != "hello"
    assert ending_of(world, line) == NotHeard()
    assert not bids_sent(line)


def test_a_bid_that_is_never_answered_says_until_when_it_may_be_accepted(
    world: World, bid_once: Any, opened: bytes
) -> None:
    line = bid_once("ann", opened, Exactly(2_000))
    world.run(lambda: bool(line.told(Joined)))
    line.loses = lambda message: True
    ending = ending_of(world, line)
    assert isinstance(ending, Unanswered)
    assert world.house_ns > ending.placed.not_after_ns
    assert len(bids_sent(line)) == 1


def test_a_bid_that_the_close_forestalled_is_void(world: World, bid_once: Any) -> None:
    auction = world.announce(min_bidders=1, duration_ns=4 * SECOND_NS)
    line = bid_once("ann", auction, Exactly(2_000))
    line.loses = lambda message: message_type(message.body) == "bid"
    ending = ending_of(world, line)
    assert isinstance(ending, Void)
    assert world.log(auction).auction.outcome is not None


def test_loss_on_the_way_does_not_make_a_second_bid(world: World, bid_once: Any, opened: bytes) -> None:
    line = bid_once("ann", opened, Exactly(2_000))
    line.lose_every(3)
    assert isinstance(ending_of(world, line), Accepted)
    assert len(bids_sent(line)) == 1
    assert not line.told(JoinRejected)


def test_judging_uses_the_rules_and_leaves_the_auction_as_it_is(world: World, secret_key: Any, opened: bytes) -> None:
    auction = world.log(opened).auction
    ann = secret_key("ann").identity.signing
    before = (auction.size, set(auction.present), auction.standing)
    assert judge(auction, ann, 1_100, world.house_ns) is None
    refusal = judge(auction, ann, 1_099, world.house_ns)
    assert refusal is not None
    assert (refusal.code, dict(refusal.observed)["minimum"]) == (Code.BELOW_INCREMENT, 1_100)
    assert (auction.size, set(auction.present), auction.standing) == before


def test_judging_knows_whether_joining_would_open_the_auction(world: World, secret_key: Any) -> None:
    ann = secret_key("ann").identity.signing
    alone, crowd = world.announce(min_bidders=1), world.announce("lot-2", min_bidders=2)
    assert judge(world.log(alone).auction, ann, 1_000, world.house_ns) is None
    refusal = judge(world.log(crowd).auction, ann, 1_000, world.house_ns)
    assert refusal is not None
    assert refusal.code == Code.NOT_OPEN


def test_an_amount_beyond_the_largest_is_none(world: World) -> None:
    auction = world.log(world.announce()).auction
    assert amount_minor(Above(5), auction) == 1_005
    with pytest.raises(MoneyError):
        amount_minor(Above(MAX_MINOR), auction)


def test_what_became_of_a_bid_in_an_archived_auction_is_not_known(world: World, bid_once: Any, opened: bytes) -> None:
    line = bid_once("ann", opened, Exactly(2_000))
    line.loses = lambda message: message_type(message.body) == "bid"
    world.run(lambda: bool(bids_sent(line)))
    world.disconnect(line)
    world.run(lambda: world.log(opened).auction.outcome is not None)
    world.house.forget(world.log(opened))
    world.connect(line)
    ending = ending_of(world, line, within_s=5)
    assert isinstance(ending, Unanswered)
    assert line.agent.wallet.committed_minor == 2_000


def test_a_least_bid_above_the_largest_amount_is_refused_here(world: World, bid_once: Any) -> None:
    auction = world.announce(min_bidders=1, increment=Fixed(MAX_MINOR))
    world.add("ben", value="10.50EUR", auctions=[auction])
    world.run(lambda: world.log(auction).auction.standing is not None)
    state, ann = world.log(auction).auction, world.key.identity.signing
    with pytest.raises(RefusedError, match=r"10000000000010\.00EUR, and the largest amount is 10000000000000\.00EUR"):
        amount_minor(Least(), state)
    with pytest.raises(RefusedError, match="largest amount"):
        judge(state, ann, MAX_MINOR + 1_000, world.house_ns)
    refusal = judge(state, ann, MAX_MINOR, world.house_ns)
    assert refusal is not None
    assert refusal.code is Code.BELOW_INCREMENT
    line = bid_once("ann", auction, Least())
    with pytest.raises(RefusedError, match="largest amount"):
        ending_of(world, line)
    assert not bids_sent(line)


# A run that was cut short, and repeated


@pytest.fixture
def cut_short(world: World, bid_once: Any, opened: bytes) -> Any:
    """A run that ended when it had made its bid, which the house has got or not; returns the bid."""

    def cut(minor: int, *, is_delivered: bool) -> Any:
        line = bid_once("ann", opened, Exactly(minor))
        line.loses = lambda message: message_type(message.body) == "bid" and not is_delivered
        world.run(lambda: bool(line.told(BidPlaced)))
        world.run_for(SECOND_NS // 100)
        world.disconnect(line)
        (placed,) = line.told(BidPlaced)
        return placed

    return cut


@pytest.mark.parametrize("is_delivered", [True, False])
@pytest.mark.parametrize("amount", [Exactly(2_000), Least(), Above(100)])
def test_a_repeated_run_takes_up_the_bid_of_the_first_and_makes_no_second(
    world: World, bid_once: Any, cut_short: Any, is_delivered: bool, amount: Amount
) -> None:
    placed = cut_short(2_000, is_delivered=is_delivered)
    again = bid_once("ann", placed.auction, amount, earlier=[placed.message])
    ending = ending_of(world, again)
    assert isinstance(ending, Accepted)
    assert (ending.is_earlier, ending.is_leading, ending.notice.command) == (True, True, placed.command)
    assert bids_sent(again) <= {placed.message.body}
    assert not again.told(BidPlaced)


def test_another_amount_is_bid_after_what_became_of_the_first_is_known(
    world: World, bid_once: Any, opened: bytes, cut_short: Any
) -> None:
    placed = cut_short(2_000, is_delivered=False)
    again = bid_once("ann", opened, Exactly(3_000), earlier=[placed.message])
    ending = ending_of(world, again)
    assert isinstance(ending, Rejected), "whoever leads does not outbid itself"
    assert isinstance(ending.notice, BidRejected)
    assert (ending.notice.code, ending.notice.seq) == (Code.ALREADY_LEADING, 2)
    assert [notice.command for notice in again.told(BidAccepted)] == [placed.command]


def test_a_bid_that_came_to_nothing_is_made_anew(world: World, bid_once: Any, opened: bytes, cut_short: Any) -> None:
    placed = cut_short(2_000, is_delivered=False)
    world.run(lambda: world.house_ns > placed.not_after_ns)
    again = bid_once("ann", opened, Exactly(2_000), earlier=[placed.message])
    ending = ending_of(world, again)
    assert isinstance(ending, Accepted)
    assert not ending.is_earlier
    assert (ending.notice.seq, ending.notice.amount_minor) == (2, 2_000)
    assert [notice.code for notice in again.told(BidRejected)] == [Code.EXPIRED]


def test_a_repeated_run_that_hears_nothing_says_that_a_bid_was_sent(
    world: World, bid_once: Any, opened: bytes, cut_short: Any
) -> None:
    placed = cut_short(2_000, is_delivered=True)
    again = bid_once("ann", opened, Exactly(2_000), wait_s=5, earlier=[placed.message])
    again.loses = lambda message: message_type(message.body) != "hello"
    ending = ending_of(world, again)
    assert isinstance(ending, Unanswered)
    assert ending.placed == placed


def test_a_bid_whose_acceptance_was_never_told_is_the_answer_even_after_the_end(
    world: World, bid_once: Any, opened: bytes, cut_short: Any
) -> None:
    placed = cut_short(2_000, is_delivered=True)
    world.run(lambda: world.log(opened).auction.outcome is not None)
    ending = ending_of(world, bid_once("ann", opened, Exactly(2_000), earlier=[placed.message]))
    assert isinstance(ending, Accepted)
    assert ending.is_earlier


def test_a_bid_that_was_rejected_is_not_made_by_a_later_run_of_another_amount(
    world: World, bid_once: Any, opened: bytes
) -> None:
    line = bid_once("ben", opened, Exactly(2_000))
    assert isinstance(ending_of(world, line), Rejected), "ben leads already"
    (placed,) = line.told(BidPlaced)
    world.disconnect(line)
    assert isinstance(ending_of(world, bid_once("ann", opened, Least())), Accepted)
    again = bid_once("ben", opened, Least(), refused=[placed.message])
    ending = ending_of(world, again)
    assert isinstance(ending, Accepted)
    assert (ending.notice.amount_minor, ending.notice.seq, ending.is_earlier) == (1_200, 3, False)
    assert placed.message.body not in bids_sent(again)


def test_a_paused_auction_is_waited_for_no_longer_than_asked(world: World, bid_once: Any, secret_key: Any) -> None:
    auction = world.announce(min_bidders=1, duration_ns=3_600 * SECOND_NS)
    world.add("ben", value="10.00", auctions=[auction])
    world.run(lambda: world.log(auction).auction.bid_count == 1)
    operator = Commander(
        secret_key("olga"),
        world.house.identity,
        auction,
        "operator",
        make=lambda state, stamp: Pause(*stamp.fields, "a fire alarm"),
        nonce=bytes(16),
        now_ns=world.now_ns,
    )
    world.add_agent("olga", operator)
    world.run(lambda: operator.is_done)
    line = bid_once("ann", auction, Exactly(2_000), wait_s=5)
    assert ending_of(world, line) == StandsStill(world.log(auction).auction.pauses.end_by_ns())
    assert not bids_sent(line)


def test_what_the_house_says_of_a_halted_auction_is_the_answer(world: World, bid_once: Any, opened: bytes) -> None:
    line = bid_once("ann", opened, Exactly(2_000))
    line.loses = lambda message: message_type(message.body) == "entries" and bool(line.told(BidPlaced))

    def halt(message: Message) -> Message:
        if message_type(message.body) != "acknowledged" or not line.told(BidPlaced):
            return message
        return Message(encode(Refused("halted", "this house has signed for more", line.told(BidPlaced)[0].command)))

    line.tamper = halt
    ending = ending_of(world, line)
    assert isinstance(ending, Halted)
    assert ending.placed == line.told(BidPlaced)[0]
    assert line.agent.wallet.committed_minor == 2_000
