from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from rich.console import Console

from auctionctl.views.auction_row import row_of
from auctionctl.views.results import RESULT_COLUMNS, plain_table, result_cells


def printed(columns: list[str], rows: list[list[str]]) -> str:
    console = Console(file=io.StringIO(), width=60, color_system=None)
    console.print(plain_table(columns, rows))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_table_takes_markup_for_text_and_drops_what_controls() -> None:
    text = printed(["lot", "price"], [["[bold]x[/red]", ""], ["\x1b[2Jy", "1"]])
    assert "[bold]x[/red]" in text
    assert "[2Jy" in text
    assert "\x1b" not in text


def test_what_is_too_long_for_its_column_is_folded_and_not_cut() -> None:
    assert printed(["key"], [["k" * 150]]).count("k") == 150 + 1


def test_a_result_is_a_line_of_words(sale: Callable[..., Any]) -> None:
    made = sale().open()
    row = row_of(made.auction, made.now_ns, {}, is_current=True)
    assert result_cells(row, 4)[2:] == ("open", "0", "4")
    made.close()
    row = row_of(made.auction, made.now_ns, {}, is_current=True)
    assert len(result_cells(row, 5)) == len(RESULT_COLUMNS)
    assert result_cells(row, 5)[2] == "no bids"
