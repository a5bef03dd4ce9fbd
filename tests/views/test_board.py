from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from auctionctl.auction.phase import EndReason, Phase, Stage
from auctionctl.views.auction_row import AuctionRow
from auctionctl.views.board import COLUMNS, board, left_style, visible_rows

OPEN = AuctionRow(
    auction=bytes(32),
    title="Gold watch",
    phase=Phase.OPEN,
    price="120.00EUR",
    leader="alice",
    bid_count=3,
    bidder_count=2,
    min_bidders=2,
    left_s=59,
    extensions=0,
    end_reason=None,
    is_current=True,
)
WAITING = replace(OPEN, phase=Phase.ANNOUNCED, price="", leader="", bid_count=0, bidder_count=1, left_s=600)
SOLD = replace(OPEN, phase=Phase.CLOSED, left_s=None, end_reason=EndReason.COMPLETED)
UNSOLD = replace(SOLD, end_reason=EndReason.RESERVE_NOT_MET)


def drawn(rows: list[AuctionRow], width: int = 120, height: int = 24) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    console.print(board("house", rows, width, height))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_wide_board_shows_everything_about_an_auction() -> None:
    text = drawn([OPEN])
    for word in ("house", "Gold watch", "000000000000", "open", "120.00EUR", "alice", "0:59"):
        assert word in text


def test_an_auction_that_waits_says_for_how_many_and_how_long() -> None:
    text = drawn([WAITING])
    assert "1/2" in text
    assert "waits 10:00" in text


def test_ends_and_extensions_are_marked() -> None:
    text = drawn([SOLD, UNSOLD, replace(OPEN, extensions=2), replace(OPEN, is_current=False)])
    for words in ("sold", "reserve not met", "+2 extended", "open, behind"):
        assert words in text


@pytest.mark.parametrize("width", [30, 50, 69, 70, 99, 100, 200])
@pytest.mark.parametrize("height", [1, 6, 10, 50])
def test_a_board_never_exceeds_its_terminal(width: int, height: int) -> None:
    lines = drawn([OPEN, WAITING, SOLD] * 10, width, height).splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= max(height, 6)


def test_a_narrow_board_keeps_price_and_time() -> None:
    text = drawn([OPEN], width=45)
    assert "120.00EUR" in text
    assert "0:59" in text
    assert "bidders" not in text


LONG = replace(OPEN, title="x" * 80, price="123456.00EUR", leader="auc1ncujls5a8dpt…", extensions=12, is_current=False)


@pytest.mark.parametrize(
    ("width", "missing"),
    [
        (160, set()),
        (127, set()),
        (126, {"bidders"}),
        (117, {"bidders"}),
        (116, {"auction", "bidders"}),
        (100, {"auction", "bidders"}),
        (80, {"auction", "bidders", "bids", "phase"}),
        (50, {"auction", "bidders", "bids", "phase", "leader"}),
    ],
)
def test_columns_go_the_least_important_first_before_anything_but_a_title_is_cut(width: int, missing: set[str]) -> None:
    text = drawn([LONG, WAITING], width)
    assert {column for column in COLUMNS if column not in text.splitlines()[1].split()} == missing
    for word in {"123456.00EUR", "0:59  +12 extended", "waits 10:00"} | ({LONG.leader} if width > 50 else set()):
        assert word in text
    assert text.count("…") == (2 if width > 50 else 1)


def test_wide_characters_are_counted_by_the_columns_that_they_take() -> None:
    lines = drawn([replace(OPEN, title="漢字の題名" * 10), OPEN], 80).splitlines()
    assert {len(line) + sum(ord(character) > 0x2FFF for character in line) for line in lines[1:]} == {80}


PAUSED = replace(OPEN, phase=Phase.PAUSED, left_s=1_776)
STAGES = {
    Stage.PENDING_PAYMENT: (3_599, "to be paid, 59:59"),
    Stage.PAID: (None, "payment reported"),
    Stage.DEFAULTED: (3_599, "not paid, 59:59"),
    Stage.OFFERED: (86_399, "offered, 23:59:59"),
    Stage.SETTLED: (None, "sold, settled"),
}


@pytest.mark.parametrize("width", [80, 120])
def test_a_pause_and_every_stage_of_a_settlement_say_what_is_waited_for_and_are_not_cut(width: int) -> None:
    settling = [replace(SOLD, stage=stage, left_s=left_s) for stage, (left_s, _) in STAGES.items()]
    undone = replace(SOLD, end_reason=EndReason.REVERTED, stage=Stage.REVERTED)
    text = drawn([OPEN, WAITING, PAUSED, *settling, undone], width)
    assert "paused, 29:36 at most" in text
    for words in (*(words for _, words in STAGES.values()), "reverted"):
        assert f" {words}" in text
    assert "…" not in text
    assert all(len(line) <= width for line in text.splitlines())
    assert set(STAGES) | {Stage.REVERTED} == set(Stage)


def test_a_sale_that_waits_for_somebody_is_kept_before_one_that_is_over() -> None:
    unpaid = replace(SOLD, stage=Stage.PENDING_PAYMENT, left_s=60)
    assert visible_rows([SOLD, unpaid, WAITING, PAUSED], 3) == [PAUSED, WAITING, unpaid]


def test_what_runs_out_first_is_kept_when_rows_have_to_go() -> None:
    urgent = replace(OPEN, title="urgent", left_s=3)
    rows = [SOLD, WAITING, OPEN, urgent]
    assert visible_rows(rows, 2) == [urgent, OPEN]
    assert visible_rows(rows, 4) == rows
    assert "and 26 more" in drawn([OPEN] * 30, height=9)


def test_markup_in_a_title_is_text() -> None:
    assert "[/red] hi" in drawn([replace(OPEN, title="[/red] hi")])


@pytest.mark.parametrize(("left_s", "style"), [(31, "green"), (30, "yellow"), (10, "bold red")])
def test_the_colour_changes_as_time_runs_out(left_s: int, style: str) -> None:
    assert left_style(left_s) == style
