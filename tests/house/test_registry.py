"""The registry as a house writes it: what the allow list says, once; announcements and proofs; over every start."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auctionctl.auction.terms import SECOND_NS, auction_id
from auctionctl.errors import VerificationError
from auctionctl.house.effects import Commit, Publish
from auctionctl.house.intake import Request
from auctionctl.house.registry import RegistryLog
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import AllowList, Entry, stranger_name
from auctionctl.keys.signing import Identity
from auctionctl.replica.announcement import check_announcement
from auctionctl.replica.audit import audit_registry
from auctionctl.replica.registry import (
    REGISTRY,
    REGISTRY_ID,
    Admitted,
    Announced,
    Member,
    Revoke,
    RoleChanged,
    decode_registry_event,
    encode_registry_event,
)
from auctionctl.tlog.checkpoint import open_checkpoint, origin_of
from auctionctl.tlog.entry import decode
from auctionctl.tlog.merkle import Tree
from auctionctl.wire.frames import sign_body
from auctionctl.wire.messages import Read, Subscribe


def said(stage: Any, start: int = 0) -> list[Any]:
    """The events of the registry in the store."""
    entries = [decode(data) for data in stage.registry_data()[start:]]
    return [decode_registry_event(entry.kind, entry.body) for entry in entries]


def listed(*entries: Entry) -> AllowList:
    return AllowList(enumerate(entries, 1))


def allow(stage: Any, *entries: Entry) -> list[Any]:
    """What the registry says when these, and no others, are let in."""
    start = len(stage.registry_data())
    stage.do(stage.house.set_allowed(listed(*entries), stage.now_ns))
    return said(stage, start)


# What the allow list says


def test_a_new_house_says_whom_it_lets_in_before_anything_else(stage: Any, staging: ModuleType) -> None:
    expected = [Admitted(e.identity.signing, e.identity.transport, e.name, e.role) for e in staging.EVERYBODY]
    assert said(stage) == expected
    auction = stage.announce()
    (announced,) = said(stage, len(expected))
    assert announced == Announced(auction, staging.key_of("sue").identity.signing, "lot-1")


def test_only_what_has_changed_is_said(stage: Any, staging: ModuleType) -> None:
    ann, ben, cleo = (staging.key_of(name).identity for name in ("ann", "ben", "cleo"))
    rest = [entry for entry in staging.EVERYBODY if entry.name not in ("ann", "ben", "cleo")]
    assert allow(stage, *staging.EVERYBODY) == []
    new = Entry(staging.key_of("eve").identity, "eve", "seller")
    assert allow(stage, Entry(ann, "anna"), Entry(ben, "ben", "bidder+seller"), new, *rest) == [
        RoleChanged(cleo.signing, "cleo", ""),
        RoleChanged(ann.signing, "anna", "bidder"),
        RoleChanged(ben.signing, "ben", "bidder+seller"),
        Admitted(new.identity.signing, new.identity.transport, "eve", "seller"),
    ]
    assert allow(stage, Entry(cleo, "cleo"), new, *rest) == [
        RoleChanged(ann.signing, "anna", ""),
        RoleChanged(ben.signing, "ben", ""),
        Admitted(cleo.signing, cleo.transport, "cleo", "bidder"),
    ]


def test_whoever_comes_with_another_transport_key_goes_and_comes_again(stage: Any, staging: ModuleType) -> None:
    rest = [entry for entry in staging.EVERYBODY if entry.name != "ann"]
    ann = staging.key_of("ann").identity
    moved = Identity(ann.signing, staging.key_of("new").identity.transport)
    since_ns = stage.house.registry.state.members[ann.signing].since_ns
    stage.after(SECOND_NS)
    assert allow(stage, *rest, Entry(moved, "ann")) == [
        RoleChanged(ann.signing, "ann", ""),
        Admitted(ann.signing, moved.transport, "ann", "bidder"),
    ]
    member = stage.house.registry.state.members[ann.signing]
    assert (member.identity, member.since_ns) == (moved, since_ns)


def test_the_house_on_its_own_list_is_not_admitted(stage: Any, staging: ModuleType) -> None:
    assert allow(stage, *staging.EVERYBODY, Entry(stage.key.identity, "me", "seller")) == []


def test_nobody_on_the_list_is_nobody_in_the_registry(stage: Any) -> None:
    allow(stage)
    assert {member.role for member in stage.house.registry.state.members.values()} == {""}


def test_a_house_started_with_another_list_says_what_changed_and_nothing_twice(stage: Any, staging: ModuleType) -> None:
    stage.announce()
    before = stage.registry_data()
    stage.restart(SECOND_NS)
    assert stage.registry_data() == before
    stage.restart(SECOND_NS, staging.allowed_with(ann="bidder", sue="bidder"))
    names = [event.name for event in said(stage, len(before))]
    assert names == ["ben", "cleo", "dora", "sam", "otto", "olga", "sue"]
    after = stage.registry_data()
    assert after[: len(before)] == before
    stage.restart(SECOND_NS)
    assert stage.registry_data() == after


def test_a_list_changed_while_there_was_no_gateway_and_a_clock_set_back_do_no_harm(
    stage: Any, staging: ModuleType
) -> None:
    # The store knows until when bidders could reach the house: that was before the registry's last entry.
    stage.house.gateway_lost(stage.now_ns)
    lost_ns = stage.now_ns
    stage.now_ns += 4 * SECOND_NS
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder"), stage.now_ns))
    changed_ns = stage.now_ns
    stage.now_ns = lost_ns
    stage.house = type(stage.house)(stage.key, stage.limits, staging.EVERYBODY, stage.now_ns)
    stage.do(stage.house.adopt(stage.rebuild_registry(), [], lost_ns, stage.now_ns))
    assert decode(stage.registry_data()[-1]).time_ns == changed_ns
    stage.announce()
    audit_registry(stage.registry_export(), stage.key.identity)


ROLES = st.sampled_from(["", "bidder", "seller", "bidder+seller", "observer"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists=st.lists(st.tuples(ROLES, ROLES, ROLES, st.booleans(), st.booleans()), max_size=8))
def test_whatever_the_lists_were_the_registry_has_the_last_one_and_holds(
    staging: ModuleType, lists: list[tuple[str, str, str, bool, bool]]
) -> None:
    stage = staging.Stage()
    for *roles, transport, is_restart in lists:
        keys = [staging.key_of(name).identity for name in ("ann", "ben", "sue")]
        if transport:
            keys[0] = Identity(keys[0].signing, staging.key_of("new").identity.transport)
        entries = [Entry(key, f"n{n}", role) for n, (key, role) in enumerate(zip(keys, roles, strict=True)) if role]
        if is_restart:
            stage.restart(SECOND_NS, listed(*entries))
        else:
            stage.do(stage.house.set_allowed(listed(*entries), stage.now_ns))
        members = stage.house.registry.state.members.values()
        assert {m.identity: (m.name, m.role) for m in members if m.role} == {
            e.identity: (e.name, e.role) for e in entries
        }
    found = audit_registry(stage.registry_export(), stage.key.identity)
    assert found.registry.members == stage.house.registry.state.members


# Announcements


def test_an_announcement_is_proved_and_dated_like_its_log_and_the_same_for_ever(stage: Any) -> None:
    auctions = [stage.announce(), stage.announce(seller="sam")]
    texts = [stage.announcement(auction) for auction in auctions]
    for auction, text in zip(auctions, texts, strict=True):
        log = stage.log(auction)
        check_announcement(text, stage.key.identity, auction, log.auction.terms, log.times_ns[0])
    stage.announce()
    stage.restart(SECOND_NS)
    assert [stage.announcement(auction) for auction in auctions] == texts
    assert len(set(texts)) == 2


def test_a_log_and_its_announcement_become_durable_in_one_commit(stage: Any) -> None:
    message = stage.terms()
    (commit,) = stage.do(stage.house.announce(*message, stage.now_ns))
    assert isinstance(commit, Commit)
    assert [append.log.partition("/")[0] for append in commit.appends] == [REGISTRY, "auction"]


def test_nothing_is_proved_before_it_is_durable(stage: Any) -> None:
    registry = RegistryLog(stage.key)
    registry.add(Announced(b"a" * 32, stage.key.identity.signing, "lot"), 1)
    with pytest.raises(AssertionError):
        registry.announcement(b"a" * 32)
    registry.release_feed()
    assert registry.announcement(b"a" * 32)


def test_the_house_says_nothing_that_its_registry_does_not_allow(stage: Any) -> None:
    registry = RegistryLog(stage.key)
    with pytest.raises(AssertionError, match="no such seller"):
        registry.add(Announced(b"a" * 32, b"s" * 32, "lot"), 1)
    assert (registry.tree.size, registry.to_append()) == (0, None)


@pytest.mark.parametrize("change", ["cut", "swapped", "damaged"])
def test_a_stored_registry_that_does_not_hold_is_not_taken(stage: Any, change: str) -> None:
    data = stage.registry_data()
    changed = {"cut": [data[0][:-1]], "swapped": [data[0], data[0]], "damaged": [b"\xc1", *data[1:]]}[change]
    with pytest.raises(VerificationError) as raised:
        RegistryLog(stage.key, changed)
    assert raised.value.index == (1 if change == "swapped" else 0)


def test_a_rebuilt_registry_is_the_one_that_was_lost(stage: Any) -> None:
    stage.announce()
    stage.after(SECOND_NS)
    live, stored = stage.house.registry, stage.rebuild_registry()
    assert (stored.state.members, stored.state.auctions) == (live.state.members, live.state.auctions)
    assert (stored.tree.root(), stored.sign_head()) == (live.tree.root(), live.sign_head())
    assert isinstance(stored.tree, Tree)
    assert stored.to_append() is None


# A full disk


def test_what_the_registry_could_not_say_is_said_by_the_next_batch_and_followers_stay(
    stage: Any, staging: ModuleType
) -> None:
    stage.enter(1, "olga", "observer")
    stage.handle(stage.ask(1, Subscribe((REGISTRY_ID,))))
    size = len(stage.registry_data())
    stage.is_full = True
    changed = [*staging.EVERYBODY, Entry(staging.key_of("eve").identity, "eve")]
    effects = stage.do(stage.house.set_allowed(listed(*changed), stage.now_ns))
    assert [type(effect) for effect in effects] == [Commit]
    assert stage.house.registry.tree.size == len(stage.registry_data()) == size
    assert stage.house.registry.followers == {1}
    stage.is_full = False
    effects = stage.handle()
    assert [event.name for event in said(stage, size)] == ["eve"]
    (published,) = [effect for effect in effects if isinstance(effect, Publish)]
    assert published.auction == REGISTRY_ID
    (piece,) = staging.published(effects)
    assert (piece.start, list(piece.entries)) == (size, stage.registry_data()[size:])
    assert stage.handle() == []


def test_while_the_disk_is_full_an_auction_is_neither_announced_nor_held(stage: Any, staging: ModuleType) -> None:
    size = len(stage.registry_data())
    stage.enter(1, "sue", "seller")
    message = stage.terms("sue", listing="lot-a")
    stage.is_full = True
    (reply,) = staging.replies(stage.handle(stage.offer(1, message)), 1)
    assert (reply.code, reply.command) == ("store_full", auction_id(message.body))
    assert len(stage.registry_data()) == size
    assert (list(stage.house.logs), stage.house.live_count, stage.house.get_timer()) == ([], 0, None)
    stage.is_full = False
    (answer,) = staging.replies(stage.handle(stage.offer(1, message)), 1)
    assert answer.logs[0].receipts[0].index == 0
    assert [event.listing for event in said(stage, size)] == ["lot-a"]


# Whoever follows it


def test_a_follower_gets_what_is_new_and_nobody_else_does(stage: Any, staging: ModuleType) -> None:
    assert not any(
        isinstance(effect, Publish) for effect in stage.do(stage.house.announce(*stage.terms(), stage.now_ns))
    )
    stage.enter(1, "olga", "observer")
    stage.handle(stage.ask(1, Subscribe((REGISTRY_ID,))))
    size = len(stage.registry_data())
    effects = stage.do(stage.house.announce(*stage.terms(), stage.now_ns))
    (piece,) = staging.published(effects)
    assert (piece.auction, piece.start, list(piece.entries)) == (REGISTRY_ID, size, stage.registry_data()[size:])
    stage.house.session_ended(1, stage.now_ns)
    assert not any(
        isinstance(effect, Publish) for effect in stage.do(stage.house.announce(*stage.terms(), stage.now_ns))
    )


def test_a_registry_of_nothing_is_proved_to_be_of_nothing(staging: ModuleType) -> None:
    # Nobody is let in but the house itself, which no registry admits.
    house = staging.key_of("house")
    stage = staging.Stage(allowed=listed(Entry(house.identity, "house", "operator")))
    stage.enter(1, "house", "operator")
    (fetch,) = stage.handle(stage.ask(1, Read(REGISTRY_ID, 0)))
    head = open_checkpoint(fetch.checkpoint, origin_of(house.identity.text, REGISTRY), house.identity.signing)
    assert (fetch.size, head.size, head.root) == (0, 0, Tree().root())


def test_the_registry_is_read_like_any_log(stage: Any) -> None:
    stage.enter(1, "olga", "observer")
    (fetch,) = stage.handle(stage.ask(1, Read(REGISTRY_ID, 3)))
    registry = stage.house.registry
    assert fetch == (1, REGISTRY, REGISTRY_ID, 3, registry.sign_head(), len(stage.registry_data()))


# Strangers


def open_to(*entries: Entry) -> AllowList:
    return AllowList(enumerate(entries, 1), Access.OPEN)


def joined_by_a_stranger(stage: Any, staging: ModuleType) -> tuple[bytes, Member]:
    """An auction of an open house that eve, whom nobody knows, has joined; and what the registry has of her."""
    stage.do(stage.house.set_allowed(open_to(*staging.EVERYBODY), stage.now_ns))
    auction: bytes = stage.announce()
    stage.enter(7, "eve")
    before = len(stage.registry_data())
    stage.handle(stage.join(7, auction))
    eve = staging.key_of("eve").identity
    name = stranger_name(eve.signing)
    assert said(stage, before) == [Admitted(eve.signing, eve.transport, name, "bidder")]
    return auction, stage.house.registry.state.members[eve.signing]


def test_a_stranger_is_entered_when_it_takes_part_and_not_before_and_once(stage: Any, staging: ModuleType) -> None:
    auction, member = joined_by_a_stranger(stage, staging)
    assert member.name == stranger_name(member.identity.signing)
    before = len(stage.registry_data())
    other = stage.announce()
    stage.handle(stage.join(7, other), stage.join(7, auction))
    assert [type(event) for event in said(stage, before)] == [Announced]
    stage.do(stage.house.set_allowed(open_to(*staging.EVERYBODY), stage.now_ns))
    assert len(stage.registry_data()) == before + 1, "another look at the list changes nothing"
    assert audit_registry(stage.registry_export(), stage.key.identity).registry.members[member.identity.signing]


def test_a_stranger_that_is_listed_has_its_name_from_then_on_and_one_taken_off_is_a_stranger_again(
    stage: Any, staging: ModuleType
) -> None:
    _, member = joined_by_a_stranger(stage, staging)
    before = len(stage.registry_data())
    stage.do(stage.house.set_allowed(open_to(*staging.EVERYBODY, Entry(member.identity, "eve")), stage.now_ns))
    assert said(stage, before) == [RoleChanged(member.identity.signing, "eve", "bidder")]
    assert 7 not in stage.house.presence.peers, "it is greeted anew, as who it is now"
    stage.enter(7, "eve")
    assert stage.house.presence.peers[7].is_listed
    stage.do(stage.house.set_allowed(open_to(*staging.EVERYBODY), stage.now_ns))
    assert said(stage, before)[1:] == [RoleChanged(member.identity.signing, "eve", "")]
    assert 7 not in stage.house.presence.peers


def test_a_house_that_is_open_no_more_lets_strangers_in_no_more(stage: Any, staging: ModuleType) -> None:
    _, member = joined_by_a_stranger(stage, staging)
    before = len(stage.registry_data())
    stage.do(stage.house.set_allowed(staging.EVERYBODY, stage.now_ns))
    assert said(stage, before) == [RoleChanged(member.identity.signing, member.name, "")]
    assert 7 not in stage.house.presence.peers


def test_the_keys_of_a_revoked_stranger_are_shut_out_for_ever(stage: Any, staging: ModuleType) -> None:
    _, member = joined_by_a_stranger(stage, staging)
    otto = stage.enter(9, "otto", "operator")
    command = Revoke(stage.key.identity.signing, staging.key_of("otto").identity.signing, member.identity.signing)
    message = sign_body(staging.key_of("otto"), encode_registry_event(command))
    stage.handle(Request(otto, command.actor, *message))
    assert 7 not in stage.house.presence.peers
    assert stage.house.allowed.shut_out == (member.identity,)
    stage.enter(7, "eve")
    assert 7 not in stage.house.presence.peers
    stage.do(stage.house.set_allowed(open_to(*staging.EVERYBODY), stage.now_ns))
    assert stage.house.allowed.shut_out == (member.identity,)
