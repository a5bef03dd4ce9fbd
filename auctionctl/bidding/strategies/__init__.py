"""The strategies that come along, by name. Each is a module with a ``SPEC``; a line here makes it known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from auctionctl.auction.terms import Terms
from auctionctl.bidding.strategies import (
    aggressive,
    conservative,
    jump,
    manual,
    market_value,
    pacing,
    shading,
    smart,
    sniper,
    truthful,
    zi_c,
    zip_trader,
)
from auctionctl.bidding.strategy import Strategy, StrategySpec
from auctionctl.errors import ConfigurationError

_MODULES: Final = (
    market_value,
    aggressive,
    conservative,
    smart,
    truthful,
    sniper,
    jump,
    shading,
    zip_trader,
    zi_c,
    pacing,
    manual,
)

SPECS: Final[Mapping[str, StrategySpec]] = MappingProxyType({module.SPEC.name: module.SPEC for module in _MODULES})
"""Name → specification."""


def find(name: str) -> StrategySpec:
    """The strategy of this name; ConfigurationError, with a hint that lists the known ones."""
    spec = SPECS.get(name)
    if spec is None:
        raise ConfigurationError(f"unknown strategy {name!r}", hint=f"known: {', '.join(SPECS)}")
    return spec


def make(name: str, params: Mapping[str, str], *, currency: str) -> Strategy:
    """The strategy ``name`` under ``params`` (text by parameter), for auctions in ``currency``.

    Raises ConfigurationError for an unknown strategy or parameter, and for a value that cannot be read.
    """
    return find(name).make(params, currency)


def factory(name: str, params: Mapping[str, str]) -> Callable[[Terms], Strategy]:
    """What makes the strategy ``name`` for each auction, in its currency. Raises ConfigurationError as :func:`make`."""
    spec = find(name)
    return lambda terms: spec.make(params, terms.rules.currency)


__all__ = ["SPECS", "factory", "find", "make"]
