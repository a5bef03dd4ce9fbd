"""What all strategies share: parameters read exactly, the value of a lot, and offers within every bound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from auctionctl.bidding.strategy import (
    VALUE_PARAMETER,
    Offer,
    Parameter,
    ParameterKind,
    Purse,
    Settings,
    StrategySpec,
    Wait,
    offer_within,
    scaled,
    value_minor,
)
from auctionctl.errors import ConfigurationError

View = Callable[..., Any]


@pytest.fixture
def spec() -> StrategySpec:
    class Holder:
        def __init__(self, settings: Settings) -> None:
            self.settings = settings

        def decide(self, view: Any, purse: Any, now_ns: int, rng: Any) -> Wait:
            return Wait()

    parameters = (
        VALUE_PARAMETER,
        Parameter("factor", ParameterKind.FACTOR, "1.1", "how far"),
        Parameter("patience", ParameterKind.SHARE, "0.5", "how long"),
        Parameter("count", ParameterKind.COUNT, "3", "how many"),
        Parameter("lead", ParameterKind.SECONDS, "0.25", "how early"),
    )
    return StrategySpec("holder", "does nothing", parameters, Holder)


def test_parameters_are_read_exactly_and_have_defaults(spec: StrategySpec) -> None:
    settings = spec.make({}, "EUR").settings
    assert settings.amounts == {"value": None}
    assert settings.fractions["factor"] == Fraction(11, 10)
    assert settings.fractions["patience"] == Fraction(1, 2)
    assert (settings.count("count"), settings.nanoseconds("lead")) == (3, 250_000_000)
    settings = spec.make({"value": "120.5", "factor": "0.333333", "patience": "1"}, "EUR").settings
    assert settings.amounts == {"value": 12_050}
    assert settings.fractions["factor"] == Fraction(333_333, 10**6)
    assert settings.fractions["patience"] == Fraction(1)
    assert spec.make({"value": "120JPY"}, "JPY").settings.amounts == {"value": 120}


def test_an_unknown_parameter_is_refused_with_the_known_ones(spec: StrategySpec) -> None:
    with pytest.raises(ConfigurationError, match="holder has no parameter 'vale'") as caught:
        spec.make({"vale": "1"}, "EUR")
    assert caught.value.hint == "it has: value, factor, patience, count, lead"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("value", "12.345", "the parameter value: '12.345' has 3 digits"),
        ("value", "12USD", "the parameter value: '12USD' is in USD"),
        ("value", "much", "the parameter value: not an amount"),
        ("value", "", "the parameter value: not an amount"),
        ("factor", "-1", "'-1' is not a number from 0 to 999"),
        ("factor", "1e3", "'1e3' is not a number"),
        ("factor", "1/0", "'1/0' is not a number"),
        ("factor", "", "'' is not a number"),
        ("patience", "1.01", "'1.01' is not a number from 0 to 1"),
        ("count", "1.5", "'1.5' is not a whole number from 0 to 999"),
        ("lead", "1000", "'1000' is not a number from 0 to 999"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused(spec: StrategySpec, name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        spec.make({name: text}, "EUR")
    assert caught.value.hint or "USD" in text or "digits" in message


def test_the_value_is_what_we_state_else_the_estimate_else_the_start_and_a_quarter(view: View) -> None:
    assert value_minor(view(estimate_minor=500, starting_price_minor=100), 7) == 7
    assert value_minor(view(estimate_minor=500, starting_price_minor=100), None) == 500
    assert value_minor(view(estimate_minor=0, starting_price_minor=100), None) == 0
    assert value_minor(view(estimate_minor=None, starting_price_minor=100), None) == 125
    assert value_minor(view(estimate_minor=None, starting_price_minor=101), None) == 127
    assert value_minor(view(estimate_minor=None, starting_price_minor=0), None) == 0


def test_a_limit_is_rounded_down() -> None:
    assert scaled(999, Fraction(11, 10)) == 1_098
    assert scaled(10**15, Fraction(1, 3)) == 333_333_333_333_333


def test_an_offer_is_the_wish_within_minimum_limit_and_purse(view: View) -> None:
    open_view = view(minimum_minor=100, is_leading=False)
    assert offer_within(open_view, Purse(500, 500), 400, 200) == Offer(200)
    assert offer_within(open_view, Purse(500, 500), 400, 50) == Offer(100)
    assert offer_within(open_view, Purse(500, 500), 400, 600) == Offer(400)
    assert offer_within(open_view, Purse(300, 500), 400, 600) == Offer(300)
    assert offer_within(open_view, Purse(99, 500), 400, 600) == Wait()
    assert offer_within(open_view, Purse(500, 500), 99, 600) == Wait()
    assert offer_within(view(minimum_minor=100, is_leading=True), Purse(500, 500), 400, 200) == Wait()
