"""One bid over a session of its own, and its receipt: for a benchmark that asks when a house takes bids again.

Rule: nothing is trusted; whoever asks for the receipt verifies it, against the entry that the bid must have become.
"""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_bytes
from typing import Final

import zmq

from auctionctl.auction.bid import Bid, encode_bid
from auctionctl.errors import AuctionctlError, UnreachableError
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.net.clock import Clock
from auctionctl.net.dealer import configure
from auctionctl.tlog.checkpoint import origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.proof import Receipt, verify_receipt
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.frames import sign_body
from auctionctl.wire.messages import Acknowledged, Welcome, decode_reply
from auctionctl.wire.session import ClientGreeting

PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Placed:
    """One bid that was accepted: the auction, its entry as the house must have logged it, and the receipt."""

    auction: bytes
    entry: bytes
    receipt: Receipt

    def verify(self, house: Identity) -> None:
        """VerificationError or NoteError if the receipt does not hold."""
        origin = origin_of(house.text, f"auction/{self.auction.hex()}")
        verify_receipt(self.receipt, self.entry, origin, house.signing)


def place_one(address: HouseAddress, key: SecretKey, bid: Bid) -> Placed:
    """Send ``bid`` over a session of its own, and wait for its receipt, which is still to be verified.

    Raises AuctionctlError if it is refused, UnreachableError if it is not answered.
    """
    hello = ClientGreeting(key, address.identity, "bidder").hello(token_bytes(16), Clock().now_ns())
    message = sign_body(key, encode_bid(bid))
    context = zmq.Context()
    its_socket = context.socket(zmq.DEALER)
    try:
        configure(its_socket, address, key)
        its_socket.setsockopt(zmq.IMMEDIATE, 0)
        its_socket.setsockopt(zmq.RCVTIMEO, int(PATIENCE_S * 1_000))
        its_socket.connect(address.endpoint)
        for request, expected in ((hello, Welcome), (message, Acknowledged)):
            its_socket.send_multipart(request)
            reply = decode_reply(its_socket.recv_multipart()[0])
            if not isinstance(reply, expected):
                raise AuctionctlError(f"the house answered a bid with {reply}")
    except zmq.Again:
        raise UnreachableError(f"a bid got no answer from {address.endpoint}") from None
    finally:
        its_socket.close(linger=0)
        context.term()
    assert isinstance(reply, Acknowledged)
    ((log,), (item,)) = reply.logs, reply.logs[0].receipts
    entry = encode(Entry(Kind.BID, item.time_ns, message.body, message.signature))
    return Placed(log.auction, entry, Receipt(item.index, item.time_ns, item.proof, log.checkpoint))
