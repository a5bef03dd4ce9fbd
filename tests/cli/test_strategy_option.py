"""``--strategy`` and ``--param`` are found, read and tried before the first auction is."""

from __future__ import annotations

import pytest

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.strategy_option import read_params, read_strategy


def test_parameters_are_told_apart_by_their_first_equals_sign() -> None:
    assert read_params(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("params", [["a"], ["a=1", "a=2"]])
def test_what_is_no_parameter_or_stands_twice_is_refused(params: list[str]) -> None:
    with pytest.raises(ArgumentError, match=r"--param: 'a.*' is no K=V, or K stands twice"):
        read_params(params)


@pytest.mark.parametrize(
    ("strategy", "params", "message"),
    [
        ("clever", [], "--strategy: unknown strategy 'clever'"),
        ("gone.py:Mine", [], r"--strategy: there is no file gone\.py"),
        ("smart", ["vale=1"], "--param: the strategy smart has no parameter 'vale'"),
        ("truthful", [], "--param: the strategy truthful needs the parameter value"),
        ("smart", ["value=1.00USD"], "--param: the parameter value: '1.00USD' is in USD"),
    ],
)
def test_a_slip_of_the_hand_is_told_by_the_option_it_stands_in(strategy: str, params: list[str], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        read_strategy(strategy, params, "EUR")
