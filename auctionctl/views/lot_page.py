"""One lot of the board by itself: where it stands, its price as a line of bars, and the ladder of its newest bids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from auctionctl.views.auction_row import AuctionRow
from auctionctl.views.board import left_text
from auctionctl.views.board_state import MAX_RUNGS
from auctionctl.views.price_bars import price_bars

LINES_ABOVE: Final = 8
"""Title, facts, bars, the head of the ladder, and the line below it."""
LINES_OF_LADDER: Final = 4
"""Of the shortest: its head, a bid, and the line below it; a low terminal gets fewer facts above."""
MAX_BARS: Final = 120


class Rung(NamedTuple):
    """One bid: its place in the log, when the house accepted it, whose it is, and how much; all of it safe to show."""

    entry_index: int
    time: str
    bidder: str
    amount: str


def lot_page(row: AuctionRow, rungs: Sequence[Rung], top: int, height: int) -> RenderableType:
    """``rungs`` are the newest bids from number ``top`` on; ``height`` is the terminal's."""
    left = left_text(row)
    state = Text.assemble(row.phase.value if row.is_current else f"{row.phase.value}, behind", "  ", left)
    price = Text.assemble("price ", (row.price or "none yet", "bold"), "  ", row.leader)
    rate = "" if row.trend is None else f", {row.trend.bids_a_minute} in the last minute"
    counts = Text(f"{row.bid_count} bids{rate}  {row.bidder_count} bidders present, {row.min_bidders} needed to open")
    bars = Text("" if row.trend is None else price_bars(row.trend.prices), style="cyan")
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for column, justify in (("entry", "right"), ("time", "left"), ("bidder", "left"), ("bid", "right")):
        table.add_column(column, no_wrap=True, overflow="ellipsis", justify="right" if justify == "right" else "left")
    shown = rungs[: ladder_room(height)]
    for number, rung in enumerate(shown):
        is_best = not top and not number
        cells = (str(rung.entry_index), rung.time, rung.bidder, rung.amount)
        table.add_row(*map(Text, cells), style="bold" if is_best else None)
    below = Text(_place_words(row.bid_count, top, len(shown)) + "Esc back  q quit")
    lines = [Text(f"{row.title}  {row.short_id}", style="bold"), state, price, counts, bars]
    return Group(*(_cut(line) for line in lines[: max(1, height - LINES_OF_LADDER)]), table, _cut(below))


def _place_words(count: int, top: int, shown: int) -> str:
    """How many of ``count`` bids can be scrolled to from here, and how many cannot; nothing where all are shown."""
    below, older = max(0, min(count, MAX_RUNGS) - top - shown), max(0, count - MAX_RUNGS)
    if not (top or below):
        return ""
    return f"{top} above, {below} below{f', {older} older not shown' if older else ''} · ↑↓ scroll  "


def last_top(count: int, room: int) -> int:
    """The number of the bid that a ladder of ``room`` bids begins with when it is scrolled to its end."""
    return max(0, min(count, MAX_RUNGS) - room)


def bars_room(width: int) -> int:
    """How many bars the price gets."""
    return max(1, min(width, MAX_BARS))


def ladder_room(height: int) -> int:
    """How many bids a page of ``height`` lines shows at a time."""
    return max(1, height - LINES_ABOVE)


def _cut(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
