"""Whole messages come out of the socket of a gateway, and no key gets in that ZAP does not let in."""

from __future__ import annotations

import pytest
import zmq

from auctionctl.net.router import receive


def test_a_message_comes_with_all_its_frames_or_not_at_all():
    context = zmq.Context()
    router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    router.bind("inproc://router")
    dealer.connect("inproc://router")
    dealer.send_multipart([b"body", b"signature"])
    dealer.send_multipart([b"another"])
    assert router.poll(10_000)
    route, frames = receive(router)
    assert [frame.bytes for frame in frames] == [b"body", b"signature"]
    another_route, frames = receive(router)
    assert [frame.bytes for frame in frames] == [b"another"]
    assert another_route == route != b""
    with pytest.raises(zmq.Again):
        receive(router)
    for end in (router, dealer):
        end.close(linger=0)
    context.term()
