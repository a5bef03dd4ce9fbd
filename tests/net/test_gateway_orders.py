"""What a gateway is told arrives as it was said."""

from __future__ import annotations

import pytest

from auctionctl.house.limits import Limits
from auctionctl.keys.signing import SecretKey
from auctionctl.net.child_words import HousePipe, Stop, VerifierPipe, encode
from auctionctl.net.gateway_orders import Drain, SetBans, SetLimits, StartGateway, ToGateway, decode_to_gateway
from auctionctl.net.mutes import KeptOut


@pytest.mark.parametrize(
    "message",
    [
        StartGateway("tcp://", b"secret", b"public", b"house", 1 << 32, Limits(queue=5)),
        SetLimits(Limits(queue=5)),
        SetBans([b"banned"], [b"suspect"], [KeptOut(b"key", 5, 9)]),
        Drain(),
        VerifierPipe(3),
        HousePipe(),
        Stop(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_message_arrives_as_it_was_said(message: ToGateway) -> None:
    assert decode_to_gateway(encode(message)) == message


def test_what_carries_a_secret_to_a_gateway_shows_none_of_it() -> None:
    key = SecretKey(b"k" * 32)
    start = StartGateway("tcp://*:1", key.transport_secret, key.identity.transport, key.identity.signing, 0, Limits())
    assert repr(start) == str(start) == "StartGateway('tcp://*:1')"
