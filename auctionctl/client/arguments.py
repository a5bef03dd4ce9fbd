"""What a program hands to the library, checked at its door: a mistake is told as one, with what to write instead.

Rule: everything here raises ConfigurationError, before anything is sent.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from auctionctl.bidding.agent import StrategyFactory
from auctionctl.bidding.strategies import factory
from auctionctl.errors import ConfigurationError


def check_text(what: str, value: object) -> None:
    """``value`` is a text: an amount says its currency, and a number would have been rounded by somebody."""
    if not isinstance(value, str):
        raise ConfigurationError(f"{what}: {value!r:.60} is no text", hint="amounts are written as '12.50EUR'")


def check_texts(params: Mapping[str, object]) -> None:
    """The parameters of a strategy are texts, as on a command line."""
    for name, value in params.items():
        check_text(f"the parameter {name}", value)


def check_names(**collections: Collection[str]) -> None:
    """Each of ``collections`` holds names, and is not a name itself, whose letters nobody means."""
    for what, names in collections.items():
        if isinstance(names, str):
            raise ConfigurationError(f"{what}: {names!r:.60} is one name, not several", hint=f"{what}=[{names!r:.60}]")


def check_wait(wait_s: float) -> None:
    """A time to wait for, in seconds."""
    if not (math.isfinite(wait_s) and wait_s >= 0):
        raise ConfigurationError(f"wait_s: {wait_s} is no time to wait for", hint="give seconds, 0 or more")


def check_start(start: int) -> None:
    """An index of a log."""
    if start < 0:
        raise ConfigurationError(f"start: {start} is no index of a log", hint="the first entry is 0")


def own_factory(strategy: str, params: Mapping[str, str]) -> StrategyFactory:
    """What makes the strategy of this name, which comes along; one that asks a person has nobody to ask here."""
    check_text("strategy", strategy)
    if strategy == "manual":
        raise ConfigurationError("the strategy manual asks a person at a terminal", hint="bid: await house.bid(…)")
    return factory(strategy, params)
