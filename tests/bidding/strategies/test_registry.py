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
    assert " ".join(SPECS) == (
        "market-value aggressive conservative smart truthful sniper jump shading zip zi-c pacing manual"
    )
    for name, spec in SPECS.items():
        assert spec.name == name
        assert spec.summary
        assert spec.source
        assert all(parameter.meaning for parameter in spec.parameters)
        required = {p.name: "7.00" for p in spec.parameters if p.is_required}
        assert make(name, required, currency="EUR") == make(
            name, required | {p.name: p.default for p in spec.parameters if p.default}, currency="EUR"
        )


def test_a_parameter_that_is_needed_and_missing_is_asked_for() -> None:
    with pytest.raises(ConfigurationError, match="the strategy truthful needs the parameter value") as caught:
        make("truthful", {}, currency="EUR")
    assert caught.value.hint == "give --param value=…"


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="unknown strategy 'clever'") as caught:
        find("clever")
    assert caught.value.hint == "known: " + ", ".join(SPECS)


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
