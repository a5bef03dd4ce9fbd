"""What the registry says of a key is stronger than the allow list, which need not be changed for that."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.house.admission import Admission
from auctionctl.house.condition import REVOKED_LISTED, ROTATED_LISTED, Warnings
from auctionctl.house.house import House
from auctionctl.house.limits import Limits
from auctionctl.house.registry import RegistryLog
from auctionctl.keys.allowlist import Access, AllowList, Entry
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.registry import Admitted, Registry, RegistryEvent, Revoke, rotation

HOUSE, ANN, ANN2, ANN3, BEN, OTTO = (SecretKey(name * 32) for name in (b"h", b"a", b"2", b"3", b"b", b"o"))
ME = HOUSE.identity.signing
LIST = [Entry(ANN.identity, "ann", "bidder+seller"), Entry(BEN.identity, "ben", "bidder")]


def registry_of(*events: RegistryEvent) -> Registry:
    registry = Registry(ME)
    for key, name, role in ((ANN, "ann", "bidder+seller"), (BEN, "ben", "bidder"), (OTTO, "otto", "operator")):
        registry.apply(Admitted(key.identity.signing, key.identity.transport, name, role), 1)
    for event in events:
        assert registry.check(event, 2) is None
        registry.apply(event, 2)
    return registry


def rotated(old: SecretKey, new: SecretKey) -> Any:
    return rotation(old.identity.signing, new, ME)


def revoked(key: SecretKey) -> Revoke:
    return Revoke(ME, key.identity.signing, key.identity.signing)


def revoked_by_otto(key: SecretKey) -> Revoke:
    return Revoke(ME, OTTO.identity.signing, key.identity.signing)


def let_in(registry: Registry, *entries: Entry) -> tuple[dict[str, Identity], dict[str, str]]:
    warnings = Warnings()
    found = Admission(AllowList(enumerate(entries, 1)), warnings).in_force(registry)
    return {entry.name: entry.identity for entry in found}, dict(warnings.listed())


def test_a_list_that_names_no_key_that_has_ended_is_in_force_itself() -> None:
    allowed = AllowList(enumerate(LIST, 1))
    assert Admission(allowed, Warnings()).in_force(registry_of()) is allowed


@pytest.mark.parametrize(
    ("events", "entries", "expected", "warned"),
    [
        ((revoked(ANN),), LIST, {"ben": BEN}, {REVOKED_LISTED}),
        ((rotated(ANN, ANN2),), LIST, {"ann": ANN2, "ben": BEN}, {ROTATED_LISTED}),
        ((rotated(ANN, ANN2), rotated(ANN2, ANN3)), LIST, {"ann": ANN3, "ben": BEN}, {ROTATED_LISTED}),
        ((rotated(ANN, ANN2), revoked(ANN2)), LIST, {"ben": BEN}, {REVOKED_LISTED}),
        ((rotated(ANN, ANN2), revoked(BEN)), LIST, {"ann": ANN2}, {REVOKED_LISTED, ROTATED_LISTED}),
        # An operator has revoked the key that was replaced: whoever did that may have stolen it.
        ((rotated(ANN, ANN2), revoked_by_otto(ANN)), LIST, {"ben": BEN}, {REVOKED_LISTED}),
        ((rotated(ANN, ANN2), rotated(ANN2, ANN3), revoked_by_otto(ANN2)), LIST, {"ben": BEN}, {REVOKED_LISTED}),
        (
            (rotated(ANN, ANN2), revoked_by_otto(ANN)),
            [*LIST, Entry(ANN2.identity, "anna", "bidder")],
            {"anna": ANN2, "ben": BEN},
            {REVOKED_LISTED},
        ),
        # The operator has named the new key himself, or both, or the one in the middle.
        ((rotated(ANN, ANN2),), [Entry(ANN2.identity, "anna", "bidder")], {"anna": ANN2}, set()),
        (
            (rotated(ANN, ANN2),),
            [*LIST, Entry(ANN2.identity, "anna", "bidder")],
            {"anna": ANN2, "ben": BEN},
            {REVOKED_LISTED},
        ),
        (
            (rotated(ANN, ANN2), rotated(ANN2, ANN3)),
            [*LIST, Entry(ANN2.identity, "anna", "bidder")],
            {"ann": ANN3, "ben": BEN},
            {REVOKED_LISTED, ROTATED_LISTED},
        ),
        # Somebody else's line has the new key's transport key: that line is meant.
        (
            (rotated(ANN, ANN2),),
            [*LIST, Entry(Identity(ANN3.identity.signing, ANN2.identity.transport), "eve", "bidder")],
            {"ben": BEN},
            {REVOKED_LISTED},
        ),
    ],
)
def test_whom_a_list_lets_in_by_what_became_of_the_keys(
    events: tuple[RegistryEvent, ...], entries: list[Entry], expected: dict[str, SecretKey], warned: set[str]
) -> None:
    found, warnings = let_in(registry_of(*events), *entries)
    found.pop("eve", None)
    assert found == {name: key.identity for name, key in expected.items()}
    assert set(warnings) == warned


def test_name_roles_and_options_stay_those_of_the_line() -> None:
    entry = Entry(ANN.identity, "anna", "seller", (("k", "v"),))
    admission = Admission(AllowList([(1, entry)]), Warnings())
    (found,) = admission.in_force(registry_of(rotated(ANN, ANN2)))
    assert found == Entry(ANN2.identity, "anna", "seller", (("k", "v"),))


def test_it_is_behind_once_a_key_has_ended_and_warns_of_all_of_them() -> None:
    registry, warnings = registry_of(), Warnings()
    admission = Admission(AllowList(enumerate(LIST, 1)), warnings)
    admission.in_force(registry)
    assert not admission.is_behind(registry)
    for event, words in ((revoked(ANN), "ann"), (revoked(BEN), "ann, ben")):
        registry.apply(event, 2)
        assert admission.is_behind(registry)
        admission.in_force(registry)
        assert not admission.is_behind(registry)
        assert dict(warnings.listed())[REVOKED_LISTED].endswith(f": {words}")
    admission.take(AllowList())
    assert warnings.listed() == ()


def test_a_house_shuts_out_whom_its_registry_ended_before_it_takes_on_any_log() -> None:
    log = RegistryLog(OTTO)
    house = House(OTTO, Limits(1, 1), AllowList(enumerate(LIST, 1), Access.OPEN), 0, log)
    assert house.allowed.shut_out == ()
    log.state = registry_of(revoked(ANN), rotated(BEN, ANN3))
    house = House(OTTO, Limits(1, 1), AllowList(enumerate(LIST, 1), Access.OPEN), 0, log)
    assert house.allowed.shut_out == (ANN.identity, BEN.identity)
    assert [(entry.name, entry.identity) for entry in house.allowed] == [("ben", ANN3.identity)]
