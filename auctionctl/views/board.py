"""The live board: every auction a row, as much of it as the terminal has room for.

Rule: what runs out first is what is kept when rows have to go; columns go before text is cut beyond reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from auctionctl.auction.phase import EndReason, Phase
from auctionctl.views.auction_row import AuctionRow

FRAME_ROWS: Final = 5
"""Lines of a board that are no auctions: title, header, rules, and the line that says what was left out."""
LEFT_CHARACTERS: Final = 18
"""A time left with the mark of its extensions."""
WIDE: Final = 100
MEDIUM: Final = 70

_PHASE_STYLES: Final = {Phase.ANNOUNCED: "cyan", Phase.OPEN: "green", Phase.CLOSED: "dim"}
_RESULT_STYLES: Final = {
    EndReason.COMPLETED: "bold green",
    EndReason.RESERVE_NOT_MET: "yellow",
    EndReason.NO_BIDS: "dim",
    EndReason.CANCELLED: "red",
}


def board(title: str, rows: Sequence[AuctionRow], width: int, height: int) -> Table:
    """A table of ``rows`` for a terminal of ``width`` columns and ``height`` lines."""
    table = Table(
        title=Text(title), title_justify="left", expand=True, show_edge=False, pad_edge=False, header_style="bold"
    )
    table.add_column("lot", no_wrap=True, overflow="ellipsis", ratio=3)
    if width >= WIDE:
        table.add_column("auction", no_wrap=True)
    if width >= MEDIUM:
        table.add_column("phase", no_wrap=True)
    table.add_column("price", no_wrap=True, justify="right")
    table.add_column("leader", no_wrap=True, overflow="ellipsis", ratio=2)
    if width >= MEDIUM:
        table.add_column("bids", no_wrap=True, justify="right")
    if width >= WIDE:
        table.add_column("bidders", no_wrap=True, justify="right")
    left_characters = LEFT_CHARACTERS if width >= MEDIUM else None
    table.add_column("left", no_wrap=True, overflow="ellipsis", width=left_characters)
    shown = visible_rows(rows, max(1, height - FRAME_ROWS))
    for row in shown:
        table.add_row(*_cells(row, width))
    if len(shown) < len(rows):
        table.caption = Text(f"and {len(rows) - len(shown)} more")
    return table


def visible_rows(rows: Sequence[AuctionRow], limit: int) -> list[AuctionRow]:
    """``rows`` as they are if they fit; else the ``limit`` most urgent ones: open by time left, announced, closed."""
    if len(rows) <= limit:
        return list(rows)
    urgency = {Phase.OPEN: 0, Phase.ANNOUNCED: 1, Phase.CLOSED: 2}
    return sorted(rows, key=lambda row: (urgency[row.phase], row.left_s or 0))[:limit]


def _cells(row: AuctionRow, width: int) -> list[Text]:
    cells = [Text(row.title)]
    if width >= WIDE:
        cells.append(Text(row.short_id, style="dim"))
    if width >= MEDIUM:
        phase = row.phase.value if row.is_current else f"{row.phase.value}, behind"
        cells.append(Text(phase, style=_PHASE_STYLES[row.phase]))
    cells += [Text(row.price, style="bold"), Text(row.leader)]
    if width >= MEDIUM:
        cells.append(Text(str(row.bid_count)))
    if width >= WIDE:
        cells.append(Text(_bidders(row)))
    cells.append(_left(row))
    return cells


def _bidders(row: AuctionRow) -> str:
    return f"{row.bidder_count}/{row.min_bidders}" if row.phase is Phase.ANNOUNCED else str(row.bidder_count)


def _left(row: AuctionRow) -> Text:
    if row.end_reason is not None:
        words = "sold" if row.end_reason is EndReason.COMPLETED else row.result
        return Text(words, style=_RESULT_STYLES[row.end_reason])
    if row.phase is Phase.ANNOUNCED:
        return Text(f"waits {row.left}", style="cyan")
    text = Text(row.left, style=left_style(row.left_s or 0))
    if row.extensions:
        text.append(f"  +{row.extensions} extended", style="magenta")
    return text


def left_style(left_s: int) -> str:
    """The colour of a time left: green, then yellow in the last half minute, then red in the last ten seconds."""
    if left_s <= 10:
        return "bold red"
    return "yellow" if left_s <= 30 else "green"
