"""One connection of a client: it mends itself, and says so when there is nobody."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest
import zmq
from house_clients import BiddingCore, all_join
from house_process import HOUSE_KEY, PATIENCE_S, key_of, lot

from auctionctl.errors import ConfigurationError, NotAuthorisedError, RemoteProtocolError, UnreachableError
from auctionctl.net.dealer import Dealer
from auctionctl.replica.follower import Welcomed
from auctionctl.tlog.entry import Kind
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.frames import MAX_REPLY_BYTES, Message, message_type
from auctionctl.wire.messages import decode_request


def test_a_restarted_gateway_is_greeted_anew_and_the_replica_catches_up(start_house, bidder_of):
    house = start_house(("ann", "ben", "cleo=observer"), [lot("vase")])
    auction = house.auctions["vase"]
    ann, ben, cleo = bidder_of("ann", house), bidder_of("ben", house), bidder_of("cleo", house, "observer")
    cleo.greet()
    all_join([ann, ben], [auction])
    house.kill("gateway")
    # Cleo sleeps while the others go on.
    assert ann.settle(ann.bid(auction, 10)) == "receipted"
    assert ben.settle(ben.bid(auction, 200)) == "receipted"
    assert cleo.core.greetings == 1
    cleo.run_until(lambda: (state := cleo.auction(auction)) is not None and state.bid_count == 2, "both bids")
    assert cleo.core.greetings == 2
    assert [notice for notice in cleo.notices if isinstance(notice, Welcomed)][1:]
    assert [entry.kind for entry in cleo.log(auction)].count(Kind.BID) == 2
    assert cleo.audited(auction).auction.standing.price_minor == 200


def test_a_client_that_is_first_waits_for_the_house_within_its_patience(start_house, bidder_of):
    house = start_house(("ann",), [lot("vase")])
    ann = bidder_of("ann", house)
    port = house.address.port
    house.signal(15)
    for _ in range(3):
        ann.turn()
    start_house(("ann",), [lot("vase")], port=port)
    ann.greet()


def test_ticks_come_whether_or_not_anything_happens(start_house, bidder_of):
    house = start_house(("ann",), [lot("vase")])
    ann = bidder_of("ann", house)
    ticks: list[None] = []
    notices: list[object] = []
    ann.dealer.run(
        notices.append,
        lambda: len(ticks) >= 20 and bool(notices),
        patience_s=PATIENCE_S,
        tick_s=0.01,
        on_tick=lambda: ticks.append(None),
    )
    assert isinstance(notices[0], Welcomed)


def test_a_role_that_one_does_not_have_is_an_error_that_says_so(start_house, bidder_of):
    house = start_house(("cleo=observer",), [lot("vase")])
    with pytest.raises(NotAuthorisedError, match="cleo is admitted as observer, not as bidder"):
        bidder_of("cleo", house).greet()


@pytest.fixture
def bare_house(stack: ExitStack) -> tuple[zmq.Socket[bytes], HouseAddress]:
    """A socket with a house's keys that answers nothing, and its address."""
    context = stack.enter_context(zmq.Context())
    router = stack.enter_context(context.socket(zmq.ROUTER))
    router.setsockopt(zmq.LINGER, 0)
    router.setsockopt(zmq.RCVTIMEO, int(PATIENCE_S * 1_000))
    router.setsockopt(zmq.CURVE_SERVER, 1)
    router.setsockopt(zmq.CURVE_SECRETKEY, HOUSE_KEY.transport_secret)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    return router, HouseAddress(HOUSE_KEY.identity, "127.0.0.1", port)


def test_a_dealer_that_is_closed_says_goodbye(bare_house):
    router, address = bare_house
    core = BiddingCore(key_of("ann"), address, "bidder")
    dealer = Dealer(core, address, key_of("ann"))
    dealer.run(print, lambda: core.greetings > 0, patience_s=PATIENCE_S)
    dealer.close()
    assert [message_type(router.recv_multipart()[1]) for _ in range(2)] == ["hello", "bye"]


def test_a_house_that_does_not_answer_is_greeted_again_until_the_patience_is_over(bare_house, stack):
    router, address = bare_house
    core = BiddingCore(key_of("ann"), address, "bidder")
    dealer = Dealer(core, address, key_of("ann"))
    stack.callback(dealer.close)
    with pytest.raises(UnreachableError, match=rf"no house answered at 127\.0\.0\.1:{address.port} within 3 s"):
        dealer.run(print, lambda: False, patience_s=3.0)
    nonces = {decode_request(router.recv_multipart()[1]).nonce for _ in range(2)}
    assert len(nonces) == 2, "each hello is a fresh one"


@pytest.mark.parametrize("frames", [(b"one",), (b"", b""), (b"garbage", b""), (bytes(MAX_REPLY_BYTES - 100), b"")])
def test_a_house_that_talks_nonsense_is_not_followed(bare_house, stack, frames):
    router, address = bare_house
    core = BiddingCore(key_of("ann"), address, "bidder")
    dealer = Dealer(core, address, key_of("ann"))
    stack.callback(dealer.close)
    dealer.run(print, lambda: bool(core.greetings and router.poll(0)), patience_s=PATIENCE_S)
    route, *_ = router.recv_multipart()
    router.send_multipart([route, *frames])
    with pytest.raises(RemoteProtocolError):
        dealer.run(print, lambda: False, patience_s=PATIENCE_S)


class Placing(BiddingCore):
    """Says at its first timer that it sends something, and sends it."""

    def get_timer(self):
        return 0 if self.greetings else None

    def take_notices(self):
        self._commands.append(Message(b"\x91\xa3bid"))
        return ["a bid is about to be sent"]

    def take_outgoing(self):
        outgoing, self._outgoing = self._outgoing, []
        commands, self._commands = self._commands, []
        return commands + outgoing


@pytest.mark.parametrize("fails", ["notice", "before sending"])
def test_what_nobody_could_be_told_of_is_not_sent(bare_house, fails):
    """The journal of a bidder is told of a bid first; if its disk is full, the bid must not leave with the goodbye."""
    router, address = bare_house
    dealer = Dealer(Placing(key_of("ann"), address, "bidder"), address, key_of("ann"))
    told: list[object] = []

    def keep(notice):
        told.append(notice)
        if fails == "notice":
            raise ConfigurationError("the disk is full")

    def sync():
        if told:
            raise ConfigurationError("the disk is full")

    with pytest.raises(ConfigurationError, match="the disk is full"):
        dealer.run(keep, lambda: False, patience_s=PATIENCE_S, before_send=sync)
    dealer.close()
    sent = [message_type(router.recv_multipart()[1])]
    while sent[-1] != "bye":
        sent.append(message_type(router.recv_multipart()[1]))
    assert "bid" not in sent


class Reads:
    """Something beside the house: a pipe in which there is always something to read, for so many turns."""

    def __init__(self, turns: int) -> None:
        self.turns = turns
        self.ours, theirs = os.pipe()
        os.write(theirs, b"x")
        os.close(theirs)

    def descriptors(self) -> tuple[int, ...]:
        return (self.ours,) if self.turns > 0 else ()

    def turn(self) -> None:
        self.turns -= 1


def test_what_is_beside_the_house_ends_the_waiting_and_is_let_go_of_when_it_is_over(start_house, bidder_of):
    house = start_house(("ann",), [lot("vase")])
    ann = bidder_of("ann", house)
    ann.greet()
    reads = Reads(400)
    # Were it not watched, each of these turns would last until the next heartbeat.
    ann.dealer.run(lambda notice: None, lambda: reads.turns <= 0, tick_s=60, beside=reads)
    os.close(reads.ours)
    ann.dealer.run(lambda notice: None, lambda: reads.turns <= -4, tick_s=0.01, beside=reads)
