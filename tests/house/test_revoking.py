"""A key that was revoked is let in nowhere any more, whatever the list says; what stands by it stands."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from auctionctl.house.condition import REVOKED_LISTED
from auctionctl.house.effects import Publish
from auctionctl.house.intake import Request
from auctionctl.keys.allowlist import AllowList
from auctionctl.replica.registry import REGISTRY_ID, Revoke, encode_registry_event
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
        ("ann", "ann", {"signer": "ben"}, "not_authorised: a key is revoked by its session's identity"),
        ("ben", "ben", {"session": "ann"}, "not_authorised: a key is revoked by its session's identity"),
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
