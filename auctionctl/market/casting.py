"""From the name of a strategy and its parameters to what makes one for each bidder and auction.

Rule: what a lot is worth is drawn, and handed in as the parameter ``value``; all other parameters hold for a whole
market. A strategy that waits for a person, or for another process, has no place under a virtual clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auctionctl.auction.price import format_minor
from auctionctl.bidding import strategies
from auctionctl.bidding.strategy import Strategy
from auctionctl.errors import ConfigurationError
from auctionctl.market.plan import StrategyMaker

VALUE: Final = "value"
FOR_PEOPLE: Final = "manual"
PROCESS_PREFIX: Final = "exec:"


def strategy_maker(name: str, params: Mapping[str, str], currency: str) -> StrategyMaker:
    """Makes the strategy ``name`` under ``params``; ConfigurationError for what cannot be one, here or at all."""
    if name == FOR_PEOPLE or name.startswith(PROCESS_PREFIX):
        raise ConfigurationError(
            f"{name[:40]!r} has no place under a virtual clock: nobody is there to answer in its time",
            hint="write it in Python, or choose one that comes along",
        )
    if VALUE in params:
        raise ConfigurationError("value is drawn for every lot", hint="say in [values] how, and leave it out here")
    spec = strategies.find(name)
    if all(parameter.name != VALUE for parameter in spec.parameters):
        spec.make(params, currency)
        return lambda value_minor: spec.make(params, currency)  # noqa: ARG005

    def make(value_minor: int) -> Strategy:
        return spec.make({**params, VALUE: format_minor(value_minor, currency)}, currency)

    # What is wrong with the parameters is found out now, and not in the first auction.
    make(0)
    return make
