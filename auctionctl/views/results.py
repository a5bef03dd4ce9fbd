"""What came of it: final tables, and any other table of text, without markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from auctionctl.views.auction_row import AuctionRow
from auctionctl.views.peer_text import safe_text

RESULT_COLUMNS: Final = ("lot", "auction", "result", "bids", "entries")


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Rows of text under ``columns``; what peers wrote in them is made safe, and folded rather than cut."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(safe_text(cell, 1_000) if cell else "") for cell in row))
    return table


def result_cells(row: AuctionRow, entry_count: int) -> tuple[str, ...]:
    """One line under ``RESULT_COLUMNS``."""
    return row.title, row.short_id, row.result or row.phase.value, str(row.bid_count), str(entry_count)
