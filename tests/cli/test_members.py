"""Names from a registry, and whom it knows, as programs and people read it."""

from __future__ import annotations

import pytest

from auctionctl.cli.members import MEMBER_COLUMNS, Known, RegistryNames, member_record, member_row
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.registry import Admitted, Member, Registry, Revoke, RoleChanged, rotation

HOUSE, ANN, BEN = (SecretKey(name * 32).identity for name in (b"h", b"a", b"b"))


def admit(registry: Registry, identity: Identity, name: str, role: str = "bidder") -> None:
    event = Admitted(identity.signing, identity.transport, name, role)
    assert registry.check(event, 5) is None
    registry.apply(event, 5)


def test_names_grow_with_the_registry_and_stay_with_those_who_were_removed() -> None:
    registry = Registry(HOUSE.signing)
    names = RegistryNames(registry, {})
    assert dict(names) == {}
    admit(registry, ANN, "ann")
    assert dict(names) == {ANN.signing: "ann"}
    registry.apply(RoleChanged(ANN.signing, "ann", ""), 6)
    assert (names.get(ANN.signing), len(names)) == ("ann", 1)


def test_what_is_known_nearer_holds_and_its_names_are_nobody_elses() -> None:
    registry = Registry(HOUSE.signing)
    names = RegistryNames(registry, {HOUSE.signing: "you", ANN.signing: "anna"})
    admit(registry, ANN, "ann")
    admit(registry, BEN, "you")
    assert dict(names) == {HOUSE.signing: "you", ANN.signing: "anna"}
    with pytest.raises(KeyError):
        names[BEN.signing]
    assert len(names) == 2


@pytest.mark.parametrize(("role", "standing"), [("bidder+seller", "member"), ("", "removed")])
def test_a_member_is_shown_with_its_standing(role: str, standing: str) -> None:
    registry = Registry(HOUSE.signing)
    member = Member(ANN, "ann", role, 1_767_225_600 * 10**9)
    row = dict(zip(MEMBER_COLUMNS, member_row(member, registry, 3, Known(500_000, ())), strict=True))
    assert row["identity"] == ANN.short
    assert (row["since"], row["joined"], row["standing"]) == ("2026-01-01T00:00:00.000Z", "3", standing)
    assert (row["reputation"], row["evidence"]) == ("50%", "none yet")
    assert member_record(member, registry) == {
        "name": "ann",
        "role": role or None,
        "public_key": ANN.text,
        "bidder": ANN.signing.hex(),
        "since_ns": member.since_ns,
        "standing": standing,
        "successor": None,
    }


def test_why_the_house_lets_somebody_in_no_more_is_shown_and_who_came_in_its_place() -> None:
    registry, new = Registry(HOUSE.signing), SecretKey(b"n" * 32)
    admit(registry, ANN, "ann")
    admit(registry, BEN, "ben")
    for event in (
        rotation(ANN.signing, new, HOUSE.signing),
        Revoke(HOUSE.signing, BEN.signing, BEN.signing),
    ):
        assert registry.check(event, 5) is None
        registry.apply(event, 5)
    shown = {key: member_record(member, registry) for key, member in registry.members.items()}
    told = {key: (record["name"], record["standing"], record["successor"]) for key, record in shown.items()}
    assert told == {
        ANN.signing: ("ann", "replaced", new.identity.text),
        BEN.signing: ("ben", "revoked", None),
        new.identity.signing: ("ann", "member", None),
    }
