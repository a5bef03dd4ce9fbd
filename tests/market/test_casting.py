"""A strategy is cast by name, and told by each lot what it is worth; what cannot play is refused before it begins."""

from __future__ import annotations

import pytest

from auctionctl.bidding.strategies.aggressive import Aggressive
from auctionctl.errors import ConfigurationError
from auctionctl.market.casting import strategy_maker


def test_each_lot_has_its_value_and_the_parameters_hold_for_all() -> None:
    make = strategy_maker("aggressive", {"factor": "1.5"}, "EUR")
    one, other = make(1_234), make(0)
    assert isinstance(one, Aggressive)
    assert isinstance(other, Aggressive)
    assert (one.stated_minor, other.stated_minor) == (1_234, 0)
    assert one.factor == other.factor == 1.5


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("brave", {}, "unknown strategy 'brave'"),
        ("aggressive", {"fury": "2"}, "no parameter 'fury'"),
        ("aggressive", {"factor": "much"}, "'much'"),
        ("aggressive", {"value": "2EUR"}, "value is drawn"),
        ("manual", {}, "no place under a virtual clock"),
        ("exec:./bid.sh", {}, "no place under a virtual clock"),
    ],
)
def test_what_cannot_be_cast_is_refused_with_a_hint(name: str, params: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        strategy_maker(name, params, "EUR")
    assert words in str(caught.value)
    assert caught.value.hint
