"""Caps: the least that fits holds, and what is in another currency fits nothing."""

from __future__ import annotations

import pytest

from auctionctl.auction.price import Money
from auctionctl.bidding.caps import Cap, cap_of, no_cap
from auctionctl.bidding.wallet import Wallet
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.listing import Entropy, LotDescription, describe_terms

HOUSE = SecretKey(bytes(32))
TERMS = describe_terms(
    LotDescription("gold-watch", "Gold watch", "EUR", 100),
    bytes(32),
    HOUSE.escrow_public,
    bytes(32),
    Entropy(bytes(16), bytes(32), bytes(32)),
)


@pytest.mark.parametrize(
    ("caps", "cap_minor"),
    [
        ((), None),
        ((Cap("*", Money(500, "EUR")),), 500),
        ((Cap("gold-*", Money(700, "EUR")), Cap("*", Money(500, "EUR"))), 500),
        ((Cap("gold-*", Money(300, "EUR")), Cap("*", Money(500, "EUR"))), 300),
        ((Cap("gold-?atch", Money(300, "JPY")),), None),
        ((Cap("GOLD-*", Money(300, "EUR")),), None),
        ((Cap("watch", Money(300, "EUR")),), None),
        ((Cap("[fg]old*", Money(0, "EUR")),), 0),
    ],
)
def test_of_the_caps_that_fit_the_least_holds(caps: tuple[Cap, ...], cap_minor: int | None) -> None:
    assert cap_of(caps)(TERMS) == cap_minor


def test_a_wallet_finds_the_cap_of_an_auction_by_its_terms() -> None:
    wallet = Wallet(Money(1_000, "EUR"), cap_of([Cap("gold-*", Money(300, "EUR"))]))
    wallet.meet(b"a" * 32, TERMS)
    assert (wallet.available_minor(b"a" * 32), wallet.available_minor(b"b" * 32)) == (300, 1_000)


def test_without_a_cap_the_budget_alone_bounds() -> None:
    assert no_cap(TERMS) is None
