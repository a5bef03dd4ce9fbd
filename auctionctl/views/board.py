"""The board: every auction a row, as much of it as the terminal has room for.

Rule: what runs out first is what is kept when rows have to go; columns go before text is cut beyond reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from auctionctl.auction.phase import EndReason, Phase, Stage
from auctionctl.views.auction_row import END_WORDS, STAGE_WORDS, AuctionRow
from auctionctl.views.board_state import urgency
from auctionctl.views.price_bars import price_bars

FRAME_ROWS: Final = 5
"""Lines of a board that are no auctions: title, header, rules, and the line that says what was left out."""
SEPARATOR_COLUMNS: Final = 3
LEFT_COLUMNS: Final = 18
"""Room for a time left with the mark of its extensions, so that the board does not jump when one comes."""
LOT, PRICE, LEFT = "lot", "price", "left"
TREND, RATE = "trend", "a minute"
COLUMNS: Final = (LOT, "auction", "phase", PRICE, "leader", "bids", "bidders", LEFT)
COLUMNS_WITH_TREND: Final = (LOT, "auction", "phase", PRICE, TREND, "leader", "bids", RATE, "bidders", LEFT)
DROPPED: Final = (
    *(("bidders", 24), ("auction", 24), ("bids", 16), ("phase", 16)),
    *((TREND, 12), (RATE, 12), ("leader", 10)),
)
"""Column, and the width of titles (if they have it) below which the column goes: the least important one first."""

_PHASE_STYLES: Final = {Phase.ANNOUNCED: "cyan", Phase.OPEN: "green", Phase.PAUSED: "yellow", Phase.CLOSED: "dim"}
_RESULT_STYLES: Final = {
    EndReason.COMPLETED: "bold green",
    EndReason.RESERVE_NOT_MET: "yellow",
    EndReason.NO_BIDS: "dim",
    EndReason.CANCELLED: "red",
    EndReason.REVERTED: "red",
}


def board(title: str, rows: Sequence[AuctionRow], width: int, height: int) -> Table:
    """A table of ``rows``, in their order, for a terminal of ``width`` columns and ``height`` lines."""
    shown = visible_rows(rows, max(1, height - FRAME_ROWS))
    left_out = len(rows) - len(shown)
    return board_table(title, shown, width, caption=f"and {left_out} more" if left_out else "")


def board_table(
    title: str, rows: Sequence[AuctionRow], width: int, *, caption: str = "", chosen: bytes | None = None
) -> Table:
    """A table of all ``rows``, of which that of the auction ``chosen`` stands out."""
    table = Table(
        title=_line(title), title_justify="left", expand=True, show_edge=False, pad_edge=False, header_style="bold"
    )
    cells = [_cells(row) for row in rows]
    columns_of_all = COLUMNS_WITH_TREND if any(row.trend is not None for row in rows) else COLUMNS
    for column, columns in fitting_columns(cells, width, columns_of_all).items():
        justify: JustifyMethod = "right" if column in (PRICE, "bids", RATE, "bidders") else "left"
        table.add_column(column, no_wrap=True, overflow="ellipsis", justify=justify, width=columns)
    for row, row_cells in zip(rows, cells, strict=True):
        style = "reverse" if row.auction == chosen else None
        table.add_row(*(row_cells[str(column.header)] for column in table.columns), style=style)
    if caption:
        table.caption = _line(caption)
        table.caption_justify = "left"
    return table


def _line(words: str) -> Text:
    """One line, which is cut rather than folded: a board has no room for a second one."""
    return Text(words, no_wrap=True, overflow="ellipsis")


def fitting_columns(
    cells: Sequence[Mapping[str, Text]], width: int, columns: Sequence[str] = COLUMNS
) -> dict[str, int]:
    """Those of ``columns`` that ``width`` has room for, each with its width; the lot's title takes what is left."""
    natural = {column: max(map(cell_len, (column, *(row[column].plain for row in cells)))) for column in columns}
    for column, title_columns in DROPPED:
        if _room_for_lot(natural, width) >= min(natural[LOT], title_columns):
            break
        natural.pop(column, None)
    left_columns = max(natural[LEFT], LEFT_COLUMNS)
    if _room_for_lot(natural | {LEFT: left_columns}, width) >= natural[LOT]:
        natural[LEFT] = left_columns
    return natural | {LOT: max(1, _room_for_lot(natural, width))}


def _room_for_lot(natural: Mapping[str, int], width: int) -> int:
    others = sum(columns for column, columns in natural.items() if column != LOT)
    return width - others - SEPARATOR_COLUMNS * (len(natural) - 1)


def visible_rows(rows: Sequence[AuctionRow], limit: int) -> list[AuctionRow]:
    """``rows`` as they are if they fit; else the ``limit`` most urgent ones, each kind by time left.

    Open ones, then announced ones, then those that have closed and wait for something, then the others.
    """
    if len(rows) <= limit:
        return list(rows)
    return sorted(rows, key=urgency)[:limit]


def _cells(row: AuctionRow) -> dict[str, Text]:
    phase = row.phase.value if row.is_current else f"{row.phase.value}, behind"
    return {
        LOT: Text(row.title),
        "auction": Text(row.short_id, style="dim"),
        "phase": Text(phase, style=_PHASE_STYLES[row.phase]),
        PRICE: Text(row.price, style="bold"),
        TREND: Text("" if row.trend is None else price_bars(row.trend.prices), style="cyan"),
        RATE: Text("" if row.trend is None else str(row.trend.bids_a_minute)),
        "leader": Text(row.leader),
        "bids": Text(str(row.bid_count)),
        "bidders": Text(_bidders(row)),
        LEFT: left_text(row),
    }


def _bidders(row: AuctionRow) -> str:
    return f"{row.bidder_count}/{row.min_bidders}" if row.phase is Phase.ANNOUNCED else str(row.bidder_count)


def left_text(row: AuctionRow) -> Text:
    """How much time is left, or what came of it, in its colour."""
    if row.end_reason is not None:
        return _settled(row) or Text(END_WORDS[row.end_reason], style=_RESULT_STYLES[row.end_reason])
    if row.phase is Phase.PAUSED:
        return Text(f"paused, {row.left} at most", style="yellow")
    if row.phase is Phase.ANNOUNCED:
        return Text(f"waits {row.left}", style="cyan")
    text = Text(row.left, style=left_style(row.left_s or 0))
    if row.extensions:
        text.append(f"  +{row.extensions} extended", style="magenta")
    return text


def _settled(row: AuctionRow) -> Text | None:
    """How far the sale has come, and how long that may take; None where nobody follows it up, or nothing can follow."""
    match row.stage:
        case None | Stage.REVERTED:
            return None
        case Stage.PENDING_PAYMENT:
            return Text(f"{STAGE_WORDS[row.stage]}, {row.left}", style="yellow")
        case Stage.PAID:
            return Text(STAGE_WORDS[row.stage], style="yellow")
        case Stage.DEFAULTED:
            return Text(f"not paid, {row.left}", style="red")
        case Stage.OFFERED:
            return Text(f"offered, {row.left}", style="yellow")
        case Stage.SETTLED:
            return Text(f"sold, {STAGE_WORDS[row.stage]}", style="bold green")
        case _:
            assert_never(row.stage)


def left_style(left_s: int) -> str:
    """The colour of a time left: green, then yellow in the last half minute, then red in the last ten seconds."""
    if left_s <= 10:
        return "bold red"
    return "yellow" if left_s <= 30 else "green"
