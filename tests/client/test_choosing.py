"""A name, the first digits of an id, or a pattern means the auctions that it fits, and nothing is guessed."""

from __future__ import annotations

import pytest

from auctionctl.auction.terms import Terms
from auctionctl.client.choosing import choose_auctions, chosen_by, match_auctions
from auctionctl.client.receipts import short_id
from auctionctl.errors import NotFoundError
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.listing import Entropy, LotDescription, describe_terms


def terms(listing: str) -> Terms:
    lot = LotDescription(listing, "T", "EUR", 100)
    entropy = Entropy(bytes(16), bytes(32), bytes(32))
    return describe_terms(lot, bytes(32), SecretKey(bytes(32)).escrow_public, bytes(32), entropy)


CATALOGUE = {
    bytes.fromhex("abcd" + "00" * 30): terms("gold-watch"),
    bytes.fromhex("abcd" + "11" * 30): terms("sketch"),
    bytes.fromhex("beef" + "22" * 30): terms("abcd"),
}
FIRST, SECOND, THIRD = CATALOGUE


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["gold-watch"], {FIRST}),
        (["abcd1"], {SECOND}),
        (["ABCD1"], {SECOND}),
        (["abcd"], {THIRD}),
        ([FIRST.hex()], {FIRST}),
        ([short_id(SECOND), "sketch", "beef"], {SECOND, THIRD}),
    ],
)
def test_an_auction_is_found_by_listing_or_by_its_first_digits(wanted: list[str], found: set[bytes]) -> None:
    assert choose_auctions(CATALOGUE, wanted) == found


def test_a_name_that_fits_none_or_several_is_answered_with_the_candidates() -> None:
    with pytest.raises(NotFoundError, match=r"there are: abcd00000000 \(gold-watch\)") as caught:
        choose_auctions(CATALOGUE, ["gold-wach"])
    assert caught.value.hint == "did you mean gold-watch?"
    twins = CATALOGUE | {bytes.fromhex("abce" + "00" * 30): terms("sketch")}
    with pytest.raises(NotFoundError, match="'sketch' fits 2 auctions"):
        choose_auctions(twins, ["sketch"])
    for short in ("abc", "bee", ""):
        with pytest.raises(NotFoundError, match="there is no auction"):
            choose_auctions(CATALOGUE, [short])
    with pytest.raises(NotFoundError, match="this house holds none"):
        choose_auctions({}, ["x"])


def test_a_long_list_of_candidates_is_cut() -> None:
    many = {bytes([number]) * 32: terms(f"lot-{number}") for number in range(1, 21)}
    with pytest.raises(NotFoundError, match="and 12 more"):
        choose_auctions(many, ["zzzz"])


def test_a_pattern_fits_listings_as_a_shell_has_it_and_each_has_to_fit_one() -> None:
    assert match_auctions(CATALOGUE, ["*"]) == {FIRST, SECOND, THIRD}
    assert match_auctions(CATALOGUE, ["g*", "a?cd"]) == {FIRST, THIRD}
    for pattern in ("G*", "gold"):
        with pytest.raises(NotFoundError, match="no auction fits") as caught:
            match_auctions(CATALOGUE, ["*", pattern])
        assert "quote it" in caught.value.hint
    assert match_auctions(CATALOGUE, []) == set()


def test_names_and_patterns_are_chosen_together_each_auction_once() -> None:
    assert chosen_by(["sketch"], ["s*", "gold-*"])(CATALOGUE) == {FIRST, SECOND}
