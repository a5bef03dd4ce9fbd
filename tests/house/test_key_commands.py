"""A key that was revoked or replaced is let in no more, whatever the list says; what stands by it stands."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.condition import REVOKED_LISTED
from auctionctl.house.effects import Commit, Publish
from auctionctl.house.intake import Request
from auctionctl.house.key_commands import LEAST_AGE_NS, TAKEN
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import Identity
from auctionctl.replica.registry import REGISTRY_ID, Revoke, encode_registry_event, rotation
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.frames import sign_body
from auctionctl.wire.messages import Subscribe


@pytest.fixture
def revoke(stage: Any, staging: ModuleType) -> Any:
    """A request of ``session`` in which ``by`` revokes the key of ``whom``."""

    def request(session: int, by: str, whom: str, house: bytes = b"", signer: str = "") -> Request:
        actor, target = staging.key_of(by).identity.signing, staging.key_of(whom).identity.signing
        body = encode_registry_event(Revoke(house or stage.key.identity.signing, actor, target))
        message = sign_body(staging.key_of(signer or by), body)
        return Request(session, staging.key_of(signer or by).identity.signing, *message)

    return request


def last_entry(stage: Any) -> Any:
    return decode(stage.registry_data()[-1])


def refusals(staging: ModuleType, effects: list[Any], session: int) -> list[tuple[str, str]]:
    return [(reply.code, reply.message) for reply in staging.replies(effects, session) if hasattr(reply, "code")]


def test_a_holder_revokes_its_own_key_and_is_cut_off_once_that_is_durable(
    stage: Any, staging: ModuleType, revoke: Any
) -> None:
    stage.enter(1, "ann")
    stage.enter(2, "ann", "observer")
    stage.handle(stage.ask(2, Subscribe((REGISTRY_ID,))))
    stage.is_held = True
    request = revoke(1, "ann", "ann")
    stage.handle(request)
    assert {1, 2} <= set(stage.house.presence.peers), "nothing is in force before it is durable"
    effects = stage.settle()
    assert not {1, 2} & set(stage.house.presence.peers)
    assert stage.house.allowed.by_signing(staging.key_of("ann").identity.signing) is None
    assert any(isinstance(effect, Publish) and effect.auction == REGISTRY_ID for effect in effects)
    entry = last_entry(stage)
    assert (entry.kind, entry.body, entry.signature) == (Kind.KEY_REVOKED, request.body, request.signature)
    (refused,) = refusals(staging, stage.handle(stage.hello(3, "ann")), 3)
    assert refused[0] == "not_authorised"


def test_an_operator_and_the_house_revoke_keys_of_others(stage: Any, staging: ModuleType, revoke: Any) -> None:
    stage.enter(1, "ann")
    stage.enter(2, "otto", "operator")
    stage.handle(revoke(2, "otto", "ann"))
    assert 1 not in stage.house.presence.peers
    assert 2 in stage.house.presence.peers
    assert last_entry(stage).kind is Kind.KEY_REVOKED


@pytest.mark.parametrize(
    ("by", "whom", "changes", "refusal"),
    [
        ("ann", "ben", {}, "not_revoked: only its holder or an operator revokes a key"),
        ("sue", "ben", {}, "not_revoked: only its holder or an operator revokes a key"),
        ("otto", "house", {}, "not_revoked: the house's own key is in its address, and cannot be revoked"),
        ("otto", "nobody", {}, "not_revoked: this house knows no such key"),
        ("ann", "ann", {"house": b"x" * 32}, "not_revoked: this is meant for another house"),
        ("ann", "ann", {"signer": "ben"}, "not_authorised: a key is revoked or replaced by its session's identity"),
        ("ben", "ben", {"session": "ann"}, "not_authorised: a key is revoked or replaced by its session's identity"),
    ],
)
def test_whatever_else_is_refused_and_changes_nothing(
    stage: Any, staging: ModuleType, revoke: Any, *, by: str, whom: str, changes: dict[str, Any], refusal: str
) -> None:
    size = len(stage.registry_data())
    stage.enter(1, changes.pop("session", by), "observer")
    effects = stage.handle(revoke(1, by, whom, **changes))
    assert refusals(staging, effects, 1) == [tuple(refusal.split(": "))]
    assert len(stage.registry_data()) == size
    assert 1 in stage.house.presence.peers


def test_a_key_is_revoked_once(stage: Any, staging: ModuleType, revoke: Any) -> None:
    stage.enter(1, "otto", "operator")
    stage.handle(revoke(1, "otto", "ann"))
    size = len(stage.registry_data())
    assert refusals(staging, stage.handle(revoke(1, "otto", "ann")), 1) == [
        ("not_revoked", "this key was revoked before")
    ]
    assert len(stage.registry_data()) == size


@pytest.mark.parametrize("kind", ["revoke", "rotate"])
def test_what_comes_twice_in_one_batch_is_entered_once_and_not_refused(
    stage: Any, staging: ModuleType, revoke: Any, rotate: Any, kind: str
) -> None:
    stage.enter(1, "ann")
    request = revoke(1, "ann", "ann") if kind == "revoke" else rotate(1, "ann", "ann2")
    size = len(stage.registry_data())
    assert refusals(staging, stage.handle(request, request), 1) == []
    assert len(stage.registry_data()) == size + 1
    assert last_entry(stage).body == request.body


def test_another_rotation_in_the_same_batch_is_refused(stage: Any, staging: ModuleType, rotate: Any) -> None:
    stage.enter(1, "ann")
    requests = [rotate(1, "ann", "ann2"), rotate(1, "ann", "ann3")]
    assert [code for code, _ in refusals(staging, stage.handle(*requests), 1)] == ["not_rotated"]
    assert last_entry(stage).body == requests[0].body


@pytest.mark.parametrize("body", [b"", b"\x91\xa6revoke", b"\x90", b"\xff" * 40])
def test_what_is_no_revocation_is_malformed(stage: Any, staging: ModuleType, body: bytes) -> None:
    stage.enter(1, "ann")
    request = Request(1, b"", b"\x94\xa6revoke" + body, b"")
    assert [code for code, _ in refusals(staging, stage.handle(request), 1)] == ["malformed"]


def test_no_list_and_no_restart_lets_a_revoked_key_in_again(stage: Any, staging: ModuleType, revoke: Any) -> None:
    stage.enter(1, "ann")
    stage.handle(revoke(1, "ann", "ann"))
    size, everybody = len(stage.registry_data()), staging.EVERYBODY
    assert (REVOKED_LISTED in dict(stage.house.warnings.listed())) is True
    assert "ann" in dict(stage.house.warnings.listed())[REVOKED_LISTED]
    stage.do(stage.house.set_allowed(AllowList(enumerate(everybody, 1)), stage.now_ns))
    stage.restart(10**9, everybody)
    assert len(stage.registry_data()) == size
    (refused,) = refusals(staging, stage.handle(stage.hello(3, "ann")), 3)
    assert refused[0] == "not_authorised"
    assert REVOKED_LISTED in dict(stage.house.warnings.listed())
    others = [entry for entry in everybody if entry.name != "ann"]
    stage.do(stage.house.set_allowed(AllowList(enumerate(others, 1)), stage.now_ns))
    assert REVOKED_LISTED not in dict(stage.house.warnings.listed())


def test_a_standing_bid_stays_and_wins(stage: Any, staging: ModuleType, revoke: Any) -> None:
    auction = stage.opened()
    stage.handle(stage.bid(1, auction, 5_000))
    stage.handle(revoke(1, "ann", "ann"))
    stage.after(25 * 10**9)
    assert stage.log(auction).auction.sale.leader == staging.key_of("ann").identity.signing


def test_a_revocation_that_the_store_did_not_take_is_none(stage: Any, staging: ModuleType, revoke: Any) -> None:
    stage.enter(1, "ann")
    stage.is_full = True
    stage.handle(revoke(1, "ann", "ann"))
    assert 1 in stage.house.presence.peers
    assert stage.house.allowed.by_signing(staging.key_of("ann").identity.signing) is not None
    stage.is_full = False
    stage.after(5 * 10**9)
    stage.handle(revoke(1, "ann", "ann"))
    assert 1 not in stage.house.presence.peers


def test_without_room_it_is_refused_as_other_commands_are_and_nothing_is_tried(
    stage: Any, staging: ModuleType, revoke: Any, rotate: Any
) -> None:
    stage.enter(1, "ann")
    stage.is_full = True
    assert refusals(staging, stage.handle(revoke(1, "ann", "ann")), 1) == [
        ("store_full", "this house has no room to write this")
    ]
    stage.handle(rotate(1, "ann", "ann2"))  # the second attempt, after which the next one waits
    attempts = sum(isinstance(effect, Commit) for effect in stage.effects)
    for request in (revoke(1, "ann", "ann"), rotate(1, "ann", "ann2")):
        assert [code for code, _ in refusals(staging, stage.handle(request), 1)] == ["store_full"]
    assert sum(isinstance(effect, Commit) for effect in stage.effects) == attempts
    stage.is_full = False
    stage.after(5 * SECOND_NS)
    stage.handle(rotate(1, "ann", "ann2"))
    assert 1 not in stage.house.presence.peers


def test_whom_the_registry_had_no_room_for_yet_is_put_off_and_not_turned_away(
    stage: Any, staging: ModuleType, rotate: Any
) -> None:
    stage.is_full = True
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder", eve="bidder"), stage.now_ns))
    stage.handle(stage.hello(1, "eve"))
    assert staging.key_of("eve").identity.signing not in stage.house.registry.state.members
    assert [code for code, _ in refusals(staging, stage.handle(rotate(1, "eve", "eve2")), 1)] == ["store_full"]
    stage.is_full = False
    stage.after(5 * SECOND_NS)
    assert refusals(staging, stage.handle(rotate(1, "eve", "eve2")), 1) == []
    assert last_entry(stage).kind is Kind.KEY_ROTATED


def test_nothing_is_looked_at_after_a_batch_when_no_key_has_ended_since(
    stage: Any, staging: ModuleType, revoke: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.enter(1, "ann")
    stage.enter(2, "ben")
    looked: list[Any] = []
    monkeypatch.setattr(AllowList, "by_signing", counting(AllowList.by_signing, looked))
    monkeypatch.setattr(AllowList, "entry_of", counting(AllowList.entry_of, looked))
    auction = stage.announce()
    stage.handle(stage.join(2, auction))
    assert not looked
    stage.handle(revoke(1, "ann", "ann"))
    assert looked
    looked.clear()
    for _ in range(3):
        stage.handle(stage.join(2, stage.announce()))
    assert not looked


def counting(function: Any, calls: list[Any]) -> Any:
    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return function(*arguments)

    return counted


# Rotations


@pytest.fixture
def rotate(stage: Any, staging: ModuleType) -> Any:
    """A request of ``session`` in which the key called ``new`` takes the place of that of ``old``."""

    def request(session: int, old: str, new: str, **changes: Any) -> Request:
        key, house = staging.key_of(old), stage.key.identity.signing
        event = replace(rotation(key.identity.signing, staging.key_of(new), house), **changes)
        return Request(session, key.identity.signing, *sign_body(key, encode_registry_event(event)))

    return request


def test_a_new_key_takes_the_place_of_the_old_once_that_is_durable(
    stage: Any, staging: ModuleType, rotate: Any
) -> None:
    stage.enter(1, "ann")
    stage.enter(2, "ben", "observer")
    stage.handle(stage.ask(2, Subscribe((REGISTRY_ID,))))
    stage.is_held = True
    request = rotate(1, "ann", "ann2")
    stage.handle(request)
    assert 1 in stage.house.presence.peers, "nothing is in force before it is durable"
    effects = stage.settle()
    assert any(isinstance(effect, Publish) and effect.auction == REGISTRY_ID for effect in effects)
    entry = last_entry(stage)
    assert (entry.kind, entry.body, entry.signature) == (Kind.KEY_ROTATED, request.body, request.signature)
    assert 1 not in stage.house.presence.peers
    assert [code for code, _ in refusals(staging, stage.handle(stage.hello(3, "ann")), 3)] == ["not_authorised"]
    stage.enter(4, "ann2")
    assert stage.house.presence.peers[4].name == "ann"
    assert stage.house.presence.peers[4].role == "bidder"
    size = len(stage.registry_data())
    stage.after(5 * SECOND_NS)
    assert len(stage.registry_data()) == size, "the registry and the list in force say the same"


@pytest.mark.parametrize(
    ("old", "new", "changes", "refusal"),
    [
        ("ann", "ben", {}, "the new key is known here already: make one for this alone"),
        ("ann", "house", {}, "the new key is known here already: make one for this alone"),
        ("ann", "ann2", {"house": b"x" * 32}, "this is meant for another house"),
        ("ann", "ann2", {"consent": bytes(64)}, "the new key has not signed it"),
        ("ann", "ann2", {"transport": b"t" * 32}, "the new key has not signed it"),
        ("ann", "ann2", {"key": b"k" * 32}, ""),
    ],
)
def test_a_rotation_that_does_not_hold_is_refused_and_changes_nothing(
    stage: Any, staging: ModuleType, rotate: Any, *, old: str, new: str, changes: dict[str, Any], refusal: str
) -> None:
    size = len(stage.registry_data())
    stage.enter(1, old)
    effects = stage.handle(rotate(1, old, new, **changes))
    code = "not_rotated" if refusal else "not_authorised"
    words = refusal or "a key is revoked or replaced by its session's identity"
    assert refusals(staging, effects, 1) == [(code, words)]
    assert len(stage.registry_data()) == size
    assert 1 in stage.house.presence.peers


def test_a_key_of_the_list_that_was_never_entered_is_no_new_one(stage: Any, staging: ModuleType, rotate: Any) -> None:
    """Between a change of the list and the batch that enters it, only the list knows."""
    stage.enter(1, "ann")
    stage.house.registry.is_halted = True
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder", eve="bidder"), stage.now_ns))
    stage.house.registry.is_halted = False
    stage.house._is_registry_behind = False
    (refusal,) = refusals(staging, stage.handle(rotate(1, "ann", "eve")), 1)
    assert refusal == ("not_rotated", "the new key is on the allow list already: make one for this alone")


def test_rotations_chain_but_not_within_an_hour(stage: Any, staging: ModuleType, rotate: Any) -> None:
    stage.enter(1, "ann")
    stage.handle(rotate(1, "ann", "ann2"))
    stage.enter(2, "ann2")
    (refusal,) = refusals(staging, stage.handle(rotate(2, "ann2", "ann3")), 2)
    assert refusal[0] == "not_rotated"
    assert "in 60 min" in refusal[1]
    stage.now_ns += LEAST_AGE_NS
    stage.handle(rotate(2, "ann2", "ann3"))
    assert 2 not in stage.house.presence.peers
    stage.enter(3, "ann3")
    assert stage.house.presence.peers[3].name == "ann"
    first, newest = (staging.key_of(name).identity.signing for name in ("ann", "ann3"))
    assert stage.house.registry.state.successions.newest(first) == newest


def test_a_restart_and_a_rollback_know_what_the_store_does(stage: Any, staging: ModuleType, rotate: Any) -> None:
    everybody = staging.EVERYBODY
    stage.enter(1, "ann")
    stage.is_full = True
    stage.handle(rotate(1, "ann", "ann2"))
    stage.is_full = False
    assert 1 in stage.house.presence.peers, "the store did not take it"
    stage.after(5 * SECOND_NS)
    stage.handle(rotate(1, "ann", "ann2"))
    size = len(stage.registry_data())
    stage.restart(10**9, everybody)
    assert len(stage.registry_data()) == size
    assert [code for code, _ in refusals(staging, stage.handle(stage.hello(3, "ann")), 3)] == ["not_authorised"]
    stage.enter(4, "ann2")
    assert 4 in stage.house.presence.peers
    # Whom the operator takes off the list is gone, whichever of its keys the list names.
    others = [entry for entry in everybody if entry.name != "ann"]
    stage.do(stage.house.set_allowed(AllowList(enumerate(others, 1)), stage.now_ns))
    assert 4 not in stage.house.presence.peers
    assert stage.house.registry.state.members[staging.key_of("ann2").identity.signing].role == ""


def test_a_revoked_key_has_no_successor_and_a_successor_is_revoked_like_any(
    stage: Any, staging: ModuleType, revoke: Any, rotate: Any
) -> None:
    stage.enter(1, "ann")
    stage.handle(rotate(1, "ann", "ann2"))
    stage.enter(2, "ann2")
    stage.handle(revoke(2, "ann2", "ann2"))
    assert 2 not in stage.house.presence.peers
    for session, name in ((3, "ann"), (4, "ann2")):
        effects = stage.handle(stage.hello(session, name))
        assert [code for code, _ in refusals(staging, effects, session)] == ["not_authorised"]
    assert "ann" in dict(stage.house.warnings.listed())[REVOKED_LISTED]


def test_to_revoke_a_key_shuts_out_whoever_has_put_another_in_its_place(
    stage: Any, staging: ModuleType, revoke: Any, rotate: Any
) -> None:
    """Else whoever stole a key, and replaced it at once, would be thought to be out, and be in."""
    stage.enter(1, "ann")
    stage.enter(9, "otto", "operator")
    stage.handle(rotate(1, "ann", "thief"))
    stage.enter(5, "thief")
    stage.handle(revoke(9, "otto", "ann"))
    assert 5 not in stage.house.presence.peers
    for session, name in ((6, "thief"), (7, "ann")):
        effects = stage.handle(stage.hello(session, name))
        assert [code for code, _ in refusals(staging, effects, session)] == ["not_authorised"]
    assert "ann" in dict(stage.house.warnings.listed())[REVOKED_LISTED]
    stage.after(SECOND_NS)
    assert stage.house.registry.state.members[staging.key_of("thief").identity.signing].role == ""


def test_whoever_revokes_its_own_replaced_key_as_an_operator_stays(
    stage: Any, staging: ModuleType, revoke: Any, rotate: Any
) -> None:
    stage.enter(9, "otto", "operator")
    stage.handle(rotate(9, "otto", "otto2"))
    stage.enter(8, "otto2", "operator")
    stage.handle(revoke(8, "otto2", "otto"))
    assert 8 in stage.house.presence.peers


def test_a_standing_bid_stays_and_wins_although_its_key_was_replaced(
    stage: Any, staging: ModuleType, rotate: Any
) -> None:
    auction = stage.opened()
    stage.handle(stage.bid(1, auction, 5_000))
    stage.handle(rotate(1, "ann", "ann2"))
    stage.after(25 * SECOND_NS)
    assert stage.log(auction).auction.sale.leader == staging.key_of("ann").identity.signing


def test_a_stranger_has_no_place_that_another_key_could_take(staging: ModuleType, rotate: Any) -> None:
    del rotate
    stage = staging.Stage(allowed=AllowList(access=Access.OPEN))
    stage.enter(1, "eve")
    stage.handle(stage.join(1, stage.announce("house")))
    key = staging.key_of("eve")
    event = rotation(key.identity.signing, staging.key_of("eve2"), stage.key.identity.signing)
    request = Request(1, key.identity.signing, *sign_body(key, encode_registry_event(event)))
    ((code, words),) = refusals(staging, stage.handle(request), 1)
    assert code == "not_rotated"
    assert "a stranger" in words


def test_nobody_gets_half_of_the_key_of_somebody_who_is_there(staging: ModuleType) -> None:
    """The transport half of a key is public, and signs nothing: its owner would be shut out by it."""
    ann, thief, eve = (staging.key_of(name) for name in ("ann", "thief", "eve"))
    allowed = AllowList(enumerate((Entry(ann.identity, "ann", "bidder"),), 1), access=Access.OPEN)
    stage = staging.Stage(allowed=allowed)
    stage.enter(1, "ann")
    stage.enter(2, "eve")  # a stranger, of whom the registry knows nothing yet
    size = len(stage.registry_data())
    half = SimpleNamespace(identity=Identity(thief.identity.signing, eve.identity.transport), sign=thief.sign)
    event = rotation(ann.identity.signing, half, stage.key.identity.signing)
    request = Request(1, ann.identity.signing, *sign_body(ann, encode_registry_event(event)))
    assert refusals(staging, stage.handle(request), 1) == [("not_rotated", TAKEN)]
    assert len(stage.registry_data()) == size
    assert 2 in stage.house.presence.peers
