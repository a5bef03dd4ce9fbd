"""What a strategy is: a pure function of what it sees, of the money left, of the time and of chance.

Its rule: the same arguments give the same answer, so that runs can be repeated from a seed and strategies compared.
Amounts are integers in minor units, factors exact fractions; times are the house's, nanoseconds since the Unix epoch.
To add a strategy: a module in :mod:`auctionctl.bidding.strategies` with a ``SPEC``, and a line in its registry.
"""

from __future__ import annotations

import enum
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Protocol, assert_never

from auctionctl.auction.price import parse_money
from auctionctl.errors import ConfigurationError, MoneyError

UNKNOWN_VALUE_FACTOR: Final = Fraction(5, 4)
"""A lot of which neither we nor its seller state a value is taken to be worth so many times its starting price."""

_DECIMAL: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuctionView:
    """An open auction as its verified log has it, from one bidder's place.

    ``price_minor`` is None before the first bid; ``minimum_minor`` is the least acceptable bid; ``increment_minor`` is
    the step at the price; ``active_bidders`` counts the others who have bid.
    """

    auction: bytes
    title: str
    currency: str
    starting_price_minor: int
    price_minor: int | None
    minimum_minor: int
    increment_minor: int
    is_leading: bool
    opened_at_ns: int
    end_ns: int
    duration_ns: int
    active_bidders: int
    bid_count: int
    estimate_minor: int | None


@dataclass(frozen=True, slots=True)
class Purse:
    """The money: what may be bid in this auction now, and the whole budget."""

    available_minor: int
    budget_minor: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Bid this, now."""

    amount_minor: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing; look again at ``until_ns`` (None: not before something happens). Every event is looked at anyway."""

    until_ns: int | None = None


class Strategy(Protocol):
    """How to bid in one auction."""

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:
        """What to do at ``now_ns``. An offer is at least ``view.minimum_minor``, and ``purse.available_minor`` at most.

        ``rng`` is the only source of chance.
        """
        ...


class ParameterKind(enum.StrEnum):
    """How the text of a parameter is read."""

    AMOUNT = "amount"
    FACTOR = "factor"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can be set. ``default`` is text as a user would write it; empty where there is none."""

    name: str
    kind: ParameterKind
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of one strategy, read: amounts in minor units (None where not given), the others exact."""

    amounts: Mapping[str, int | None]
    fractions: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """A strategy as one may choose it: its name, a line about it, its parameters, and how it is made."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    build: Callable[[Settings], Strategy]

    def make(self, params: Mapping[str, str], currency: str) -> Strategy:
        """The strategy under these parameters, amounts being in ``currency``.

        Raises ConfigurationError for a parameter that it does not have, or a value that cannot be read.
        """
        known = [parameter.name for parameter in self.parameters]
        for name in params:
            if name not in known:
                raise ConfigurationError(
                    f"the strategy {self.name} has no parameter {name!r}", hint=f"it has: {', '.join(known)}"
                )
        amounts: dict[str, int | None] = {}
        fractions: dict[str, Fraction] = {}
        for parameter in self.parameters:
            text = params.get(parameter.name, parameter.default)
            match parameter.kind:
                case ParameterKind.AMOUNT:
                    is_given = bool(parameter.default) or parameter.name in params
                    amounts[parameter.name] = _read_amount(parameter, text, currency) if is_given else None
                case ParameterKind.FACTOR | ParameterKind.SHARE:
                    fractions[parameter.name] = _read_fraction(parameter, text)
                case _:
                    assert_never(parameter.kind)
        return self.build(Settings(amounts, fractions))


VALUE_PARAMETER: Final = Parameter(
    "value",
    ParameterKind.AMOUNT,
    "",
    "what the lot is worth to you, as 120.00EUR; by default its estimate, else its starting price and a quarter",
)


def _read_amount(parameter: Parameter, text: str, currency: str) -> int:
    try:
        return parse_money(text, currency=currency).minor
    except MoneyError as error:
        raise ConfigurationError(f"the parameter {parameter.name}: {error}", hint=error.hint) from error


def _read_fraction(parameter: Parameter, text: str) -> Fraction:
    number = Fraction(text) if _DECIMAL.fullmatch(text) else None
    if parameter.kind is ParameterKind.SHARE and number is not None and number > 1:
        number = None
    if number is None:
        kinds = {ParameterKind.FACTOR: "0 to 999", ParameterKind.SHARE: "0 to 1"}
        raise ConfigurationError(
            f"the parameter {parameter.name}: {text!r} is not a number from {kinds[parameter.kind]}",
            hint=f"write it as {parameter.default}, with at most 6 digits after the point",
        )
    return number


def value_minor(view: AuctionView, stated_minor: int | None) -> int:
    """What the lot is worth: as stated, else the seller's estimate, else the starting price and a quarter, rounded up.

    A lot that starts at 0 and has no estimate is so worth nothing, until a value is stated.
    """
    if stated_minor is not None:
        return stated_minor
    if view.estimate_minor is not None:
        return view.estimate_minor
    return -int(-view.starting_price_minor * UNKNOWN_VALUE_FACTOR // 1)


def scaled(minor: int, factor: Fraction) -> int:
    """``minor`` × ``factor``, rounded down: a limit is never exceeded by a fraction of a unit."""
    return minor * factor.numerator // factor.denominator


def offer_within(view: AuctionView, purse: Purse, limit_minor: int, wish_minor: int) -> Offer | Wait:
    """The acceptable amount nearest to ``wish_minor`` that limit and purse allow; to wait where there is none, or we
    lead."""
    ceiling_minor = min(limit_minor, purse.available_minor)
    if view.is_leading or view.minimum_minor > ceiling_minor:
        return Wait()
    return Offer(max(view.minimum_minor, min(wish_minor, ceiling_minor)))
