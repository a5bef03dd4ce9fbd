"""Whatever a session sends is known to be of the log that it is about, so that it can go where that is written."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.bid import Bid, Join, encode_bid, encode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import AnyCommand, Capacity, encode_command
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.destinations import is_of, log_of, names_of, subscribed_in, subscription
from auctionctl.replica.registry import REGISTRY_ID, Revoke, encode_registry_event
from auctionctl.wire.frames import Message, sign_body
from auctionctl.wire.messages import Bye, Finish, List, Ping, Read, Remind, Status, Subscribe, encode

KEY = SecretKey(b"k" * 32)
A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
FIELDS: dict[str, Any] = {
    "house": B,
    "auction": A,
    "actor": C,
    "nonce": b"n" * 16,
    "placed_at_ns": 1,
    "not_after_ns": 2,
    "reason": "why",
    "reference": "ref",
    "amount_minor": 100,
    "currency": "EUR",
    "bid_index": 3,
    "capacity": Capacity.SELLER,
    "payment": b"p" * 32,
    "offer": b"o" * 32,
    "bidder": b"b" * 32,
}
COMMANDS = [
    encode_bid(Bid(B, A, C, 1, 100, "EUR", 12, 13, 3, A)),
    encode_join(Join(B, A, C, b"n" * 16, 12, 13)),
    *(encode_command(of(**{name: FIELDS[name] for name in of.__struct_fields__})) for of in AnyCommand.__args__),
]


@pytest.mark.parametrize("body", COMMANDS, ids=lambda body: body[2 : 2 + (body[1] & 31)].decode())
def test_a_command_is_about_its_auction_whether_it_is_sent_or_brought_for_a_former_key(body: bytes) -> None:
    command = sign_body(KEY, body)
    assert log_of(command) == A
    assert names_of(command) == (command_id(body),)
    brought = sign_body(KEY, encode(Finish(B, C, *command)))
    assert log_of(brought) == A
    assert names_of(brought) == (command_id(brought.body), command_id(body))


def test_terms_changes_of_keys_and_the_catalogue_are_about_the_registry() -> None:
    revoked = sign_body(KEY, encode_registry_event(Revoke(B, C, C)))
    assert log_of(revoked) == REGISTRY_ID
    assert log_of(Message(encode(List(0)))) == REGISTRY_ID
    assert log_of(Message(b"\x92\xa5terms\x01", b"s" * 64)) == REGISTRY_ID


def test_a_command_is_of_its_log_and_of_no_other_but_terms_of_the_auction_that_they_make() -> None:
    for body in COMMANDS:
        command = sign_body(KEY, body)
        assert [is_of(command, log) for log in (A, B, REGISTRY_ID, command_id(body))] == [True, False, False, False]
    terms = Message(b"\x92\xa5terms\x01", b"s" * 64)
    assert [is_of(terms, log) for log in (A, REGISTRY_ID, command_id(terms.body))] == [False, True, True]


@pytest.mark.parametrize("log", [A, REGISTRY_ID])
def test_questions_are_about_the_log_that_they_name(log: bytes) -> None:
    assert log_of(Message(encode(Read(log, 7)))) == log
    assert log_of(Message(encode(Remind(log, b"note")))) == log


@pytest.mark.parametrize("message", [Bye(), Ping(1), Status(), Subscribe((A, B))])
def test_what_is_about_no_log_or_several_is_about_none(message: Any) -> None:
    assert log_of(Message(encode(message))) is None
    assert names_of(Message(encode(message))) == ()


def test_a_subscription_says_which_logs_are_followed() -> None:
    assert subscribed_in(subscription((A, REGISTRY_ID))) == (A, REGISTRY_ID)
    assert subscribed_in(Message(encode(Read(A, 0)))) == ()
