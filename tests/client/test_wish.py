from __future__ import annotations

import pytest

from auctionctl.bidding.once import Above, Exactly, Least
from auctionctl.client.wish import Wish, parse_wish
from auctionctl.errors import MoneyError


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("12.50EUR", Wish(Exactly(1_250), "EUR")),
        (" +5.00EUR ", Wish(Above(500), "EUR")),
        ("min", Wish(Least(), None)),
    ],
)
def test_an_amount_is_exact_above_the_price_or_the_least(text: str, wish: Wish) -> None:
    assert parse_wish(text) == wish


@pytest.mark.parametrize("text", ["0EUR", "+0.00EUR", "5", "max", "-1EUR", ""])
def test_what_is_no_bid_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_wish(text)
