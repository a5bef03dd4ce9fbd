"""A strategy is cast by name, and told by each lot what it is worth; what cannot play is refused before it begins."""

from __future__ import annotations

import pytest

from auctionctl.bidding.strategies import aggressive
from auctionctl.bidding.strategies.aggressive import Aggressive
from auctionctl.bidding.strategy import Parameter, ParameterKind, Settings, StrategySpec
from auctionctl.errors import ConfigurationError
from auctionctl.market.casting import refuse_name, strategy_maker


def test_each_lot_has_its_value_and_the_parameters_hold_for_all() -> None:
    make = strategy_maker(aggressive.SPEC, {"factor": "1.5"}, "EUR")
    one, other = make(1_234), make(0)
    assert isinstance(one, Aggressive)
    assert isinstance(other, Aggressive)
    assert (one.stated_minor, other.stated_minor) == (1_234, 0)
    assert one.factor == other.factor == 1.5


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"fury": "2"}, "no parameter 'fury'"),
        ({"factor": "much"}, "'much'"),
        ({"value": "2EUR"}, "value is drawn"),
    ],
)
def test_what_cannot_be_cast_is_refused_with_a_hint(params: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        strategy_maker(aggressive.SPEC, params, "EUR")
    assert words in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["manual", "exec:./bid.sh"])
def test_nobody_is_waited_for_under_a_virtual_clock(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no place under a virtual clock") as caught:
        refuse_name(name)
    assert caught.value.hint
    refuse_name("truthful")


def test_a_class_of_somebodys_own_is_told_the_value_as_text_and_one_that_does_not_ask_is_not() -> None:
    made: list[Settings] = []

    def build(settings: Settings) -> Aggressive:
        made.append(settings)
        return Aggressive()

    value = Parameter("value", ParameterKind.TEXT, "", "as the class reads it")
    strategy_maker(StrategySpec("own", "", (value,), build), {}, "EUR")(1_234)
    assert made[-1].texts == {"value": "12.34EUR"}
    strategy_maker(StrategySpec("own", "", (), build), {}, "EUR")(1_234)
    assert made[-1].texts == {}
