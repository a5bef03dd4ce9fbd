"""A description becomes terms that the house can hold an auction under, or the seller is told why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auctionctl.auction.increments import Fixed
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.terms import SECOND_NS, ReserveOpening, decode_opening, decode_terms, opens_commitment
from auctionctl.errors import NotAuthorisedError, TermsError
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.frames import Message, is_signed_by
from auctionctl.wire.listing import Entropy, LotDescription, describe_terms, differences, sign_terms

HOUSE, SELLER = SecretKey(b"h" * 32), SecretKey(b"s" * 32)
ENTROPY = Entropy(b"n" * 16, b"t" * 32, b"e" * 32)
LOT = LotDescription("lot-1", "A lot", "EUR", 1_000)


def signed(lot: LotDescription, entropy: Entropy = ENTROPY) -> Message:
    return sign_terms(lot, HOUSE.identity.signing, HOUSE.escrow_public, SELLER, entropy)


def test_the_defaults_are_those_of_the_design() -> None:
    terms = decode_terms(signed(LOT).body)
    rules = terms.rules
    assert (rules.duration_ns, rules.min_bidders, rules.bid_timeout_ns) == (300 * SECOND_NS, 3, 30 * SECOND_NS)
    assert (rules.increment, rules.start_timeout_ns) == (Fixed(100), 600 * SECOND_NS)
    assert (rules.soft_close_window_ns, rules.max_extension_ns, rules.reserve) == (0, 0, None)
    assert (terms.house, terms.seller, terms.nonce) == (HOUSE.identity.signing, SELLER.identity.signing, b"n" * 16)


def test_everything_described_stands_in_the_terms() -> None:
    lot = LotDescription(
        "lot-2", "Title", "JPY", 5, "Text", 70, None, Fixed(3), 11 * SECOND_NS, 13 * SECOND_NS, 4, SECOND_NS, 7, 17
    )
    terms = decode_terms(signed(lot).body)
    assert (terms.listing, terms.lot.title, terms.lot.description, terms.lot.estimate_minor) == (
        "lot-2",
        "Title",
        "Text",
        70,
    )
    rules = terms.rules
    assert (rules.format, rules.currency, rules.starting_price_minor, rules.increment) == (
        "english",
        "JPY",
        5,
        Fixed(3),
    )
    assert (rules.duration_ns, rules.start_timeout_ns) == (11 * SECOND_NS, 13 * SECOND_NS)
    assert (rules.min_bidders, rules.bid_timeout_ns) == (4, SECOND_NS)
    assert (rules.soft_close_window_ns, rules.max_extension_ns) == (7, 17)


def test_the_seller_signs_the_terms_and_nobody_else_did() -> None:
    message = signed(LOT)
    assert is_signed_by(SELLER.identity.signing, *message)
    assert not is_signed_by(HOUSE.identity.signing, *message)


@pytest.mark.parametrize("reserve_minor", [0, 1, 123_456, MAX_MINOR])
def test_a_reserve_is_sealed_to_the_house_and_opens_what_the_terms_commit_to(reserve_minor: int) -> None:
    message = signed(replace(LOT, reserve_minor=reserve_minor))
    reserve = decode_terms(message.body).rules.reserve
    assert reserve is not None
    opening = decode_opening(HOUSE.open_escrow(reserve.sealed))
    assert (opening.minor, opening.salt) == (reserve_minor, ENTROPY.salt)
    assert opens_commitment(reserve, opening, "EUR")
    assert not opens_commitment(reserve, opening, "USD")
    with pytest.raises(NotAuthorisedError):
        SELLER.open_escrow(reserve.sealed)


def test_the_same_entropy_gives_the_same_terms_and_another_hides_the_same_reserve_anew() -> None:
    lot = replace(LOT, reserve_minor=500)
    assert signed(lot) == signed(lot)
    first = decode_terms(signed(lot).body).rules.reserve
    second = decode_terms(signed(lot, Entropy(b"n" * 16, b"u" * 32, b"f" * 32)).body).rules.reserve
    assert first is not None
    assert second is not None
    assert first.commitment != second.commitment
    assert first.sealed != second.sealed


@pytest.mark.parametrize("reserve_minor", [-1, MAX_MINOR + 1, 2**64])
def test_a_reserve_that_is_no_amount_is_refused_before_it_is_sealed(reserve_minor: int) -> None:
    with pytest.raises(TermsError, match="reserve must be between 0 and"):
        signed(replace(LOT, reserve_minor=reserve_minor))


@pytest.mark.parametrize(
    "changes",
    [
        {"listing": "Not A Name"},
        {"title": ""},
        {"currency": "Euro"},
        {"starting_price_minor": -1},
        {"estimate_minor": -1},
        {"min_bidders": 0},
        {"duration_ns": 0},
        {"soft_close_window_ns": 1},
        {"format": "raffle"},
    ],
)
def test_terms_that_no_auction_can_be_held_under_are_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(TermsError):
        signed(replace(LOT, **changes))


def test_describing_signs_nothing() -> None:
    terms = describe_terms(LOT, HOUSE.identity.signing, HOUSE.escrow_public, SELLER.identity.signing, ENTROPY)
    assert terms == decode_terms(signed(LOT).body)


def test_what_is_described_otherwise_than_announced_is_named() -> None:
    house = SecretKey(b"h" * 32)
    lot = LotDescription("vase", "A vase", "EUR", 1_000, reserve_minor=5_000)
    entropy = Entropy(b"n" * 16, b"s" * 32, b"e" * 32)
    terms = decode_terms(sign_terms(lot, house.identity.signing, house.escrow_public, house, entropy).body)
    opening = ReserveOpening(5_000, b"s" * 32)
    assert differences(lot, terms, opening) == ()
    changed = replace(lot, starting_price_minor=2_000, reserve_minor=None, min_bidders=2)
    assert set(differences(changed, terms, opening)) == {"starting_price_minor", "reserve_minor", "min_bidders"}
