"""Who is there: an identity is gone when it has had no session for the grace, and never for anybody else's loss."""

from __future__ import annotations

from auctionctl.house.presence import PRESENCE_GRACE_NS, Presence
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.wire.session import Peer

ANN, BEN = (Peer(SecretKey(letter * 32).identity, "name", "bidder") for letter in (b"a", b"b"))
ANN_KEY, BEN_KEY = ANN.identity.signing, BEN.identity.signing


def test_nobody_is_gone_who_never_was_there() -> None:
    presence = Presence()
    assert presence.next_ns() is None
    assert presence.end(7, 100) is None
    assert list(presence.take_gone(10**30)) == []


def test_an_identity_is_gone_after_the_grace_and_once() -> None:
    presence = Presence()
    presence.greet(1, ANN)
    assert presence.end(1, 100) is ANN
    assert presence.next_ns() == 100 + PRESENCE_GRACE_NS
    assert list(presence.take_gone(99 + PRESENCE_GRACE_NS)) == []
    assert list(presence.take_gone(100 + PRESENCE_GRACE_NS)) == [ANN_KEY]
    assert list(presence.take_gone(10**30)) == []
    assert presence.peers == {}


def test_whoever_comes_back_within_the_grace_was_never_gone() -> None:
    presence = Presence()
    presence.greet(1, ANN)
    presence.end(1, 100)
    presence.greet(2, ANN)
    assert list(presence.take_gone(10**30)) == []


def test_the_last_of_several_sessions_counts() -> None:
    presence = Presence()
    presence.greet(1, ANN)
    presence.greet(2, ANN)
    presence.end(1, 100)
    assert presence.next_ns() is None
    presence.end(2, 200)
    assert presence.next_ns() == 200 + PRESENCE_GRACE_NS


def test_a_second_hello_on_one_session_counts_as_one_session() -> None:
    presence = Presence()
    presence.greet(1, ANN)
    presence.greet(1, ANN)
    presence.end(1, 100)
    assert list(presence.take_gone(10**30)) == [ANN_KEY]


def test_all_sessions_end_with_the_gateway() -> None:
    presence = Presence()
    presence.greet(1, ANN)
    presence.greet(2, BEN)
    presence.end_all(100)
    assert presence.peers == {}
    assert set(presence.take_gone(100 + PRESENCE_GRACE_NS)) == {ANN_KEY, BEN_KEY}


def test_whoever_is_expected_has_the_grace_from_now_on_unless_there_already() -> None:
    presence = Presence()
    presence.greet(1, ANN)
    presence.greet(2, BEN)
    presence.end(2, 100)
    presence.expect([ANN_KEY, BEN_KEY], 500)
    assert list(presence.take_gone(499 + PRESENCE_GRACE_NS)) == []
    assert list(presence.take_gone(500 + PRESENCE_GRACE_NS)) == [BEN_KEY]


def test_whom_another_list_does_not_let_in_is_found_with_all_sessions() -> None:
    presence = Presence()
    for session, peer in ((1, ANN), (2, BEN), (3, BEN)):
        presence.greet(session, peer)
    ann, ben = Entry(ANN.identity, "ann"), Entry(BEN.identity, "ben")
    stranger = Identity(BEN_KEY, ANN.identity.transport)

    def not_admitted(*entries: Entry) -> list[int]:
        return presence.not_admitted(AllowList(enumerate(entries, 1)))

    assert not_admitted(ann, ben) == []
    assert not_admitted(ann) == [2, 3]
    assert not_admitted(ann, Entry(BEN.identity, "ben", "seller")) == [2, 3], "not in the role of a bidder"
    assert not_admitted(Entry(stranger, "ben")) == [1, 2, 3], "not under these keys"


def test_a_holder_is_there_under_its_former_keys_for_as_long_as_under_its_own() -> None:
    presence, former = Presence(), (b"1" * 32, b"2" * 32)
    presence.expect([*former, BEN_KEY], 0)
    presence.greet(1, ANN, former)
    presence.greet(2, ANN, former)
    presence.expect(former, 100)
    assert list(presence.take_gone(PRESENCE_GRACE_NS + 100)) == [BEN_KEY]
    presence.end(1, 200)
    assert presence.next_ns() is None
    presence.end(2, 300)
    assert set(presence.take_gone(PRESENCE_GRACE_NS + 300)) == {ANN_KEY, *former}
    presence.greet(1, ANN, former)
    presence.greet(1, BEN)
    presence.end(1, 400)
    assert presence.next_ns() == PRESENCE_GRACE_NS + 400
    assert set(presence.take_gone(PRESENCE_GRACE_NS + 400)) == {BEN_KEY}, "a second hello has replaced the first"
