"""Who may ask for what: every type has its roles, and a refusal says which one is needed."""

from __future__ import annotations

import pytest

from auctionctl.auction.command_id import command_id
from auctionctl.house.intake import ROLES, refuse, refused
from auctionctl.keys.allowlist import Role
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.messages import Refused, decode_reply
from auctionctl.wire.session import Peer

IDENTITY = SecretKey(b"a" * 32).identity


def peer(role: str) -> Peer:
    return Peer(IDENTITY, "ann", role)


@pytest.mark.parametrize("type_name", ["bid", "join"])
@pytest.mark.parametrize("role", ["seller", "operator", "observer"])
def test_only_bidders_bid_and_join(type_name: str, role: str) -> None:
    reason = f"{type_name} needs the role bidder, and this session is {role}"
    assert refuse(peer(role), type_name, b"body") == Refused("not_authorised", reason, command_id(b"body"))
    assert refuse(peer("bidder"), type_name, b"body") is None


@pytest.mark.parametrize("type_name", ["list", "subscribe", "read", "bye"])
@pytest.mark.parametrize("role", list(Role))
def test_everybody_looks_on_and_leaves(type_name: str, role: Role) -> None:
    assert refuse(peer(role.value), type_name, b"body") is None


def test_several_roles_that_would_do_are_all_named() -> None:
    answer = refuse(peer("ghost"), "list", b"body")
    assert answer is not None
    assert answer.command == b""
    assert answer.message == "list needs the role bidder or observer or operator or seller, and this session is ghost"


@pytest.mark.parametrize("type_name", sorted(ROLES))
def test_without_a_session_everything_known_waits_for_a_hello(type_name: str) -> None:
    assert refuse(None, type_name, b"body") == Refused("no_session", "say hello first")


@pytest.mark.parametrize("type_name", ["", "ping", "welcome", "opened", "entries", "\x7f" * 31])
@pytest.mark.parametrize("who", [None, peer("bidder")])
def test_what_the_house_does_not_know_is_refused_in_words_that_fit_a_message(type_name: str, who: Peer | None) -> None:
    answer = refuse(who, type_name, b"body")
    assert answer is not None
    assert answer.code == "unknown_type"
    assert repr(type_name) in answer.message
    assert len(answer.message) < 1_000


def test_a_refusal_is_unsigned_and_names_what_it_refuses() -> None:
    message = refused("busy", "later", b"c" * 32, 7)
    assert message.signature == b""
    assert decode_reply(message.body) == Refused("busy", "later", b"c" * 32, 7)


def test_a_refusal_is_cut_to_what_a_message_holds() -> None:
    answer = decode_reply(refused("terms", "x" * 5_000, b"c" * 32).body)
    assert answer == Refused("terms", "x" * 1_000, b"c" * 32)


@pytest.mark.parametrize("role", ["bidder", "operator", "observer"])
def test_only_sellers_offer_terms(role: str) -> None:
    reason = f"terms needs the role seller, and this session is {role}"
    assert refuse(peer(role), "terms", b"body") == Refused("not_authorised", reason, command_id(b"body"))
    assert refuse(peer("seller"), "terms", b"body") is None
