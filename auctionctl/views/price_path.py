"""The price of one auction over time, and each bidder's bids under it, as one SVG.

Rule: the same auction gives the same bytes; what falls onto one column of pixels is drawn once, so that a million bids
make no larger a picture than a thousand. Colours come from the page's style sheet, by class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, NamedTuple

from auctionctl.auction.price import format_minor
from auctionctl.auction.terms import SECOND_NS
from auctionctl.views.auction_row import clock_text
from auctionctl.views.markup import Markup, element, joined

WIDTH: Final = 960
PRICE_HEIGHT: Final = 300
LANE_HEIGHT: Final = 18
TOP: Final = 24
RIGHT: Final = 24
AXIS_HEIGHT: Final = 44
CHARACTER_WIDTH: Final = 8
MAX_LEFT: Final = 260
MAX_LANES: Final = 12
"""Bidders with a line of their own; those who came later share one more."""
COLOURS: Final = 8
"""Classes ``b0`` to ``b7``; later bidders are ``bx``."""
TICKS: Final = 6

_TIME_STEPS_S: Final = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    10_800,
    21_600,
    43_200,
    86_400,
)


class Bid(NamedTuple):
    """One bid: when, how much, and the number of its bidder in :attr:`PricePath.bidders`."""

    time_ns: int
    minor: int
    bidder: int


@dataclass(frozen=True, slots=True)
class PricePath:
    """What there is to draw, from ``start_ns`` on: bids in order, and when the auction stood still."""

    currency: str
    start_ns: int
    end_ns: int
    starting_minor: int
    bids: Sequence[Bid]
    bidders: Sequence[str]
    reserve_minor: int | None = None
    halts: Sequence[tuple[int, int]] = ()
    extended_ns: Sequence[int] = ()
    """When bids came so late that they moved the end."""


def colour_class(bidder: int) -> str:
    """The class of the colour of a bidder, by its number."""
    return f"b{bidder}" if bidder < COLOURS else "bx"


def swatch(bidder: int) -> Markup:
    """A dot in the colour of a bidder, for a table."""
    dot = element("circle", cx=6, cy=6, r=5, class_=colour_class(bidder))
    return element("svg", dot, class_="swatch", viewBox="0 0 12 12", width=12, height=12, aria_hidden="true")


def price_path_svg(path: PricePath) -> Markup:
    """The picture; of an auction that has bids."""
    plot = _Plot(path)
    lanes = plot.lanes
    height = TOP + PRICE_HEIGHT + len(lanes) * LANE_HEIGHT + AXIS_HEIGHT
    title = element("title", f"The price from {format_minor(path.starting_minor, path.currency)} on, and every bid")
    parts = [title, *plot.halts(), *plot.price_axis(), *plot.time_axis(), *plot.reserve(), plot.line(), *plot.dots()]
    parts += [*plot.extensions(), *plot.lane_rows()]
    return element(
        "svg",
        joined(parts, "\n"),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        class_="chart",
    )


def _round_steps() -> Iterator[int]:
    for power in count():
        for step in (1, 2, 5):
            yield step * 10**power


class _Plot:
    """Where things are."""

    def __init__(self, path: PricePath) -> None:
        self._path = path
        self._end_ns = max(path.end_ns, path.start_ns + 1, path.bids[-1].time_ns)
        prices = [path.starting_minor, *(bid.minor for bid in path.bids)]
        if path.reserve_minor is not None:
            prices.append(path.reserve_minor)
        self._low, self._high = min(prices), max(*prices, min(prices) + 1)
        self.lanes = list(path.bidders[:MAX_LANES]) + (["others"] if len(path.bidders) > MAX_LANES else [])
        self._ticks = list(self._price_ticks())
        labels = [*self.lanes, *(format_minor(minor, path.currency) for minor in self._ticks)]
        self._left = min(MAX_LEFT, 16 + CHARACTER_WIDTH * max(map(len, labels)))
        self._shown = self._thinned()

    def _x(self, time_ns: int) -> int:
        span_ns = self._end_ns - self._path.start_ns
        inside_ns = min(max(time_ns - self._path.start_ns, 0), span_ns)
        return self._left + inside_ns * (WIDTH - RIGHT - self._left) // span_ns

    def _y(self, minor: int) -> int:
        return TOP + (self._high - minor) * PRICE_HEIGHT // (self._high - self._low)

    def _lane_y(self, lane: int) -> int:
        return TOP + PRICE_HEIGHT + AXIS_HEIGHT + lane * LANE_HEIGHT

    def _thinned(self) -> list[Bid]:
        """The last bid of each bidder in each column."""
        last = {(self._x(bid.time_ns), bid.bidder): bid for bid in self._path.bids}
        return list(last.values())

    def _price_ticks(self) -> Iterator[int]:
        """Round amounts: multiples of 1, 2 or 5 times a power of ten."""
        span = self._high - self._low
        step = next(step for step in _round_steps() if span // step <= TICKS)
        yield from range(-(-self._low // step) * step, self._high + 1, step)

    def price_axis(self) -> Iterator[Markup]:
        """A line and an amount for round prices."""
        for minor in self._ticks:
            y = self._y(minor)
            yield element("line", x1=self._left, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
            text = format_minor(minor, self._path.currency)
            yield element("text", text, x=self._left - 8, y=y + 4, text_anchor="end", class_="label")

    def time_axis(self) -> Iterator[Markup]:
        """A mark for round times after the opening."""
        y = TOP + PRICE_HEIGHT
        span_s = (self._end_ns - self._path.start_ns) // SECOND_NS
        step_s = next((step for step in _TIME_STEPS_S if span_s // step <= TICKS), 0)
        if not step_s:
            step_s = -(-span_s // TICKS // 86_400) * 86_400
        for second in range(0, span_s + 1, step_s):
            x = self._x(self._path.start_ns + second * SECOND_NS)
            yield element("line", x1=x, x2=x, y1=y, y2=y + 6, class_="axis")
            yield element("text", clock_text(second), x=x, y=y + 20, text_anchor="middle", class_="label")
        yield element("line", x1=self._left, x2=WIDTH - RIGHT, y1=y, y2=y, class_="axis")

    def halts(self) -> Iterator[Markup]:
        """Where nobody could bid."""
        for since_ns, until_ns in self._path.halts:
            x = self._x(since_ns)
            box = {"x": x, "y": TOP, "width": max(2, self._x(until_ns) - x), "height": PRICE_HEIGHT}
            yield element("rect", element("title", "it stood still"), class_="halt", **box)

    def reserve(self) -> Iterator[Markup]:
        """The reserve, once it has been opened."""
        minor = self._path.reserve_minor
        if minor is None:
            return
        y = self._y(minor)
        yield element("line", x1=self._left, x2=WIDTH - RIGHT, y1=y, y2=y, class_="reserve")
        yield element("text", "reserve", x=WIDTH - RIGHT, y=y - 5, text_anchor="end", class_="label")

    def line(self) -> Markup:
        """The price: it rises at a bid, and holds until the next one."""
        highest: dict[int, int] = {}
        for bid in self._path.bids:
            highest[self._x(bid.time_ns)] = bid.minor
        (first_x, first_minor), *others = highest.items()
        steps = [f"M{first_x} {self._y(first_minor)}", *(f"H{x}V{self._y(minor)}" for x, minor in others)]
        return element("path", d=f"{''.join(steps)}H{self._x(self._end_ns)}", class_="price")

    def dots(self) -> Iterator[Markup]:
        """Each bid on the line."""
        for bid in self._shown:
            place = {"cx": self._x(bid.time_ns), "cy": self._y(bid.minor), "r": 4}
            yield element("circle", self._tip(bid), class_=colour_class(bid.bidder), **place)

    def _tip(self, bid: Bid) -> Markup:
        after = clock_text(max(0, bid.time_ns - self._path.start_ns) // SECOND_NS)
        return element(
            "title", f"{format_minor(bid.minor, self._path.currency)}, {self._path.bidders[bid.bidder]}, at {after}"
        )

    def extensions(self) -> Iterator[Markup]:
        """A small mark above each bid that moved the end."""
        for x in dict.fromkeys(map(self._x, self._path.extended_ns)):
            yield element(
                "path", element("title", "a late bid moved the end"), d=f"M{x - 5} 6h10l-5 9z", class_="extension"
            )

    def lane_rows(self) -> Iterator[Markup]:
        """A line for each bidder, with a stroke for each of its bids."""
        for lane, name in enumerate(self.lanes):
            y = self._lane_y(lane)
            yield element("text", name, x=self._left - 8, y=y + 4, text_anchor="end", class_="label")
            yield element("line", x1=self._left, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
        drawn = dict.fromkeys((self._x(bid.time_ns), min(bid.bidder, MAX_LANES), bid.bidder) for bid in self._shown)
        for x, lane, bidder in drawn:
            y = self._lane_y(lane) - 6
            yield element("rect", x=x - 1, y=y, width=3, height=12, class_=colour_class(bidder))
