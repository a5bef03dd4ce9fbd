"""Whoever acted as an operator is held against the registry: the log alone has only the house's word for that."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.commands import Pause, Resume, encode_command
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import VerificationError
from auctionctl.replica.audit import Audit, RegistryAudit, audit, audit_registry, compare_with_registry
from auctionctl.replica.replay import Operation
from auctionctl.wire.frames import sign_body

HOUR_NS = 3_600 * SECOND_NS


def order(stage: Any, kind: type, auction: bytes, key: Any, nonce: int) -> Any:
    house, actor = stage.key.identity.signing, key.identity.signing
    times_ns = (stage.now_ns, stage.now_ns + SECOND_NS)
    return sign_body(key, encode_command(kind(house, auction, actor, nonce.to_bytes(16, "big"), *times_ns, "a reason")))


def operated(stage: Any, staging: Any, name: str = "otto") -> bytes:
    """An auction that ``name`` has paused, with what the house would check left out: it is the house that cheats."""
    auction: bytes = stage.opened(duration_ns=HOUR_NS)
    key = staging.key_of(name)
    for nonce, kind in enumerate((Pause, Resume)):
        message = order(stage, kind, auction, key, nonce)
        log = stage.log(auction)
        command = kind(*_fields(message.body))
        log.add_command(staging.Request(1, key.identity.signing, *message), command, bytes([nonce]) * 32, stage.now_ns)
        stage.house._held.touch(log)
        stage.do(stage.house._commit())
        stage.after(SECOND_NS)
    return auction


def _fields(body: bytes) -> tuple[Any, ...]:
    import msgspec

    return tuple(msgspec.msgpack.decode(body)[1:])


def audits(stage: Any, auction: bytes) -> tuple[Audit, RegistryAudit]:
    house = stage.key.identity
    return audit(stage.export(auction), house), audit_registry(stage.registry_export(), house)


def test_what_an_operator_did_is_named_and_stands_by_the_registry(stage: Any, staging: Any) -> None:
    auction = operated(stage, staging)
    log, registry = audits(stage, auction)
    otto = staging.key_of("otto").identity.signing
    assert [operation.operator for operation in log.operations] == [otto, otto]
    assert all(isinstance(operation, Operation) for operation in log.operations)
    assert [operation.entry_index for operation in log.operations] == [4, 5]
    compare_with_registry(log, registry)


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_a_house_that_vouches_for_a_false_operator_is_caught(stage: Any, staging: Any, name: str) -> None:
    log, registry = audits(stage, operated(stage, staging, name))
    with pytest.raises(VerificationError) as raised:
        compare_with_registry(log, registry)
    assert (raised.value.rule, raised.value.index) == ("operator", 4)


def test_an_operator_whose_role_was_taken_before_is_none(stage: Any, staging: Any) -> None:
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder", ben="bidder", sue="seller"), stage.now_ns))
    stage.after(SECOND_NS)
    log, registry = audits(stage, operated(stage, staging))
    with pytest.raises(VerificationError, match="operator"):
        compare_with_registry(log, registry)


def test_an_operator_whose_role_is_taken_later_was_one(stage: Any, staging: Any) -> None:
    auction = operated(stage, staging)
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder", ben="bidder", sue="seller"), stage.now_ns))
    compare_with_registry(*audits(stage, auction))


def test_the_house_itself_may_always_operate(stage: Any, staging: Any) -> None:
    compare_with_registry(*audits(stage, operated(stage, staging, "house")))


def test_nobody_operates_whom_the_registry_cannot_name(stage: Any, staging: Any) -> None:
    """While the registry is halted an allow list may say more than it: what that operator did, nobody could check."""
    auction = stage.opened(duration_ns=HOUR_NS)
    stage.house.allowed = staging.allowed_with(ann="bidder", ben="bidder", sue="seller", zed="operator")
    session = stage.enter(9, "zed", "operator")
    key = staging.key_of("zed")
    message = order(stage, Pause, auction, key, 1)
    request = staging.Request(session, key.identity.signing, *message)
    (refused,) = staging.replies(stage.handle(request), session)
    assert (refused.code, refused.command) == ("halted", staging.command_of(request))
    assert "paused" not in stage.kinds(auction)
