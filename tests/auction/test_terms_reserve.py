"""A reserve, once committed, cannot be moved, and opens to one amount in one currency."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.terms import (
    Reserve,
    ReserveOpening,
    commit_reserve,
    decode_opening,
    encode_opening,
    opens_commitment,
)
from auctionctl.errors import TermsError

SALT = bytes(range(32))


@pytest.mark.parametrize(
    ("minor", "salt", "currency", "commitment"),
    [
        (12_500, SALT, "EUR", "99dba1af464e0ee9102b818d8d37fe13aa4622f6423b9d4ba0c6e88c1722df63"),
        (0, bytes(32), "JPY", "8e1ae1759cbd6a8e38ded677891f38cef9aa7abf24b3c63deb783542c798a47b"),
        (10**15, b"\xff" * 32, "credits", "36298dbfe17fc0adc5b42224a0e0c1efb1d449a30a636c63793329819861f33f"),
    ],
)
def test_the_commitment_to_a_reserve_is_this_hash(minor: int, salt: bytes, currency: str, commitment: str) -> None:
    assert commit_reserve(ReserveOpening(minor, salt), currency).hex() == commitment
    preimage = b"auctionctl/reserve/v1\0" + salt + minor.to_bytes(8, "big") + currency.encode()
    assert hashlib.sha256(preimage).hexdigest() == commitment


def test_every_vector_of_a_reserve_commits_and_opens_as_published(vectors: dict[str, Any]) -> None:
    assert len(vectors["reserves"]) >= 3
    for vector in vectors["reserves"]:
        opening = ReserveOpening(vector["minor"], bytes.fromhex(vector["salt"]))
        assert hashlib.sha256(bytes.fromhex(vector["preimage"])).hexdigest() == vector["commitment"]
        assert commit_reserve(opening, vector["currency"]).hex() == vector["commitment"]
        assert encode_opening(opening).hex() == vector["opening"]
        assert decode_opening(bytes.fromhex(vector["opening"])) == opening


OPENINGS = st.builds(ReserveOpening, st.integers(0, MAX_MINOR), st.binary(min_size=32, max_size=32))


@given(OPENINGS, OPENINGS, st.sampled_from(["EUR", "JPY", "credits"]), st.sampled_from(["EUR", "JPY", "credits"]))
def test_a_reserve_opens_to_one_amount_in_one_currency(
    opening: ReserveOpening, other: ReserveOpening, currency: str, other_currency: str
) -> None:
    reserve = Reserve(commit_reserve(opening, currency), b"sealed")
    assert opens_commitment(reserve, opening, currency)
    same = (opening, currency) == (other, other_currency)
    assert opens_commitment(reserve, other, other_currency) == same
    assert not opens_commitment(reserve, replace(opening, minor=opening.minor ^ 1), currency)


@given(OPENINGS)
def test_an_opening_reads_back_as_itself(opening: ReserveOpening) -> None:
    assert decode_opening(encode_opening(opening)) == opening


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x91\x01", id="no salt"),
        pytest.param(b"\x92\xff\xc4\x20" + SALT, id="an amount below 0"),
        pytest.param(b"\x92\xcf" + (MAX_MINOR + 1).to_bytes(8, "big") + b"\xc4\x20" + SALT, id="an amount too large"),
        pytest.param(b"\x92\xcc\x01\xc4\x20" + SALT, id="a longer form of the amount"),
        pytest.param(b"\x92\x01\xc5\x00\x20" + SALT, id="a longer form of the salt"),
        pytest.param(b"\x92\x01\xc4\x1f" + SALT[1:], id="a short salt"),
        pytest.param(b"\x92\x01\xc4\x21" + SALT + b"\0", id="a long salt"),
        pytest.param(b"\x93\x01\xc4\x20" + SALT + b"\xc0", id="an element too many"),
        pytest.param(b"\x92\x01\xc4\x20" + SALT + b"\0", id="a byte after the end"),
        pytest.param(b"\x93\x01\xc4\x20" + SALT + b"\x91" * 100_000, id="deep nesting"),
    ],
)
def test_a_sealed_reserve_in_any_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(TermsError, match=r"^the sealed reserve "):
        decode_opening(data)
