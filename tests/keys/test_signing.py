"""What keys do is pinned, and secrets never show (DESIGN.md section 5; vectors in tests/vectors/keys.json)."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_box_seal, crypto_box_seal_open

from auctionctl.errors import KeyTextError, NotAuthorisedError
from auctionctl.keys.signing import (
    PUBLIC_KEY_BYTES,
    SEED_BYTES,
    SIGNATURE_BYTES,
    Identity,
    SecretKey,
    seal_escrow,
    verify,
)

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "keys.json").read_text("utf-8")
)
ALICE = SecretKey(b"a" * 32)
BOB = SecretKey(b"b" * 32)


def unhex(vector: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(vector[name])


@pytest.mark.parametrize("vector", VECTORS["derivation"], ids=lambda vector: vector["seed"][:8])
def test_keys_derive_from_the_seed_as_pinned(vector: dict[str, Any]) -> None:
    key = SecretKey(unhex(vector, "seed"))
    assert key.identity == Identity(unhex(vector, "signing_public"), unhex(vector, "transport_public"))
    assert key.transport_secret == unhex(vector, "transport_secret")
    assert key.escrow_public == unhex(vector, "escrow_public")
    assert key.identity.text == vector["identity_text"]
    assert key.seed_text == vector["secret_text"]
    assert key.sign(unhex(vector, "message")) == unhex(vector, "signature")


@pytest.mark.parametrize("vector", VECTORS["derivation"], ids=lambda vector: vector["seed"][:8])
def test_the_standard_library_derives_the_same_secrets(vector: dict[str, Any]) -> None:
    for name, person in (
        ("signing_seed", b"auctionctl/sign1"),
        ("transport_secret", b"auctionctl/curv1"),
        ("escrow_secret", b"auctionctl/escr1"),
    ):
        derived = hashlib.blake2b(b"", digest_size=32, key=unhex(vector, "seed"), person=person).digest()
        assert derived == unhex(vector, name)


@pytest.mark.parametrize("vector", VECTORS["seal"], ids=lambda vector: vector["ephemeral_seed"][:8])
def test_boxes_are_sealed_as_pinned(vector: dict[str, Any]) -> None:
    house = SecretKey(unhex(vector, "recipient_seed"))
    box = seal_escrow(house.escrow_public, unhex(vector, "plaintext"), unhex(vector, "ephemeral_seed"))
    assert box == unhex(vector, "box")
    assert house.open_escrow(box) == unhex(vector, "plaintext")


@pytest.mark.parametrize("vector", VECTORS["ed25519"], ids=lambda vector: vector["what"])
def test_odd_keys_and_signatures_are_judged_as_pinned(vector: dict[str, Any]) -> None:
    judged = verify(unhex(vector, "public"), unhex(vector, "message"), unhex(vector, "signature"))
    assert judged is vector["accepted"]


def test_the_vectors_hold_both_verdicts_and_every_small_order() -> None:
    verdicts = [vector["accepted"] for vector in VECTORS["ed25519"]]
    assert (verdicts.count(True), verdicts.count(False)) == (3, 37)
    assert all(any(f"order {order}" in vector["what"] for vector in VECTORS["ed25519"]) for order in (1, 2, 4, 8))


@given(st.binary(max_size=300))
def test_a_signature_holds_for_its_message_and_its_key_alone(message: bytes) -> None:
    signature = ALICE.sign(message)
    assert len(signature) == SIGNATURE_BYTES
    assert ALICE.sign(message) == signature
    assert verify(ALICE.identity.signing, message, signature)
    assert not verify(BOB.identity.signing, message, signature)
    assert not verify(ALICE.identity.signing, message + b"\0", signature)


@given(st.integers(0, SIGNATURE_BYTES * 8 - 1))
def test_a_signature_with_any_bit_flipped_is_refused(bit: int) -> None:
    signature = bytearray(ALICE.sign(b"bid"))
    signature[bit // 8] ^= 1 << bit % 8
    assert not verify(ALICE.identity.signing, b"bid", bytes(signature))


@given(st.binary(max_size=100), st.binary(max_size=100), st.binary(max_size=100))
def test_verifying_bytes_of_any_length_answers_and_never_raises(
    public: bytes, message: bytes, signature: bytes
) -> None:
    assert not verify(public, message, signature)


def test_the_boundary_between_signature_and_message_cannot_be_moved() -> None:
    signature = ALICE.sign(b"bid")
    public = ALICE.identity.signing
    assert verify(public, b"bid", signature)
    assert not verify(public, signature[-1:] + b"bid", signature[:-1])
    assert not verify(public, b"id", signature + b"b")
    assert not verify(public[:-1], b"bid", signature)
    assert not verify(public + b"\0", b"bid", signature)


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32))
def test_libsodium_opens_what_we_seal_and_we_open_what_it_seals(plaintext: bytes, seed: bytes) -> None:
    box = seal_escrow(BOB.escrow_public, plaintext, seed)
    assert len(box) == len(plaintext) + 48
    escrow_secret = hashlib.blake2b(b"", digest_size=32, key=b"b" * 32, person=b"auctionctl/escr1").digest()
    assert crypto_box_seal_open(box, BOB.escrow_public, escrow_secret) == plaintext
    assert BOB.open_escrow(crypto_box_seal(plaintext, BOB.escrow_public)) == plaintext


@given(st.binary(max_size=120))
def test_a_box_that_was_not_sealed_to_this_key_is_refused(box: bytes) -> None:
    with pytest.raises(NotAuthorisedError, match="the sealed reserve does not open with this key"):
        ALICE.open_escrow(box)


def test_a_box_sealed_to_another_house_or_cut_short_does_not_open() -> None:
    box = seal_escrow(BOB.escrow_public, b"reserve", b"s" * 32)
    for key, damaged in ((ALICE, box), (BOB, box[:-1]), (BOB, box[:-1] + b"\0"), (BOB, box[:47]), (BOB, bytes(80))):
        with pytest.raises(NotAuthorisedError):
            key.open_escrow(damaged)


def test_nothing_is_sealed_to_a_key_that_anybody_could_open() -> None:
    for point in (bytes(32), b"\x01" + bytes(31)):
        with pytest.raises(KeyTextError, match="no proper point"):
            seal_escrow(point, b"reserve", b"s" * 32)


@pytest.mark.parametrize("length_bytes", [0, 31, 33])
def test_keys_and_seeds_of_another_length_are_refused(length_bytes: int) -> None:
    wrong, right = bytes(length_bytes), bytes(32)
    with pytest.raises(KeyTextError, match=f"a secret key has {SEED_BYTES} bytes, not {length_bytes}"):
        SecretKey(wrong)
    with pytest.raises(KeyTextError, match=f"a public signing key has {PUBLIC_KEY_BYTES} bytes, not {length_bytes}"):
        Identity(wrong, right)
    with pytest.raises(KeyTextError, match=f"a public transport key has {PUBLIC_KEY_BYTES} bytes, not {length_bytes}"):
        Identity(right, wrong)
    with pytest.raises(KeyTextError, match=f"an escrow key has 32 bytes, not {length_bytes}"):
        seal_escrow(wrong, b"", right)
    with pytest.raises(KeyTextError, match=f"an ephemeral seed has 32 bytes, not {length_bytes}"):
        seal_escrow(BOB.escrow_public, b"", wrong)


def test_an_identity_survives_text_and_pickle_and_is_one_key_of_a_table() -> None:
    identity = ALICE.identity
    again = Identity.from_text(identity.text)
    assert again == identity
    assert again.text == identity.text
    assert {again: 1}[identity] == 1
    assert pickle.loads(pickle.dumps(Identity(identity.signing, identity.transport))) == identity
    assert Identity(identity.signing, BOB.identity.transport) != identity


def test_an_identity_is_shown_to_people_by_sixteen_characters() -> None:
    identity = ALICE.identity
    assert identity.short == identity.text[:16] + "…"
    assert repr(identity) == f"Identity({identity.short})"


def test_a_secret_key_survives_its_text() -> None:
    again = SecretKey.from_text(ALICE.seed_text)
    assert again.identity == ALICE.identity
    assert again.sign(b"m") == ALICE.sign(b"m")


def test_no_way_of_printing_a_secret_key_reveals_it() -> None:
    shown = [str(ALICE), repr(ALICE), f"{ALICE}", f"{ALICE!r:>60}", f"{ALICE:>60}", format(ALICE), str([ALICE])]
    secrets = [ALICE.transport_secret, b"a" * 32]
    for text in shown:
        assert ALICE.identity.short in text
        assert ALICE.seed_text[16:] not in text
        for secret in secrets:
            assert secret.hex() not in text
            assert repr(secret)[2:-1] not in text


def test_a_secret_key_is_neither_pickled_nor_copied() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            pickle.dumps(ALICE, protocol)
    for copying in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            copying(ALICE)
    assert not hasattr(ALICE, "__dict__")
