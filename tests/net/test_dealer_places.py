"""A client of a house in several places, over real sockets: it goes where the house says, and on where one is gone."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
import zmq
from house_clients import HonestBidder, all_join
from house_process import HOUSE_KEY, lot

from auctionctl.auction.command_id import command_id
from auctionctl.errors import UnreachableError
from auctionctl.net.clock import Clock
from auctionctl.replica.destinations import log_of, subscribed_in
from auctionctl.wire.address import HouseAddress, Place
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Catalogue, Hello, Moved, Ping, Pong, decode_request, encode
from auctionctl.wire.session import welcome


class Elsewhere:
    """An instance of the house that holds nothing, and says where everything is: an empty place, if nobody has it."""

    def __init__(self, stack: ExitStack, place: str) -> None:
        context = stack.enter_context(zmq.Context())
        self.router = stack.enter_context(context.socket(zmq.ROUTER))
        self.router.setsockopt(zmq.LINGER, 0)
        self.router.setsockopt(zmq.CURVE_SERVER, 1)
        self.router.setsockopt(zmq.CURVE_SECRETKEY, HOUSE_KEY.transport_secret)
        self.port = self.router.bind_to_random_port("tcp://127.0.0.1")
        self.place = place
        self.taken: set[bytes] = set()
        """The bids and joinings that have come, by their ids: the same bytes again are the same one."""
        self._clock = Clock()

    def turn(self) -> None:
        """Answer what has come."""
        while not self.router.closed and self.router.poll(0):
            route, body, signature = self.router.recv_multipart()
            if message_type(body) in ("bid", "join"):
                self.taken.add(command_id(body))
            for answer in self._answers(Message(body, signature)):
                self.router.send_multipart([route, *answer])

    def _answers(self, message: Message) -> list[Message]:
        match message_type(message.body):
            case "hello":
                hello = decode_request(message.body)
                assert isinstance(hello, Hello)
                return [welcome(HOUSE_KEY, hello, self._clock.now_ns(), 10)]
            case "ping":
                ping = decode_request(message.body)
                assert isinstance(ping, Ping)
                return [Message(encode(Pong(ping.token, self._clock.now_ns())))]
            case "subscribe":
                return [self._moved(log) for log in subscribed_in(message)]
            case "list":
                return [Message(encode(Catalogue(0, 0, ())))]
            case "bid" | "join":
                return [self._moved(log_of(message) or b"", command_id(message.body))]
            case _:
                return []

    def _moved(self, log: bytes, command: bytes = b"") -> Message:
        return Message(encode(Moved(log, self.place, command, 100_000_000)))


def address_of(*ports: int) -> HouseAddress:
    first, *others = [Place("127.0.0.1", port) for port in ports]
    return HouseAddress(HOUSE_KEY.identity, *first, tuple(others))


class Meeting(HonestBidder):
    """A bidder that has an instance elsewhere answer while it takes its turns."""

    def __init__(self, name: str, address: HouseAddress, elsewhere: Elsewhere) -> None:
        super().__init__(name, address)
        self.elsewhere = elsewhere

    def turn(self, tick_s: float = 0.01) -> None:
        self.elsewhere.turn()
        super().turn(tick_s)


def test_a_bid_at_an_instance_that_does_not_hold_the_auction_lands_at_the_one_that_does(
    start_house: Any, bidder_of: Any, stack: ExitStack
) -> None:
    house = start_house(("ann", "ben"), [lot("vase")])
    auction = house.auctions["vase"]
    elsewhere = Elsewhere(stack, f"127.0.0.1:{house.address.port}")
    ann, ben = Meeting("ann", address_of(elsewhere.port), elsewhere), bidder_of("ben", house)
    stack.callback(ann.close)
    ann.core.follow({auction}, 0)
    all_join([ann, ben], [auction])
    assert ann.settle(ann.bid(auction, 10)) == "receipted"
    assert ben.settle(ben.bid(auction, 200)) == "receipted"
    # Followed there too: nobody has to ask for what others bid.
    ann.run_until(lambda: ann.auction(auction).standing.price_minor == 200, "the other's bid")
    assert len(elsewhere.taken) <= 1, "one command at the most is told where the log is, and every later one goes there"
    # The gateway there is gone for a moment: the same session is made anew, from where the home says.
    house.kill("gateway")
    assert ann.settle(ann.bid(auction, 500)) == "receipted"


def test_where_one_place_of_an_address_is_gone_the_other_is_the_home(start_house: Any, stack: ExitStack) -> None:
    house = start_house(("ann", "ben"), [lot("vase")])
    elsewhere = Elsewhere(stack, "")
    elsewhere.router.close()
    bidders = [HonestBidder(name, address_of(elsewhere.port, house.address.port)) for name in ("ann", "ben")]
    for bidder in bidders:
        stack.callback(bidder.close)
    all_join(bidders, [house.auctions["vase"]])
    assert all(bidder.dealer._branches.home == f"127.0.0.1:{house.address.port}" for bidder in bidders)


def test_an_address_of_places_where_nobody_is_or_can_be_says_so_with_all_of_them() -> None:
    bidder = HonestBidder("ann", HouseAddress(HOUSE_KEY.identity, "127.0.0.1", 1, (Place("no-such.invalid", 2),)))
    with pytest.raises(
        UnreachableError, match=r"no house answered at 127\.0\.0\.1:1, no-such\.invalid:2 within 1\.7 s"
    ):
        bidder.dealer.run(print, lambda: False, patience_s=0.2, tick_s=0.01)
    bidder.close()
