"""Every rule of the registry, alone and in a log: what may be said, what may not, and what it all comes to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auctionctl.errors import MalformedEntryError, VerificationError
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.registry import (
    Admitted,
    Announced,
    Announcement,
    Member,
    Registry,
    RegistryEvent,
    RegistryReplay,
    RoleChanged,
    decode_registry_event,
    encode_registry_event,
    is_role,
    kind_of,
)
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree, leaf_hash

HOUSE = SecretKey(b"h" * 32).identity.signing
ANN, SUE = (SecretKey(name * 32).identity for name in (b"a", b"s"))
AUCTION, OTHER = b"1" * 32, b"2" * 32


def admitted(identity: Identity = ANN, name: str = "ann", role: str = "bidder") -> Admitted:
    return Admitted(identity.signing, identity.transport, name, role)


def registry_of(*events: RegistryEvent) -> Registry:
    """What these come to, one a nanosecond from 100 on."""
    registry = Registry(HOUSE)
    for time_ns, event in enumerate(events, 100):
        assert registry.check(event, time_ns) is None
        assert registry.apply(event, time_ns) == time_ns - 100
    return registry


def entry_of(event: RegistryEvent, time_ns: int, **fields: Any) -> bytes:
    return encode(Entry(**{"kind": kind_of(event), "time_ns": time_ns, "body": encode_registry_event(event)} | fields))


# The rules


@pytest.mark.parametrize(
    ("before", "event", "reason"),
    [
        ((), Announced(AUCTION, HOUSE, "lot"), None),
        ((), Announced(AUCTION, SUE.signing, "lot"), "this house knows no such seller"),
        ((admitted(SUE, "sue"),), Announced(AUCTION, SUE.signing, "lot"), "this house knows no such seller"),
        ((admitted(SUE, "sue", "seller"),), Announced(AUCTION, SUE.signing, "lot"), None),
        ((admitted(SUE, "sue", "bidder+seller"),), Announced(AUCTION, SUE.signing, "lot"), None),
        (
            (admitted(SUE, "sue", "seller"), RoleChanged(SUE.signing, "sue", "")),
            Announced(AUCTION, SUE.signing, "lot"),
            "this house knows no such seller",
        ),
        (
            (admitted(SUE, "sue", "seller"), RoleChanged(SUE.signing, "sue", "bidder")),
            Announced(AUCTION, SUE.signing, "lot"),
            "this house knows no such seller",
        ),
        ((Announced(AUCTION, HOUSE, "lot"),), Announced(AUCTION, HOUSE, "two"), "this auction was announced before"),
        ((Announced(AUCTION, HOUSE, "lot"),), Announced(OTHER, HOUSE, "lot"), "announced 'lot' before"),
        ((Announced(AUCTION, HOUSE, "lot"),), Announced(OTHER, HOUSE, "two"), None),
        (
            (Announced(AUCTION, HOUSE, "lot"), admitted(SUE, "sue", "seller")),
            Announced(OTHER, SUE.signing, "lot"),
            None,
        ),
        (
            (Announced(AUCTION, HOUSE, "lot"), admitted(SUE, "sue", "seller")),
            Announced(AUCTION, SUE.signing, "lot"),
            "this auction was announced before",
        ),
        ((), admitted(), None),
        ((), admitted(role="bidder+operator"), None),
        ((), admitted(role=""), "this is no role"),
        ((), admitted(role="king"), "this is no role"),
        ((), admitted(role="bidder+bidder"), "this is no role"),
        ((), admitted(name=""), "this is no name"),
        ((), admitted(name="Ann"), "this is no name"),
        ((), admitted(name="ann\nben"), "this is no name"),
        ((), Admitted(HOUSE, ANN.transport, "house", "seller"), "the house needs no admission to itself"),
        ((admitted(),), admitted(role="seller"), "this identity is let in already"),
        ((admitted(),), Admitted(ANN.signing, SUE.transport, "ann", "bidder"), "this identity is let in already"),
        ((admitted(), RoleChanged(ANN.signing, "ann", "")), admitted(name="ann2"), None),
        ((), RoleChanged(ANN.signing, "ann", "bidder"), "has no role to change"),
        ((admitted(),), RoleChanged(SUE.signing, "sue", "bidder"), "has no role to change"),
        ((admitted(), RoleChanged(ANN.signing, "ann", "")), RoleChanged(ANN.signing, "ann", "bidder"), "has no role"),
        ((admitted(), RoleChanged(ANN.signing, "ann", "")), RoleChanged(ANN.signing, "ann", ""), "has no role"),
        ((admitted(),), RoleChanged(ANN.signing, "ann", "bidder"), "nothing is changed"),
        ((admitted(),), RoleChanged(ANN.signing, "ann", "seller"), None),
        ((admitted(),), RoleChanged(ANN.signing, "anna", "bidder"), None),
        ((admitted(),), RoleChanged(ANN.signing, "ann", ""), None),
        ((admitted(),), RoleChanged(ANN.signing, "ann", "king"), "this is no role"),
        ((admitted(),), RoleChanged(ANN.signing, "", "seller"), "this is no name"),
    ],
)
def test_every_rule_allows_what_it_says_and_nothing_else(
    before: tuple[RegistryEvent, ...], event: RegistryEvent, reason: str | None
) -> None:
    registry = registry_of(*before)
    state = (dict(registry.members), dict(registry.auctions), registry.size)
    found = registry.check(event, 1_000)
    assert (found is None) == (reason is None)
    assert reason is None or (found is not None and reason in found)
    assert (registry.members, registry.auctions, registry.size) == state, "asking changes nothing"


def test_time_stands_still_at_most() -> None:
    registry = registry_of(admitted())
    assert registry.check(admitted(SUE, "sue"), 100) is None
    assert registry.check(admitted(SUE, "sue"), 99) == "dated 1 ns before the entry below it"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("bidder", True),
        ("observer+operator+seller+bidder", True),
        ("", False),
        ("+", False),
        ("bidder+", False),
        ("Bidder", False),
        (" bidder", False),
        ("bidder seller", False),
        ("seller+seller", False),
    ],
)
def test_a_role_is_one_word_or_several_different_ones(text: str, holds: bool) -> None:
    assert is_role(text) is holds


# What it comes to


def test_the_state_is_who_may_come_in_and_what_is_announced() -> None:
    registry = registry_of(
        admitted(SUE, "sue", "seller"), admitted(), Announced(AUCTION, SUE.signing, "lot"), Announced(OTHER, HOUSE, "x")
    )
    assert registry.members == {
        SUE.signing: Member(SUE, "sue", "seller", 100),
        ANN.signing: Member(ANN, "ann", "bidder", 101),
    }
    assert registry.auctions == {
        AUCTION: Announcement(2, 102, SUE.signing, "lot"),
        OTHER: Announcement(3, 103, HOUSE, "x"),
    }
    assert registry.find_listing(SUE.signing, "lot") == AUCTION
    assert registry.find_listing(HOUSE, "lot") is None
    assert (registry.size, registry.last_time_ns) == (4, 103)


def test_whoever_is_let_in_again_is_known_since_the_first_time_and_may_have_another_transport_key() -> None:
    moved = Identity(ANN.signing, SUE.transport)
    gone = registry_of(admitted(), RoleChanged(ANN.signing, "ann", ""))
    assert gone.members[ANN.signing] == Member(ANN, "ann", "", 100)
    back = registry_of(admitted(), RoleChanged(ANN.signing, "ann", ""), admitted(moved, "anna", "seller"))
    assert back.members == {ANN.signing: Member(moved, "anna", "seller", 100)}


def test_another_name_or_role_changes_nothing_else() -> None:
    registry = registry_of(admitted(), RoleChanged(ANN.signing, "anna", "bidder+seller"))
    assert registry.members == {ANN.signing: Member(ANN, "anna", "bidder+seller", 100)}


# The form


EVENTS: tuple[RegistryEvent, ...] = (
    Announced(AUCTION, HOUSE, "lot"),
    admitted(),
    RoleChanged(ANN.signing, "ann", "seller"),
)


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_reads_back_under_its_own_kind_alone(event: RegistryEvent) -> None:
    body = encode_registry_event(event)
    assert decode_registry_event(kind_of(event), body) == event
    for kind in Kind:
        if kind is not kind_of(event):
            with pytest.raises(MalformedEntryError, match=f"an entry of kind {kind} holds an event of kind"):
                decode_registry_event(kind, body)


@pytest.mark.parametrize("event", EVENTS)
def test_no_other_bytes_are_the_same_event(event: RegistryEvent) -> None:
    body = encode_registry_event(event)
    # The same array under a longer header, and a longer header for its first text.
    head = bytes([0xDC, 0, body[0] & 0x0F])
    for other in (head + body[1:], body[:1] + bytes([0xD9, body[1] & 0x1F]) + body[2:]):
        assert msgspec.msgpack.decode(other) == msgspec.msgpack.decode(body)
        with pytest.raises(MalformedEntryError, match="not in canonical form"):
            decode_registry_event(kind_of(event), other)
    for cut in range(len(body)):
        with pytest.raises(MalformedEntryError):
            decode_registry_event(kind_of(event), body[:cut])
    for position in range(len(body)):
        for bit in range(8):
            changed = bytearray(body)
            changed[position] ^= 1 << bit
            try:
                assert decode_registry_event(kind_of(event), bytes(changed)) != event
            except MalformedEntryError:
                continue


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x90",
        b"\x91\xa9announced",
        b"\x91" * 5_000,
        msgspec.msgpack.encode(("announced", AUCTION[:31], HOUSE, "lot")),
        msgspec.msgpack.encode(("announced", AUCTION, HOUSE, "")),
        msgspec.msgpack.encode(("announced", AUCTION, HOUSE, "l" * 65)),
        msgspec.msgpack.encode(("announced", AUCTION, HOUSE, "lot", 1)),
        msgspec.msgpack.encode(("admitted", ANN.signing, ANN.transport, "n" * 33, "bidder")),
        msgspec.msgpack.encode(("admitted", ANN.signing, ANN.transport, "ann", "b" * 65)),
        b"\x94\xa4role" + msgspec.msgpack.encode(ANN.signing) + b"\xa1\xff\xa0",
    ],
)
def test_what_is_no_event_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEntryError, match="not an event of the registry"):
        decode_registry_event(Kind.ANNOUNCED, body)


# In a log


def test_entries_that_pass_make_state_and_tree() -> None:
    replay = RegistryReplay(HOUSE)
    entries = [entry_of(event, 5) for event in EVENTS]
    tree = Tree()
    for index, (data, event) in enumerate(zip(entries, EVENTS, strict=True)):
        applied = replay.apply(data)
        tree.append(leaf_hash(data))
        assert (applied.entry_index, applied.fact, applied.entry.time_ns) == (index, event, 5)
        assert (replay.size, replay.tree.root()) == (index + 1, tree.root())
    assert list(replay.state.members) == [ANN.signing]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"\xc0", "entry"),
        (entry_of(admitted(SUE, "sue"), 10, body=b"\xc0"), "entry"),
        (entry_of(admitted(SUE, "sue"), 10, kind=Kind.ANNOUNCED), "entry"),
        (entry_of(admitted(SUE, "sue"), 10, kind=Kind.TERMS), "entry"),
        (entry_of(admitted(SUE, "sue"), 10, signature=b"s" * 64), "signature"),
        (entry_of(admitted(SUE, "sue"), 4), "time"),
        (entry_of(admitted(), 10), "admitted"),
        (entry_of(Announced(AUCTION, SUE.signing, "lot"), 10), "announced"),
        (entry_of(RoleChanged(SUE.signing, "sue", "seller"), 10), "role"),
    ],
)
def test_what_does_not_hold_is_named_by_entry_and_rule_and_changes_nothing(data: bytes, rule: str) -> None:
    replay = RegistryReplay(HOUSE)
    replay.apply(entry_of(admitted(), 5))
    before = (replay.size, replay.tree.root(), dict(replay.state.members), replay.state.last_time_ns)
    with pytest.raises(VerificationError) as raised:
        replay.apply(data)
    assert (raised.value.rule, raised.value.index) == (rule, 1)
    assert (replay.size, replay.tree.root(), replay.state.members, replay.state.last_time_ns) == before
    replay.apply(entry_of(admitted(SUE, "sue"), 10))


def test_the_roles_of_a_time_are_those_before_and_after_a_change_at_that_very_time() -> None:
    registry = Registry(HOUSE)
    ann = b"a" * 32
    for event, time_ns in (
        (Admitted(ann, b"t" * 32, "ann", "bidder"), 10),
        (RoleChanged(ann, "ann", "operator+seller"), 20),
        (RoleChanged(ann, "ann", ""), 30),
    ):
        assert registry.check(event, time_ns) is None
        registry.apply(event, time_ns)
    roles = {time_ns: registry.roles_at(ann, time_ns) for time_ns in (9, 10, 19, 20, 21, 30, 31)}
    assert roles == {
        9: frozenset(),
        10: {"bidder"},
        19: {"bidder"},
        20: {"bidder", "operator", "seller"},
        21: {"operator", "seller"},
        30: {"operator", "seller"},
        31: frozenset(),
    }
    assert registry.roles_at(ann, 5, 4) == frozenset()
    assert registry.roles_at(ann, 5, 5) == {"bidder"}
    assert registry.roles_at(ann, 25, 5) == {"bidder", "operator", "seller"}
    assert registry.roles_at(ann, 26, 5) == {"operator", "seller"}
    assert registry.roles_at(ann, 36, 5) == frozenset()
    assert registry.roles_at(b"b" * 32, 20) == frozenset()
