"""The strategies that come along: each can be found, described and made, and nothing else can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.bidding.strategies import SPECS, factory, find, make
from auctionctl.bidding.strategies.aggressive import Aggressive
from auctionctl.bidding.strategies.market_value import MarketValue
from auctionctl.errors import ConfigurationError


def test_every_strategy_is_made_from_its_defaults_and_says_what_it_is() -> None:
    assert list(SPECS) == ["market-value", "aggressive", "conservative", "smart"]
    for name, spec in SPECS.items():
        assert spec.name == name
        assert spec.summary
        assert all(parameter.meaning for parameter in spec.parameters)
        assert make(name, {}, currency="EUR") == make(
            name, {p.name: p.default for p in spec.parameters if p.default}, currency="EUR"
        )


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="unknown strategy 'clever'") as caught:
        find("clever")
    assert caught.value.hint == "known: market-value, aggressive, conservative, smart"


def test_a_factory_reads_amounts_in_the_currency_of_each_auction(secret_key: Callable[[str], Any]) -> None:
    from auctionctl.auction.terms import decode_terms
    from auctionctl.wire.listing import Entropy, LotDescription, sign_terms

    made = factory("aggressive", {"value": "12"})
    values = {}
    for currency in ("EUR", "JPY"):
        entropy = Entropy(bytes(16), bytes(32), bytes(32))
        lot = LotDescription("lot-1", "A lot", currency, 100)
        terms = sign_terms(lot, bytes(32), bytes(32), secret_key("seller"), entropy)
        values[currency] = made(decode_terms(terms.body))
    assert values == {"EUR": Aggressive(1_200), "JPY": Aggressive(12)}
    assert make("market-value", {"value": "1.00EUR"}, currency="EUR") == MarketValue(100)
    with pytest.raises(ConfigurationError, match="unknown strategy"):
        factory("clever", {})
