"""What a house and its gateways say to one another arrives as it was said."""

from __future__ import annotations

import msgspec
import pytest

from auctionctl.net import hops
from auctionctl.net.child_words import encode


@pytest.mark.parametrize(
    ("decode", "message"),
    [
        (
            hops.decode_release,
            hops.Release(
                [1, 2],
                [
                    hops.ToSession(1, b"body", b""),
                    hops.ToFollowers(b"auction", b"body"),
                    hops.Following(1, [b"auction"]),
                    hops.Known(1, b"identity", "bidder"),
                    hops.Admit([b"key"]),
                    hops.LastWord(),
                    hops.Mute(b"identity", 60),
                    hops.Misgreeted(1),
                ],
            ),
        ),
        (hops.decode_from_gateway, hops.Serving()),
        (hops.decode_from_gateway, hops.Ending()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_message_arrives_as_it_was_said(decode, message):
    assert decode(encode(message)) == message


def test_what_is_no_message_of_that_hop_is_not_taken_for_one():
    with pytest.raises(msgspec.DecodeError):
        hops.decode_from_gateway(encode(hops.Release([], [])))
