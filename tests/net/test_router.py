"""Whole messages come out of the socket of a gateway, and no key gets in that ZAP does not let in."""

from __future__ import annotations

import pytest
import zmq

from auctionctl.net.router import receive_frames


def test_a_message_comes_with_all_its_frames_or_not_at_all():
    context = zmq.Context()
    router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    router.bind("inproc://router")
    dealer.connect("inproc://router")
    dealer.send_multipart([b"body", b"signature"])
    dealer.send_multipart([b"another"])
    assert router.poll(10_000)
    assert [frame.bytes for frame in receive_frames(router)][1:] == [b"body", b"signature"]
    assert [frame.bytes for frame in receive_frames(router)][1:] == [b"another"]
    with pytest.raises(zmq.Again):
        receive_frames(router)
    for end in (router, dealer):
        end.close(linger=0)
    context.term()
