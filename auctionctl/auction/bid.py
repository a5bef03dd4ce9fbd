"""What a bidder signs: joining an auction, and bidding in it (DESIGN.md section 8).

The bytes are kept verbatim in the log; the SHA-256 of a bid's bytes is its ``bid_id``, so the same bytes can be sent
again and never count twice. Times are nanoseconds since the Unix epoch; ``not_after`` bounds acceptance, and nothing
else; ``placed_at`` and ``head`` are the bidder's claims.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.rules import Key, Ppm
from auctionctl.auction.terms import Nonce
from auctionctl.errors import RemoteProtocolError

MAX_TIME_NS: Final = 2**62
TimeNs = Annotated[int, msgspec.Meta(ge=0, le=MAX_TIME_NS)]
MAX_SEQ: Final = 2**53


class Join(msgspec.Struct, array_like=True, tag="join", frozen=True, gc=False):
    """The bidder will take part. Its nonce makes each joining a new one.

    ``reputation_ppm`` is the bidder's reputation at this house, in parts per million, where the terms ask for one, and
    0 elsewhere. The bidder states it and the house takes no other than the present one, so that the entry stays the
    bidder's own signed bytes, and the rules need nothing but the log.
    """

    house: Key
    auction: Key
    bidder: Key
    nonce: Nonce
    placed_at_ns: TimeNs
    not_after_ns: TimeNs
    reputation_ppm: Ppm = 0


class Bid(msgspec.Struct, array_like=True, tag="bid", frozen=True, gc=False):
    """An offer of ``amount_minor`` of ``currency``.

    ``seq`` rises from one accepted bid of this bidder in this auction to the next. ``head_size`` and ``head_root`` name
    the head of the log that the bidder had last verified, or are 0 and empty.
    """

    house: Key
    auction: Key
    bidder: Key
    seq: Annotated[int, msgspec.Meta(ge=1, le=MAX_SEQ)]
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)]
    currency: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    placed_at_ns: TimeNs
    not_after_ns: TimeNs
    head_size: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)] = 0
    head_root: Annotated[bytes, msgspec.Meta(max_length=32)] = b""


_encoder = msgspec.msgpack.Encoder()
_bid_decoder = msgspec.msgpack.Decoder(Bid)
_join_decoder = msgspec.msgpack.Decoder(Join)

encode_bid = _encoder.encode
encode_join = _encoder.encode


def decode_bid(data: bytes) -> Bid:
    """A bid from its canonical bytes; RemoteProtocolError for anything else."""
    try:
        bid = _bid_decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"not a bid: {error}") from error
    if _encoder.encode(bid) != data:
        raise RemoteProtocolError("not a bid: not in canonical form")
    if len(bid.head_root) != (32 if bid.head_size else 0):
        raise RemoteProtocolError("not a bid: the head needs a root of 32 bytes, or size 0 and no root")
    return bid


def decode_join(data: bytes) -> Join:
    """A joining from its canonical bytes; RemoteProtocolError for anything else."""
    try:
        join = _join_decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"not a join: {error}") from error
    if _encoder.encode(join) != data:
        raise RemoteProtocolError("not a join: not in canonical form")
    return join
