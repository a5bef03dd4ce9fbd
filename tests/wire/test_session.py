"""The greeting: each side knows the other, or nothing is said; and every refusal says what is missing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auctionctl.errors import NotAuthorisedError, RemoteProtocolError
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.encoding import is_name
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.wire.frames import Message, is_signed_by, sign_body
from auctionctl.wire.messages import Hello, Welcome, decode_reply, decode_request, encode
from auctionctl.wire.session import ClientGreeting, Peer, admit, admits, welcome

HOUSE, OTHER, ANN, EVE = (SecretKey(letter * 32) for letter in (b"h", b"o", b"a", b"e"))
NOW_NS = 1_767_225_600_000_000_000
NONCE = b"n" * 16
ALLOWED = AllowList([(1, Entry(ANN.identity, "ann", "bidder+seller")), (2, Entry(OTHER.identity, "other", "operator"))])


def hello_of(key: SecretKey = ANN, role: str = "bidder", **changes: Any) -> Hello:
    message = ClientGreeting(key, HOUSE.identity, role).hello(NONCE, NOW_NS)
    hello = decode_request(message.body)
    assert isinstance(hello, Hello)
    return msgspec.structs.replace(hello, **changes)


def answer_to(hello: Hello, key: SecretKey = HOUSE, **changes: Any) -> tuple[Welcome, bytes, bytes]:
    body, _ = welcome(key, hello, NOW_NS + 1, 1_000)
    reply = decode_reply(body)
    assert isinstance(reply, Welcome)
    reply = msgspec.structs.replace(reply, **changes)
    message = sign_body(key, encode(reply))
    return reply, *message


def greeting(role: str = "bidder") -> ClientGreeting:
    mine = ClientGreeting(ANN, HOUSE.identity, role)
    mine.hello(NONCE, NOW_NS)
    return mine


# The house's side


def test_a_hello_is_signed_by_its_identity_over_everything_in_it() -> None:
    message = ClientGreeting(ANN, HOUSE.identity, "bidder").hello(NONCE, NOW_NS)
    hello = decode_request(message.body)
    expected = Hello(1, HOUSE.identity.signing, ANN.identity.signing, ANN.identity.transport, "bidder", NONCE, NOW_NS)
    assert hello == expected
    assert is_signed_by(ANN.identity.signing, *message)


@pytest.mark.parametrize("role", ["bidder", "seller", "observer"])
def test_a_listed_identity_is_admitted_in_each_of_its_roles_and_as_observer(role: str) -> None:
    peer = admit(hello_of(role=role), HOUSE.identity, ANN.identity.transport, ALLOWED)
    assert peer == Peer(ANN.identity, "ann", role)


@pytest.mark.parametrize("role", ["operator", "", "bidder+seller", "Bidder", "+"])
def test_a_role_that_was_not_given_is_refused_and_the_given_ones_named(role: str) -> None:
    with pytest.raises(NotAuthorisedError, match=r"ann is admitted as bidder\+seller, not as "):
        admit(hello_of(role=role), HOUSE.identity, ANN.identity.transport, ALLOWED)
    assert not admits(Entry(ANN.identity, "ann", "bidder+seller"), role)


@pytest.mark.parametrize("version", [0, 2, 2**31])
def test_another_version_is_refused_clearly(version: int) -> None:
    with pytest.raises(NotAuthorisedError, match=f"speaks version 1 of the protocol, not {version}"):
        admit(hello_of(version=version), HOUSE.identity, ANN.identity.transport, ALLOWED)


def test_a_hello_for_another_house_cannot_be_passed_on_to_this_one() -> None:
    with pytest.raises(NotAuthorisedError, match="another house"):
        admit(hello_of(house=OTHER.identity.signing), HOUSE.identity, ANN.identity.transport, ALLOWED)


def test_a_hello_cannot_be_said_over_somebody_elses_connection() -> None:
    with pytest.raises(NotAuthorisedError, match="another connection"):
        admit(hello_of(), HOUSE.identity, EVE.identity.transport, ALLOWED)


def test_a_stranger_is_refused() -> None:
    with pytest.raises(NotAuthorisedError, match="not on the allow list"):
        admit(hello_of(EVE), HOUSE.identity, EVE.identity.transport, ALLOWED)


def test_an_identity_is_both_of_its_keys() -> None:
    # Eve claims ann's signing key over her own connection.
    hello = hello_of(transport=EVE.identity.transport)
    with pytest.raises(NotAuthorisedError, match="not on the allow list"):
        admit(hello, HOUSE.identity, EVE.identity.transport, ALLOWED)


# The session's side


def test_the_houses_own_answer_is_taken() -> None:
    reply, body, signature = answer_to(hello_of())
    greeting().check(reply, body, signature)
    assert (reply.identity, reply.transport) == (ANN.identity.signing, ANN.identity.transport)
    assert (reply.house_transport, reply.escrow) == (HOUSE.identity.transport, HOUSE.escrow_public)
    assert (reply.nonce, reply.role, reply.time_ns, reply.queue_limit) == (NONCE, "bidder", NOW_NS + 1, 1_000)


def test_a_welcome_signed_by_another_house_is_refused() -> None:
    reply, body, signature = answer_to(hello_of(), OTHER)
    with pytest.raises(RemoteProtocolError, match="not signed by the house"):
        greeting().check(reply, body, signature)


def test_an_unsigned_or_altered_welcome_is_refused() -> None:
    reply, body, signature = answer_to(hello_of())
    for forged in (Message(body), Message(body[:-1] + b"\x07", signature)):
        with pytest.raises(RemoteProtocolError, match="not signed by the house"):
            greeting().check(reply, *forged)


def test_a_replayed_welcome_is_refused() -> None:
    mine = ClientGreeting(ANN, HOUSE.identity, "bidder")
    mine.hello(NONCE, NOW_NS)
    old = answer_to(hello_of())
    mine.check(*old)
    mine.hello(b"m" * 16, NOW_NS + 2)
    with pytest.raises(RemoteProtocolError, match="somebody else's hello"):
        mine.check(*old)


def test_a_welcome_is_refused_before_any_hello() -> None:
    with pytest.raises(RemoteProtocolError, match="somebody else's hello"):
        ClientGreeting(ANN, HOUSE.identity, "bidder").check(*answer_to(hello_of()))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": b"x" * 16}, "somebody else's hello"),
        ({"identity": EVE.identity.signing}, "somebody else's hello"),
        ({"transport": EVE.identity.transport}, "somebody else's hello"),
        ({"house_transport": OTHER.identity.transport}, "another transport key"),
        ({"version": 2}, "speaks version 2"),
        ({"role": "observer"}, "for the role 'observer', not bidder"),
        ({"role": "\x1b[31m" + "r" * 900}, "for the role '"),
    ],
)
def test_a_welcome_for_anything_else_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason) as raised:
        greeting().check(*answer_to(hello_of(), **changes))
    assert "\x1b" not in str(raised.value)
    assert len(str(raised.value)) < 120


# Strangers


def open_to(*entries: Entry, shut_out: tuple[Identity, ...] = ()) -> AllowList:
    return AllowList(enumerate(entries, 1), Access.OPEN, shut_out)


@pytest.mark.parametrize("role", ["bidder", "observer"])
def test_an_open_house_takes_a_stranger_as_bidder_and_to_look_on_under_a_name_of_its_key(role: str) -> None:
    peer = admit(hello_of(EVE, role), HOUSE.identity, EVE.identity.transport, open_to())
    assert peer == Peer(EVE.identity, f"stranger-{EVE.identity.signing[:8].hex()}", role, is_listed=False)
    assert is_name(peer.name)


@pytest.mark.parametrize("role", ["seller", "operator", "bidder+seller", ""])
def test_a_stranger_is_nothing_else(role: str) -> None:
    with pytest.raises(NotAuthorisedError, match="is admitted as bidder, not as"):
        admit(hello_of(EVE, role), HOUSE.identity, EVE.identity.transport, open_to())


def test_whoever_is_listed_in_an_open_house_is_no_stranger() -> None:
    allowed = open_to(Entry(ANN.identity, "ann", "seller"))
    assert admit(hello_of(role="seller"), HOUSE.identity, ANN.identity.transport, allowed).is_listed
    with pytest.raises(NotAuthorisedError, match="ann is admitted as seller, not as bidder"):
        admit(hello_of(role="bidder"), HOUSE.identity, ANN.identity.transport, allowed)


@pytest.mark.parametrize("shut", [EVE.identity, Identity(OTHER.identity.signing, EVE.identity.transport)])
def test_no_key_that_was_revoked_comes_in_as_a_stranger_with_either_half(shut: Identity) -> None:
    with pytest.raises(NotAuthorisedError, match="revoked"):
        admit(hello_of(EVE), HOUSE.identity, EVE.identity.transport, open_to(shut_out=(shut,)))


def test_half_of_a_listed_key_makes_no_stranger() -> None:
    allowed = open_to(Entry(ANN.identity, "ann"))
    for hello in (
        hello_of(EVE, transport=ANN.identity.transport),
        hello_of(ANN, transport=EVE.identity.transport),
    ):
        with pytest.raises(NotAuthorisedError, match="somebody else's"):
            admit(hello, HOUSE.identity, hello.transport, allowed)
