"""Signed terms on disk: whole and private, read back as themselves, and refused where they are anything else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.offers import Offer, forget_offer, keep_offer, read_offer
from auctionctl.errors import ConfigurationError
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.listing import Entropy, LotDescription, differences, sign_terms

KEY, HOUSE = SecretKey(b"s" * 32), SecretKey(b"h" * 32)
LOT = LotDescription("vase", "A vase", "EUR", 1_000, reserve_minor=2_000)


def offer_of(lot: LotDescription = LOT, nonce: bytes = bytes(16)) -> Offer:
    entropy = Entropy(nonce, bytes(32), bytes(32))
    message = sign_terms(lot, HOUSE.identity.signing, HOUSE.escrow_public, KEY, entropy)
    return Offer(message, lot.reserve_minor)


@pytest.mark.parametrize("lot", [LOT, replace(LOT, reserve_minor=None)])
def test_an_offer_is_kept_private_and_reads_back_as_itself(tmp_path: Path, lot: LotDescription) -> None:
    path = tmp_path / "offers" / "a" / "vase.json"
    assert read_offer(path) is None
    offer = offer_of(lot)
    keep_offer(path, offer)
    assert read_offer(path) == offer
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert differences(lot, offer.terms, offer.reserve) == ()
    assert [each.name for each in path.parent.iterdir()] == ["vase.json"]


def test_another_offer_takes_its_place_and_only_the_refused_one_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "vase.json"
    first, second = offer_of(), offer_of(nonce=b"n" * 16)
    keep_offer(path, first)
    keep_offer(path, second)
    forget_offer(path, first.auction)
    assert read_offer(path) == second
    forget_offer(path, second.auction)
    assert read_offer(path) is None
    forget_offer(path, second.auction)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "auctionctl.offer/2"},
        {"terms": "00"},
        {"terms": "zz"},
        {"terms": None},
        {"signature": "00" * 64},
        {"signature": ""},
        {"reserve_minor": "2000"},
        {"reserve_minor": 2.5},
        {"reserve_minor": True},
    ],
)
def test_a_damaged_offer_is_named_and_not_used(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "vase.json"
    keep_offer(path, offer_of())
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ConfigurationError, match="holds no signed terms"):
        read_offer(path)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"3", b"{}", b"[" * 20_000])
def test_what_is_no_offer_is_named_and_not_used(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "vase.json"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match="holds no signed terms"):
        read_offer(path)
