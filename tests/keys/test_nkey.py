"""The seed of a NATS user is read exactly, or refused without a word of it; real servers take what it signs.

That they do: ``tests/conformance/test_cluster_login.py``.
"""

from __future__ import annotations

import pickle

import pytest

from auctionctl.errors import KeyTextError
from auctionctl.keys.nkey import UserKey

SEED = "SUAGC5LDORUW63TDORWC25DFON2C25TFMN2G64RNONSWKZBNGAYDAMO3O4"
"""Of the bytes below, written by nkeys 0.2.1, as are its public key and what it signs."""
BYTES = b"auctionctl-test-vector-seed-0001"
PUBLIC = "UA5EUPHJQL2V3LX7ZU6WC6BDGQH7GU5LXHD5DDEJZJCZJEWJWMBQGOL5"
OF_NONCE = b"/yal7Krpg0EqCb+rP7RyZJTgl+NkOrGKLkusaETu0I4QnIa4nJkA6pKlfDt/PsvAhU3GGj2pVqiOLSQI2PLVBg=="
OF_ACCOUNT = "SAAGC5LDORUW63TDORWC25DFON2C25TFMN2G64RNONSWKZBNGAYDAMJIXM"


def test_a_seed_has_the_public_key_that_other_programs_see_in_it() -> None:
    key = UserKey.from_text(SEED)
    assert key.public == PUBLIC
    assert UserKey(BYTES).public == PUBLIC
    assert str(key) == f"UserKey({PUBLIC})"


def test_it_signs_as_other_programs_do() -> None:
    assert UserKey.from_text(SEED).answer(b"nonce") == OF_NONCE


@pytest.mark.parametrize("place", range(0, 58, 3))
def test_no_character_of_a_seed_can_be_another(place: int) -> None:
    other = "A" if SEED[place] != "A" else "B"
    with pytest.raises(KeyTextError) as caught:
        UserKey.from_text(SEED[:place] + other + SEED[place + 1 :])
    assert SEED[5:] not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", SEED[:-1], SEED + "A", SEED.lower(), "é" * 58, PUBLIC, "=" * 58, "1" * 58, OF_ACCOUNT]
)
def test_what_is_no_seed_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(KeyTextError, match="NATS user") as caught:
        UserKey.from_text(text)
    assert not text or text not in str(caught.value)


def test_a_key_is_not_copied_by_accident() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(UserKey(b"k" * 32))
