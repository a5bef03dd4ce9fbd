"""A session is somebody's only after a hello that is signed, meant for this house, and borne out by the allow list."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.house.effects import Greeted, Send
from auctionctl.house.greeting import greet
from auctionctl.wire.messages import Refused, Welcome, decode_reply


def test_whoever_is_on_the_list_is_greeted_and_welcomed_in_this_order(stage: Any, staging: Any) -> None:
    peer, effects = greet(stage.hello(7, "ann"), stage.key, staging.EVERYBODY, stage.now_ns, 12)
    assert peer is not None
    assert (peer.name, peer.role, peer.identity) == ("ann", "bidder", staging.key_of("ann").identity)
    greeted, sent = effects
    assert greeted == Greeted(7, peer.identity, "ann", "bidder")
    assert isinstance(sent, Send)
    welcome = decode_reply(sent.message.body)
    assert isinstance(welcome, Welcome)
    assert (welcome.queue_limit, welcome.time_ns, welcome.identity) == (12, stage.now_ns, peer.identity.signing)
    assert sent.message.signature


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signer": b""}, "not signed by its identity"),
        ({"signer": b"x" * 32}, "not signed by its identity"),
        ({"transport": b"t" * 32}, "made for another connection"),
        ({"body": b"\x91\xa3bye"}, "not signed by its identity"),
        ({"body": b"\x92\xa5hello\xc0"}, "malformed"),
    ],
    ids=["no signature", "another's", "other connection", "no hello", "malformed"],
)
def test_anybody_else_is_refused_and_is_nobody(stage: Any, staging: Any, change: Any, message: str) -> None:
    request = stage.hello(7, "ann")._replace(**change)
    peer, effects = greet(request, stage.key, staging.EVERYBODY, stage.now_ns, 12)
    assert peer is None
    (sent,) = effects
    reply = decode_reply(sent.message.body)
    assert isinstance(reply, Refused)
    assert (reply.code, reply.command) == ("not_authorised", b"")
    assert message in reply.message


def test_whoever_is_not_on_the_list_is_told_so(stage: Any, staging: Any) -> None:
    peer, (sent,) = greet(stage.hello(7, "ann"), stage.key, staging.allowed_with(ben="bidder"), stage.now_ns, 12)
    assert peer is None
    assert "not on the allow list" in decode_reply(sent.message.body).message
