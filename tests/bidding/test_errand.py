"""An errand greets first, and what did not leave on one connection does not leave on the next unasked."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.bidding.errand import Errand
from auctionctl.replica.follower import Follower
from auctionctl.wire.frames import Message, message_type

WORD = Message(b"\x91\xa4word")


@pytest.fixture
def errand(world: Any, secret_key: Any) -> Errand:
    return Errand(Follower(secret_key("ann"), world.house.identity, "observer"))


def types(errand: Errand) -> list[str]:
    return [message_type(message.body) for message in errand.take_outgoing()]


def test_it_greets_before_it_says_anything(errand: Errand) -> None:
    assert not errand.is_welcome
    errand.connected(bytes(16), 1_000)
    errand._outgoing.append(WORD)
    assert types(errand) == ["hello", "word"]
    assert types(errand) == []


@pytest.mark.parametrize("ends", ["disconnected", "connected"])
def test_what_waited_for_a_connection_is_forgotten_with_it(errand: Errand, ends: str) -> None:
    errand.connected(bytes(16), 1_000)
    errand._outgoing.append(WORD)
    if ends == "disconnected":
        errand.disconnected()
        assert "word" not in types(errand)
    else:
        errand.connected(b"n" * 16, 2_000)
        assert types(errand) == ["hello"]


def test_it_greets_again_where_no_welcome_comes(errand: Errand) -> None:
    errand.connected(bytes(16), 1_000)
    timer_ns = errand.follower.get_timer()
    assert timer_ns is not None
    assert not errand.needs_hello(1_000)
    assert errand.needs_hello(timer_ns)
