from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.increments import Fixed, Increment, Percent, Table
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.terms_words import increment_words, opened_reserve, terms_facts, terms_record
from auctionctl.wire.listing import LotDescription

LOT = LotDescription(
    "vase",
    "Vase",
    "EUR",
    10_000,
    duration_ns=300 * SECOND_NS,
    min_bidders=2,
    reserve_minor=20_000,
    soft_close_window_ns=30 * SECOND_NS,
    max_extension_ns=60 * SECOND_NS,
    increment=Percent(250),
)


@pytest.mark.parametrize(
    ("increment", "words"),
    [
        (Fixed(150), "1.50EUR"),
        (Percent(250), "2.5% of the price"),
        (Percent(1_000), "10% of the price"),
        (Percent(5), "0.05% of the price"),
        (Table(((0, 500), (10_000, 1_000))), "5.00EUR from 0.00EUR, 10.00EUR from 100.00EUR"),
    ],
)
def test_every_kind_of_increment_has_its_words(increment: Increment, words: str) -> None:
    assert increment_words(increment, "EUR") == words


def test_a_reserve_is_told_as_a_commitment_until_the_close_opens_it(memory_house: Any) -> None:
    auction_id = memory_house.announce(LOT)
    auction = memory_house.house.log(auction_id).auction
    facts = dict(terms_facts(auction, {memory_house.key.identity.signing: "us"}))
    assert facts["reserve"].startswith("there is one")
    assert facts["seller"] == "us"
    assert facts["soft close"] == "a bid in the last 30s moves the end to 30s after it, by at most 1m in all"
    assert opened_reserve(auction) is None
    for bidder in (0, 1):
        memory_house.join(bidder, auction_id)
    memory_house.bid(0, auction_id, 10_000)
    memory_house.wait(301)
    assert dict(terms_facts(auction, {}))["reserve"] == "200.00EUR"


def test_a_record_of_terms_holds_all_that_the_seller_signed(memory_house: Any) -> None:
    terms = memory_house.house.log(memory_house.announce(LOT)).auction.terms
    record = terms_record(terms)
    assert record["increment"] == {"basis_points": 250}
    assert record["starting_price"] == {"minor": 10_000, "currency": "EUR"}
    assert record["reserve_commitment"] == terms.rules.reserve.commitment.hex()
    assert (record["soft_close_ns"], record["max_extension_ns"]) == (30 * SECOND_NS, 60 * SECOND_NS)
