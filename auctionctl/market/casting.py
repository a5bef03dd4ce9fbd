"""From a strategy and its parameters to what makes one for each bidder and auction.

Rule: what a lot is worth is drawn, and handed in as the parameter ``value``; all other parameters hold for a whole
market, and are read once. A strategy that waits for a person, or for another process, has no place under a virtual
clock: refuse it by its name, before it is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auctionctl.auction.price import format_minor
from auctionctl.bidding.strategy import Settings, Strategy, StrategySpec
from auctionctl.errors import ConfigurationError
from auctionctl.market.plan import StrategyMaker

VALUE: Final = "value"
FOR_PEOPLE: Final = "manual"
PROCESS_PREFIX: Final = "exec:"


def refuse_name(name: str) -> None:
    """Raises ConfigurationError for the name of a strategy that does not play in a market."""
    if name == FOR_PEOPLE or name.startswith(PROCESS_PREFIX):
        raise ConfigurationError(
            f"{name[:40]!r} has no place under a virtual clock: nobody is there to answer in its time",
            hint="write it in Python, or choose one that comes along",
        )


def strategy_maker(spec: StrategySpec, params: Mapping[str, str], currency: str) -> StrategyMaker:
    """Makes the strategy of ``spec`` under ``params``; ConfigurationError for what these cannot be."""
    if VALUE in params:
        raise ConfigurationError("value is drawn for every lot", hint="say in [values] how, and leave it out here")
    if all(parameter.name != VALUE for parameter in spec.parameters):
        read = spec.read(params, currency)
        return lambda value_minor: spec.build(read)  # noqa: ARG005 - it does not want to know
    read = spec.read({**params, VALUE: format_minor(0, currency)}, currency)
    takes_text = VALUE in read.texts

    def make(value_minor: int) -> Strategy:
        if takes_text:
            texts = {**read.texts, VALUE: format_minor(value_minor, currency)}
            return spec.build(Settings(read.amounts, read.fractions, texts))
        return spec.build(Settings({**read.amounts, VALUE: value_minor}, read.fractions, read.texts))

    # What is wrong with a class of somebody's own is found out now, and not in the first auction.
    make(0)
    return make
