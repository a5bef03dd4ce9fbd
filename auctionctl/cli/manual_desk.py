"""Where a person bids: what stands where is written to the terminal, and orders are read from it, or from a pipe.

Rule: nobody is waited for, and nothing is bid that was not ordered. A line is ``+`` for the least bid, ``12.50EUR`` or
``+5.00EUR`` above the price, after the name of the auction where there are several; ``?`` shows the board. On a
terminal an order that cannot be carried out is refused at once; from a pipe it waits for its turn: until bidding has
begun, and somebody else leads. A jump has to be said twice.
"""

from __future__ import annotations

import os
import select
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auctionctl.auction.price import format_minor, parse_money
from auctionctl.bidding.strategies.manual import Manual, Order
from auctionctl.bidding.strategy import StrategySpec
from auctionctl.cli.output import write_note
from auctionctl.errors import ConfigurationError, MoneyError
from auctionctl.views.auction_row import clock_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auctionctl.auction.terms import Terms

READ_BYTES: Final = 4_096
MAX_LINES: Final = 100
"""How many orders may wait; what is beyond is read when there is room."""
MAX_LINE_BYTES: Final = 512
SECOND_NS: Final = 1_000_000_000
HELP: Final = "bid with + (the least), 12.50EUR, or +5.00EUR above the price; ? shows the board"


@dataclass(slots=True)
class _Place:
    """One auction, the strategy there, and what was shown of it last."""

    terms: Terms
    strategy: Manual
    shown: tuple[int, bool] | None = None

    def words(self) -> str:
        """How it stands, in a line."""
        view, purse, currency = self.strategy.view, self.strategy.purse, self.terms.rules.currency
        if view is None or purse is None:
            return f"{self.terms.listing}: bidding has not begun"
        left = clock_text(max(0, view.end_ns - self.strategy.now_ns) // SECOND_NS)
        price = "no bid yet" if view.price_minor is None else format_minor(view.price_minor, currency)
        who = ", you lead" if view.is_leading else f", least bid {format_minor(view.minimum_minor, currency)}"
        free = format_minor(purse.available_minor, currency)
        return f"{self.terms.listing}: {price}{who}, {left} left, {free} free"


class ManualDesk:
    """The orders of one person for all auctions. ``descriptor`` is where they come from."""

    def __init__(
        self,
        spec: StrategySpec,
        values: Mapping[str, str],
        descriptor: int | None = None,
        write: Callable[[str], None] = write_note,
    ) -> None:
        self.look_again: Callable[[bytes], None] = _nobody
        """Whom to tell that an auction should be looked at again; nobody as yet."""
        self._descriptor = sys.stdin.fileno() if descriptor is None else descriptor
        self._is_terminal = os.isatty(self._descriptor)
        self._spec = spec
        self._values = values
        self._write = write
        self._places: list[_Place] = []
        self._partial = b""
        self._lines: deque[str] = deque()
        self._to_confirm = ""
        self._has_ended = False

    def strategy_for(self, terms: Terms) -> Manual:
        """The place of the auction under ``terms``, which gets its orders from here."""
        strategy = self._spec.make(self._values, terms.rules.currency)
        assert isinstance(strategy, Manual)
        place = _Place(terms, strategy)
        if self._is_terminal and not self._places:
            self._write(HELP)
        self._places.append(place)
        return strategy

    def descriptors(self) -> tuple[int, ...]:
        """The terminal or pipe, as long as there is room for more orders."""
        return () if self._has_ended or len(self._lines) >= MAX_LINES else (self._descriptor,)

    def turn(self) -> None:
        """Read what has come, show what has changed, carry out what can be."""
        if self.descriptors() and select.select([self._descriptor], [], [], 0)[0]:
            self._read()
        if self._is_terminal:
            for place in self._places:
                view = place.strategy.view
                if view is not None and place.shown != (view.bid_count, view.is_leading):
                    place.shown = view.bid_count, view.is_leading
                    self._write(place.words())
        while self._lines and self._obey(self._lines[0]):
            self._lines.popleft()

    def close(self) -> None:
        """No more orders."""
        self._has_ended = True

    # Inside

    def _read(self) -> None:
        data = os.read(self._descriptor, READ_BYTES)
        if not data:
            self._has_ended = True
            data = b"\n" if self._partial else b""
        *lines, rest = (self._partial + data).split(b"\n")
        self._partial = rest[:MAX_LINE_BYTES]
        texts = (line[:MAX_LINE_BYTES].decode(errors="replace").strip() for line in lines)
        self._lines += [text for text in texts if text]

    def _obey(self, line: str) -> bool:
        """Carry out an order, or refuse it; False if its turn has not come."""
        if line == "?":
            self._show_board()
            return True
        *named, amount = line.split()
        place = self._place(" ".join(named))
        if place is None:
            return self._refuse_name(named)
        strategy = place.strategy
        if not self._is_terminal and (strategy.order or strategy.view is None or strategy.view.is_leading):
            return False
        try:
            order = _read_order(amount, place)
        except (ConfigurationError, MoneyError) as error:
            self._write(f"{line!a} is no order: {error}; {HELP}")
            return True
        if (reason := strategy.refuse(order)) is not None:
            self._write(f"{place.terms.listing}: {reason}")
        elif strategy.is_jump(order) and self._to_confirm != line:
            self._to_confirm = line
            self._write(f"{place.terms.listing}: {amount} is a jump; say it once more to bid it")
        else:
            self._to_confirm = ""
            strategy.order = order
            assert strategy.view is not None
            self.look_again(strategy.view.auction)
        return True

    def _show_board(self) -> None:
        for place in self._places:
            self._write(place.words())

    def _refuse_name(self, named: list[str]) -> bool:
        """No auction is meant. False from a pipe before bidding has begun anywhere: it may yet become known."""
        if not self._is_terminal and all(place.strategy.view is None for place in self._places):
            return False
        which = f"no auction {named[0][:64]!a}" if named else "which auction"
        listings = ", ".join(place.terms.listing for place in self._places)
        self._write(f"{which}? it may be {listings}" if listings else "bidding has not begun")
        return True

    def _place(self, name: str) -> _Place | None:
        if not name:
            return self._places[0] if len(self._places) == 1 else None
        return next((place for place in self._places if place.terms.listing == name), None)


def _nobody(auction: bytes) -> None:
    """Nobody is told yet."""


def _read_order(amount: str, place: _Place) -> Order:
    """Raises MoneyError for what is no amount in the auction's currency."""
    currency, view = place.terms.rules.currency, place.strategy.view
    if amount == "+":
        return Order()
    minor = parse_money(amount.removeprefix("+"), currency=currency).minor
    if amount.startswith("+") and view is not None:
        minor += view.starting_price_minor if view.price_minor is None else view.price_minor
    if not minor:
        raise ConfigurationError("it has to be more than nothing")
    return Order(minor)
