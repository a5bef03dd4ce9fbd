"""What a strategy is: a function of what it sees, of the money left, of the time and of chance, and of nothing else.

Its rule: the same views give the same answers, so that runs can be repeated from a seed and strategies compared. There
is one strategy for each auction; one that learns may keep what it has seen there.
Amounts are integers in minor units, factors exact fractions; times are the house's, nanoseconds since the Unix epoch.
To add a strategy: a module in :mod:`auctionctl.bidding.strategies` with a ``SPEC``, and a line in its registry.
"""

from __future__ import annotations

import enum
import random
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final, Protocol, assert_never

import msgspec

from auctionctl.auction.price import parse_money
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.experience import ClosedLot
from auctionctl.bidding.tape import BidTape
from auctionctl.errors import ConfigurationError, MoneyError

UNKNOWN_VALUE_FACTOR: Final = Fraction(5, 4)
"""A lot of which neither we nor its seller state a value is taken to be worth so many times its starting price."""

_DECIMAL: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?", re.ASCII)


class AuctionView(msgspec.Struct, frozen=True, gc=False):
    """An open auction as its verified log has it, from one bidder's place.

    ``price_minor`` is None before the first bid; ``minimum_minor`` is the least acceptable bid; ``increment_minor`` is
    the step at the price; ``active_bidders`` counts the others who have bid.

    A bid within ``soft_close_window_ns`` (0: there is none) of the end moves it to that long after the bid, but never
    past ``max_end_ns``. ``round_trip_ns`` is how long a message to the house and back took last, 0 if it is not known.
    ``tape`` holds the accepted bids, in which we are ``own_number`` (None before our first bid). ``closed_lots`` are
    those that we have seen close at this house, the newest last; ``lots_open``, this one included, and ``lots_to_come``
    count the auctions in which we take part.
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
    soft_close_window_ns: int = 0
    max_end_ns: int = 0
    round_trip_ns: int = 0
    tape: BidTape = msgspec.field(default_factory=BidTape)
    own_number: int | None = None
    closed_lots: tuple[ClosedLot, ...] = ()
    lots_open: int = 1
    lots_to_come: int = 0


class Purse(msgspec.Struct, frozen=True, gc=False):
    """The money: what may be bid in this auction now, and the whole budget.

    ``committed_minor`` is what is tied up over all auctions, this one included; ``spent_minor`` the part of it that was
    won.
    """

    available_minor: int
    budget_minor: int
    committed_minor: int = 0
    spent_minor: int = 0


class Offer(msgspec.Struct, frozen=True, gc=False):
    """Bid this, now."""

    amount_minor: int


class Wait(msgspec.Struct, frozen=True, gc=False):
    """Do nothing; look again at ``until_ns`` (None: not before something happens). Every event is looked at anyway."""

    until_ns: int | None = None


class Failed(Wait, frozen=True, gc=False):
    """There is no answer that counts: what should have given one failed, as somebody else is told."""


class Asking(Wait, frozen=True, gc=False):
    """A person is asked, and will say when there is something to do: no reason of the strategy's own not to bid."""


class Strategy(Protocol):
    """How to bid in one auction."""

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:
        """What to do at ``now_ns``. An offer is at least ``view.minimum_minor``, and ``purse.available_minor`` at most.

        ``rng`` is the only source of chance. Also asked while we lead; an offer then counts for nothing.
        """
        ...


class Capped(Protocol):
    """A strategy that says beforehand what it never bids more than in this auction, whatever happens.

    Where the minimum is above that, it need not be asked: its answer would be to wait.
    """

    @property
    def ceiling_minor(self) -> int | None:
        """In minor units; None if that cannot be said."""
        ...


class ParameterKind(enum.StrEnum):
    """How the text of a parameter is read."""

    AMOUNT = "amount"
    FACTOR = "factor"
    SHARE = "share"
    COUNT = "count"
    SECONDS = "seconds"
    TEXT = "text"


class Parameter(msgspec.Struct, frozen=True):
    """One thing that can be set. ``default`` is text as a user would write it; empty where there is none.

    Without one that ``is_required``, there is no strategy.
    """

    name: str
    kind: ParameterKind
    default: str
    meaning: str
    is_required: bool = False


class Settings(msgspec.Struct, frozen=True):
    """The parameters of one strategy, read: amounts in minor units (None where not given), the others exact.

    ``texts`` are those that are left as they are, of which those that were not given are not there.
    """

    amounts: Mapping[str, int | None]
    fractions: Mapping[str, Fraction]
    texts: Mapping[str, str]

    def count(self, name: str) -> int:
        """A parameter that is a whole number."""
        return int(self.fractions[name])

    def nanoseconds(self, name: str) -> int:
        """A parameter that is a time in seconds, in nanoseconds."""
        return int(self.fractions[name] * SECOND_NS)


class StrategySpec(msgspec.Struct, frozen=True):
    """A strategy as one may choose it: its name, a line about it, its parameters, and how it is made.

    ``source`` is where the idea was published.
    """

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    build: Callable[[Settings], Strategy]
    source: str = ""

    def make(self, params: Mapping[str, str], currency: str) -> Strategy:
        """The strategy under these parameters, amounts being in ``currency``. Errors: :meth:`read`."""
        return self.build(self.read(params, currency))

    def read(self, params: Mapping[str, str], currency: str) -> Settings:
        """What these parameters say, for :attr:`build`; amounts are in ``currency``.

        Raises ConfigurationError for a parameter that it does not have, or a value that cannot be read.
        """
        known = [parameter.name for parameter in self.parameters]
        for name in params:
            if name not in known:
                raise ConfigurationError(
                    f"the strategy {self.name} has no parameter {name!r}", hint=f"it has: {', '.join(known) or 'none'}"
                )
        amounts: dict[str, int | None] = {}
        fractions: dict[str, Fraction] = {}
        texts: dict[str, str] = {}
        for parameter in self.parameters:
            if parameter.is_required and parameter.name not in params:
                raise ConfigurationError(
                    f"the strategy {self.name} needs the parameter {parameter.name}: {parameter.meaning}",
                    hint=f"give --param {parameter.name}=…",
                )
            text = params.get(parameter.name, parameter.default)
            match parameter.kind:
                case ParameterKind.AMOUNT:
                    is_given = bool(parameter.default) or parameter.name in params
                    amounts[parameter.name] = _read_amount(parameter, text, currency) if is_given else None
                case ParameterKind.FACTOR | ParameterKind.SHARE | ParameterKind.COUNT | ParameterKind.SECONDS:
                    fractions[parameter.name] = _read_fraction(parameter, text)
                case ParameterKind.TEXT:
                    if parameter.name in params:
                        texts[parameter.name] = text
                case _:
                    assert_never(parameter.kind)
        return Settings(amounts, fractions, texts)


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
    is_share, is_count = parameter.kind is ParameterKind.SHARE, parameter.kind is ParameterKind.COUNT
    if number is None or (is_share and number > 1) or (is_count and number.denominator != 1):
        kind = "a whole number" if is_count else "a number"
        how = "as" if is_count else "with at most 6 digits after the point, as"
        raise ConfigurationError(
            f"the parameter {parameter.name}: {text!r} is not {kind} from 0 to {1 if is_share else 999}",
            hint=f"write it {how} {parameter.default}",
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
    minimum_minor, available_minor = view.minimum_minor, purse.available_minor
    # Comparisons instead of min and max: most strategies end here, at every look.
    ceiling_minor = limit_minor if limit_minor < available_minor else available_minor
    if view.is_leading or minimum_minor > ceiling_minor:
        return Wait()
    if wish_minor <= minimum_minor:
        return Offer(minimum_minor)
    return Offer(wish_minor if wish_minor < ceiling_minor else ceiling_minor)
