"""``--strategy`` and ``--param``: which strategy they mean, found and tried before the first auction is.

Rule: a slip of the hand is found on the command line, not when an auction opens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auctionctl.cli.arguments import ArgumentError, argument

if TYPE_CHECKING:
    from auctionctl.bidding.agent import StrategyFactory

STRATEGY_HELP: Final = "A name of `auctionctl strategies ls`, such as smart; or FILE.py:CLASS, a class of your own."
PARAM_HELP: Final = "A parameter of the strategy, such as value=900.00EUR: see `auctionctl strategies show NAME`."


def read_strategy(text: str, params: list[str], currency: str) -> StrategyFactory:
    """What makes the strategy for each auction. Raises ArgumentError for what cannot be found, read or made."""
    from auctionctl.cli.own_strategies import find_spec  # noqa: PLC0415

    values = read_params(params)
    with argument("--strategy"):
        spec = find_spec(text)
    with argument("--param"):
        # Made once for nothing: what is wrong with the parameters is wrong for every auction.
        spec.make(values, currency)
    return lambda terms: spec.make(values, terms.rules.currency)


def read_params(params: list[str]) -> dict[str, str]:
    """``K=V`` texts by K. Raises ArgumentError."""
    values: dict[str, str] = {}
    for text in params:
        parameter, separator, value = text.partition("=")
        if not separator or parameter in values:
            raise ArgumentError(f"--param: {text!r} is no K=V, or K stands twice", hint="write --param value=900.00EUR")
        values[parameter] = value
    return values
