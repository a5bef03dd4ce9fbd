"""A house's process says once a second that it lives, and how many auctions run."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from auctionctl.net.control import receive_control
from auctionctl.net.house_words import Alive, decode_from_child
from auctionctl.net.pulse import ALIVE_NS, Pulse
from auctionctl.net.ways import Ways


def test_a_sign_of_life_once_a_second(stage: Any) -> None:
    stage.opened()
    now_ns = stage.now_ns
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pulse = Pulse(theirs, stage.house, Ways())
        pulse.beat(now_ns)
        assert decode_from_child(receive_control(ours)[0]) == Alive(True, 1, ())
        ours.setblocking(False)
        pulse.beat(now_ns + ALIVE_NS - 1)
        with pytest.raises(BlockingIOError):
            ours.recv(1)
        stage.house.gateway_lost(now_ns)
        pulse.beat(now_ns + ALIVE_NS)
        ours.setblocking(True)
        assert decode_from_child(receive_control(ours)[0]) == Alive(False, 1, ())
