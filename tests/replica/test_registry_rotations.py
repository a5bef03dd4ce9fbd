"""Rotations in a registry: which key may take the place of which, who has signed it, and what goes over to the new."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from auctionctl.errors import MalformedEntryError, VerificationError
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.conduct import Deeds
from auctionctl.replica.registry import (
    Admitted,
    Announced,
    Conduct,
    Member,
    Registry,
    RegistryEvent,
    RegistryReplay,
    Revoke,
    RoleChanged,
    Rotate,
    decode_registry_event,
    encode_registry_event,
    kind_of,
    rotation,
)
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.wire.frames import domain, sign_body

HOUSE_KEY, ANN_KEY, NEW_KEY, NEWER_KEY, SUE_KEY = (SecretKey(name * 32) for name in (b"h", b"a", b"n", b"m", b"s"))
HOUSE, ANN, NEW, NEWER, SUE = (key.identity for key in (HOUSE_KEY, ANN_KEY, NEW_KEY, NEWER_KEY, SUE_KEY))
AUCTION = b"1" * 32
IN = Admitted(ANN.signing, ANN.transport, "ann", "bidder+seller")
SUE_IN = Admitted(SUE.signing, SUE.transport, "sue", "operator")
ROTATED = rotation(ANN.signing, NEW_KEY, HOUSE.signing)
AGAIN = rotation(NEW.signing, NEWER_KEY, HOUSE.signing)


def registry_of(*events: RegistryEvent) -> Registry:
    """What these come to, one a nanosecond from 100 on."""
    registry = Registry(HOUSE.signing)
    for time_ns, event in enumerate(events, 100):
        assert registry.check(event, time_ns) is None, event
        registry.apply(event, time_ns)
    return registry


def from_to(old: Identity, new: SecretKey) -> Rotate:
    return rotation(old.signing, new, HOUSE.signing)


GONE = RoleChanged(ANN.signing, "ann", "")
REVOKED = Revoke(HOUSE.signing, ANN.signing, ANN.signing)
WITH_HER_TRANSPORT = replace(ROTATED, transport=ANN.transport)


@pytest.mark.parametrize(
    ("before", "event", "reason"),
    [
        ((IN,), ROTATED, None),
        ((IN, ROTATED), AGAIN, None),
        ((), ROTATED, "who is not let in has no key to replace"),
        ((IN, GONE), ROTATED, "who is not let in has no key to replace"),
        ((IN, REVOKED), ROTATED, "who is not let in has no key to replace"),
        ((IN,), rotation(ANN.signing, NEW_KEY, SUE.signing), "this is meant for another house"),
        ((IN,), from_to(HOUSE, NEW_KEY), "cannot be replaced"),
        ((IN, ROTATED), ROTATED, "took the place of this one before"),
        ((IN, ROTATED), from_to(ANN, NEWER_KEY), "took the place of this one before"),
        ((IN, ROTATED), from_to(NEW, ANN_KEY), "known here already"),
        ((IN, ROTATED), from_to(NEW, NEW_KEY), "known here already"),
        ((IN,), from_to(ANN, ANN_KEY), "known here already"),
        ((IN, SUE_IN), from_to(ANN, SUE_KEY), "known here already"),
        ((IN, SUE_IN, ROTATED), from_to(SUE, NEW_KEY), "known here already"),
        ((IN,), from_to(ANN, HOUSE_KEY), "known here already"),
        ((IN,), WITH_HER_TRANSPORT, "known here already"),
        ((IN, SUE_IN), replace(ROTATED, transport=SUE.transport), "known here already"),
        ((IN, SUE_IN, ROTATED), replace(from_to(SUE, NEWER_KEY), transport=NEW.transport), "known here already"),
        # What comes after it.
        ((IN, ROTATED), IN, "another key took the place of this one"),
        ((IN, ROTATED), RoleChanged(ANN.signing, "ann", "bidder"), "has no role to change"),
        ((IN, ROTATED), RoleChanged(NEW.signing, "ann", "bidder"), None),
        ((IN, ROTATED), Announced(AUCTION, ANN.signing, "lot"), "knows no such seller"),
        ((IN, ROTATED), Announced(AUCTION, NEW.signing, "lot"), None),
        ((IN, ROTATED), Revoke(HOUSE.signing, ANN.signing, ANN.signing), "revokes nothing"),
        ((IN, ROTATED), Revoke(HOUSE.signing, ANN.signing, NEW.signing), "revokes nothing"),
        ((IN, ROTATED), Revoke(HOUSE.signing, NEW.signing, NEW.signing), None),
        ((IN, SUE_IN, ROTATED), Revoke(HOUSE.signing, SUE.signing, ANN.signing), None),
        ((IN, ROTATED, Revoke(HOUSE.signing, NEW.signing, NEW.signing)), AGAIN, "who is not let in"),
    ],
)
def test_every_rule_allows_what_it_says_and_nothing_else(
    before: tuple[RegistryEvent, ...], event: RegistryEvent, reason: str | None
) -> None:
    registry = registry_of(*before)
    found = registry.check(event, 1_000)
    assert (found is None) == (reason is None), found
    assert reason is None or (found is not None and reason in found)


def test_name_and_roles_go_over_and_nothing_is_left_with_the_old_key() -> None:
    registry = registry_of(IN, ROTATED, AGAIN)
    assert registry.members == {
        ANN.signing: Member(ANN, "ann", "", 100),
        NEW.signing: Member(NEW, "ann", "", 101),
        NEWER.signing: Member(NEWER, "ann", "bidder+seller", 102),
    }
    assert registry.rotated == {ANN.signing: 101, NEW.signing: 102}
    assert registry.rotations == {ANN.signing: 1, NEW.signing: 2}
    assert registry.successions.newest(ANN.signing) == NEWER.signing
    both = {"bidder", "seller"}
    at = [registry.roles_at(key.signing, time_ns) for key in (ANN, NEW) for time_ns in (100, 101, 102, 103)]
    assert at == [both, both, set(), set(), set(), both, both, set()]


def test_the_reputation_is_one_for_all_keys_of_a_holder_whichever_did_it() -> None:
    def said(number: int, bidder: Identity, **deeds: int) -> tuple[RegistryEvent, ...]:
        auction, none = bytes([number]) * 32, dict.fromkeys(("stood", "won", "paid", "defaulted", "left", "invalid"), 0)
        told = Conduct(auction, (Deeds(bidder.signing, **{**none, **deeds}),))
        return Announced(auction, HOUSE.signing, f"lot-{number}"), told

    paid, defaulted = {"stood": 1, "won": 1, "paid": 1}, {"won": 1, "defaulted": 1}
    registry = registry_of(
        IN, *said(1, ANN, **paid), ROTATED, *said(2, ANN, **defaulted), *said(3, NEW, **paid), AGAIN, SUE_IN
    )
    plain = registry_of(IN, *said(1, ANN, **paid), *said(2, ANN, **defaulted), *said(3, ANN, **paid))
    expected = plain.reputations.ppm(ANN.signing, 1_000)
    assert expected != 500_000
    assert {registry.reputations.ppm(key.signing, 1_000) for key in (ANN, NEW, NEWER)} == {expected}
    assert registry.reputations.ppm(SUE.signing, 1_000) == 500_000
    assert len(registry.reputations.records_of(NEWER.signing)) == 3
    # As it was: nothing later counts, by whatever key.
    assert registry.reputations.ppm_then(ANN.signing, 103) == plain.reputations.ppm_then(ANN.signing, 103)


# In a log


def entry_of(event: RegistryEvent, signer: SecretKey | None = None, time_ns: int = 5) -> bytes:
    body = encode_registry_event(event)
    return encode(Entry(kind_of(event), time_ns, body, b"" if signer is None else sign_body(signer, body).signature))


def test_both_keys_have_signed_it() -> None:
    replay = RegistryReplay(HOUSE.signing)
    replay.apply(entry_of(IN))
    applied = replay.apply(entry_of(ROTATED, ANN_KEY))
    assert (applied.entry.kind, applied.fact) == (Kind.KEY_ROTATED, ROTATED)
    assert ROTATED.successor == NEW


def consent_of(key: SecretKey, event: Rotate = ROTATED, type_name: str = "succeed") -> Rotate:
    """The same, with another consent: signed by ``key``, or over another type."""
    values = (type_name, event.house, event.key, event.signing, event.transport)
    return replace(event, consent=key.sign(domain(type_name) + msgspec.msgpack.encode(values)))


@pytest.mark.parametrize(
    ("event", "signer", "words"),
    [
        (ROTATED, None, "not signed by the key that is replaced"),
        (ROTATED, NEW_KEY, "not signed by the key that is replaced"),
        (ROTATED, HOUSE_KEY, "not signed by the key that is replaced"),
        (replace(ROTATED, consent=bytes(64)), ANN_KEY, "not signed by the new key"),
        (consent_of(ANN_KEY), ANN_KEY, "not signed by the new key"),
        (consent_of(NEW_KEY, type_name="rotate"), ANN_KEY, "not signed by the new key"),
        (replace(ROTATED, transport=b"t" * 32), ANN_KEY, "not signed by the new key"),
        (replace(ROTATED, signing=NEWER.signing), ANN_KEY, "not signed by the new key"),
        (replace(ROTATED, house=SUE.signing), ANN_KEY, "not signed by the new key"),
        (replace(ROTATED, key=SUE.signing), SUE_KEY, "not signed by the new key"),
    ],
)
def test_without_either_signature_it_is_refused(event: Rotate, signer: SecretKey | None, words: str) -> None:
    assert consent_of(NEW_KEY) == ROTATED
    replay = RegistryReplay(HOUSE.signing)
    replay.apply(entry_of(IN))
    with pytest.raises(VerificationError, match=words) as raised:
        replay.apply(entry_of(event, signer))
    assert (raised.value.rule, raised.value.index) == ("signature", 1)
    replay.apply(entry_of(ROTATED, ANN_KEY))


@pytest.mark.parametrize("change", [{"consent": b""}, {"consent": bytes(63)}, {"key": b""}, {"signing": bytes(33)}])
def test_another_form_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedEntryError):
        decode_registry_event(Kind.KEY_ROTATED, encode_registry_event(replace(ROTATED, **change)))
