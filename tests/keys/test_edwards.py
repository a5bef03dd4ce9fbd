"""Odd keys and signatures, on which verifiers are known to disagree, are judged as libsodium does, by vectors."""

from __future__ import annotations

import json
import random
from typing import Any

import edwards
import pytest

from auctionctl.keys.signing import SecretKey, verify

FILE: dict[str, list[dict[str, Any]]] = json.loads(edwards.PATH.read_text("utf-8"))
VECTORS = [(group, vector) for group in edwards.GROUPS for vector in FILE[group]]


def unhex(vector: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    return bytes.fromhex(vector["public"]), bytes.fromhex(vector["message"]), bytes.fromhex(vector["signature"])


@pytest.mark.parametrize("group", edwards.GROUPS)
def test_every_signature_of_a_group_is_judged_as_pinned(group: str) -> None:
    assert [vector["what"] for vector in FILE[group] if verify(*unhex(vector)) is not vector["accepted"]] == []


def test_the_vectors_are_those_that_plain_arithmetic_makes() -> None:
    assert edwards.PATH.read_text("utf-8") == edwards.as_text()


def test_the_accepted_set_is_as_large_as_it_was() -> None:
    accepted = {group: [vector["accepted"] for vector in FILE[group]].count(True) for group in edwards.GROUPS}
    assert accepted == {"kinds": 1, "torsion": 12, "points": 0, "scalars": 1, "lengths": 0}
    assert {group: len(FILE[group]) for group in edwards.GROUPS} == {
        "kinds": 12,
        "torsion": 71,
        "points": 126,
        "scalars": 37,
        "lengths": 12,
    }


def holds(public: bytes, message: bytes, signature: bytes, *, times: int) -> bool:
    """Whether ``times`` × [S]B = ``times`` × (R + [h]A), whatever else is wrong."""
    key, r = edwards.decode(public), edwards.decode(signature[:32])
    assert key is not None
    assert r is not None
    s = int.from_bytes(signature[32:], "little")
    h = edwards.challenge(signature[:32], public, message)
    right = edwards.add(r, edwards.multiply(h, key))
    return edwards.multiply(times * s, edwards.BASE) == edwards.multiply(times, right)


def test_the_twelve_kinds_are_what_they_are_called() -> None:
    """As in table 6(c) of 'Taming the many EdDSAs': which of the two equations holds for which kind."""
    kinds = [unhex(vector) for vector in FILE["kinds"]]
    without = [holds(*vector, times=1) for vector in kinds]
    with_cofactor = [holds(*vector, times=8) for vector in kinds]
    assert without[:8] == [True, True, True, True, False, False, True, True]
    assert with_cofactor[:8] == [True] * 8
    assert with_cofactor[9] is True


def test_libsodium_and_plain_arithmetic_agree_on_anything_else_that_a_dishonest_signer_makes() -> None:
    seed = 20201244
    chance = random.Random(seed)
    accepted = 0
    for number in range(100):
        signer = edwards.Signer(number.to_bytes(32, "big"))
        message = chance.randbytes(chance.randrange(40))
        public, signature = signer.sign(message, chance.choice(edwards.TORSION), chance.choice(edwards.TORSION))
        if chance.random() < 0.2:
            s = int.from_bytes(signature[32:], "little") + chance.randrange(15) * edwards.L
            signature = signature[:32] + s.to_bytes(32, "little")
        judged = verify(public, message, signature)
        assert judged is edwards.verdict(public, message, signature), (seed, number)
        accepted += judged
    assert 5 < accepted < 50


def test_plain_arithmetic_takes_what_our_keys_sign() -> None:
    key = SecretKey(b"k" * 32)
    assert edwards.verdict(key.identity.signing, b"bid", key.sign(b"bid"))
    assert not edwards.verdict(key.identity.signing, b"bit", key.sign(b"bid"))
