from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from auctionctl.auction.phase import Phase
from auctionctl.views.auction_row import AuctionRow, Trend
from auctionctl.views.board_state import MAX_RUNGS, BoardState, Screen
from auctionctl.views.interactive_board import BoardPicture, list_room
from auctionctl.views.lot_page import Rung, ladder_room, last_top

PRICES = (None, 10_000, 12_000, 20_000)
ROW = AuctionRow(
    *(bytes(32), "Gold watch", Phase.OPEN, "200.00EUR", "alice", 40, 2, 2, 59, 1, None, True),
    price_minor=20_000,
    trend=Trend(7, PRICES),
)
ROWS = tuple(replace(ROW, auction=bytes([number]) * 32, title=f"lot {number}") for number in range(30))
RUNGS = tuple(Rung(50 - number, "2026-01-31T12:00:00.000Z", "bob", f"{200 - number}.00EUR") for number in range(40))
PICTURE = BoardPicture("house", BoardState(), ROWS, len(ROWS), None, (), 80, 24)


def drawn(picture: BoardPicture) -> list[str]:
    console = Console(
        file=io.StringIO(), width=picture.width, height=picture.height, force_terminal=True, color_system=None
    )
    console.print(picture.draw())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
@pytest.mark.parametrize("height", [7, 24, 50])
@pytest.mark.parametrize("screen", Screen)
def test_no_screen_exceeds_its_terminal(width: int, height: int, screen: Screen) -> None:
    state = BoardState(screen, words="lot", chosen=ROWS[3].auction)
    room = ladder_room(height)
    lines = drawn(replace(PICTURE, state=state, lot=ROWS[3], rungs=RUNGS[:room], width=width, height=height))
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)


def test_at_80_columns_price_leader_rate_trend_and_time_are_all_there() -> None:
    lines = drawn(PICTURE)
    for column in ("lot", "price", "trend", "leader", "a minute", "left"):
        assert column in lines[1]
    for words in ("200.00EUR", " ▁▂█", "alice", " 7 ", "0:59  +1 extended"):
        assert words in lines[3]
    assert lines[-1].startswith("and 11 more · by closing time · Enter ladder  / filter  s sort  ? help  q quit")


def test_the_list_shows_the_part_that_was_scrolled_to() -> None:
    lines = drawn(replace(PICTURE, state=BoardState(top=5)))
    assert "lot 5" in lines[3]
    assert lines[-1].startswith(f"5 above, {25 - list_room(24)} below")


def test_words_that_are_looked_for_are_shown_and_how_much_they_leave() -> None:
    typing = drawn(replace(PICTURE, state=BoardState(Screen.FILTER, words="gol"), listed=()))
    assert typing[-1].startswith("filter: gol")
    kept = drawn(replace(PICTURE, state=BoardState(words="[/red]"), listed=ROWS[:2]))
    assert kept[-1].startswith("2 of 30 with '[/red]'")


def test_without_keys_none_are_named() -> None:
    assert drawn(replace(PICTURE, has_keys=False))[-1].rstrip() == "and 11 more"
    assert "quit" not in "".join(drawn(replace(PICTURE, has_keys=False, listed=ROWS[:2])))


def test_the_chosen_line_stands_out() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    console.print(replace(PICTURE, state=BoardState(chosen=ROWS[1].auction)).draw())
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert ["\x1b[7m" in line for line in lines[3:6]] == [False, True, False]


def test_the_page_of_a_lot_has_its_ladder_from_the_newest_bid_down() -> None:
    state = BoardState(Screen.LOT, chosen=ROW.auction)
    picture = replace(PICTURE, state=state, lot=ROW, rungs=RUNGS[: ladder_room(24)])
    lines = drawn(picture)
    assert lines[0].startswith("Gold watch  000000000000")
    for words in ("open", "0:59", "200.00EUR", "alice", "40 bids, 7 in the last minute", " ▁▂█"):
        assert any(words in line for line in lines[:6])
    assert "200.00EUR" in lines[7]
    assert lines[-1].startswith(f"0 above, {40 - ladder_room(24)} below")
    assert drawn(replace(picture, rungs=(), lot=replace(ROW, bid_count=0, price="")))[2].startswith("price none yet")


@pytest.mark.parametrize(("count", "older"), [(MAX_RUNGS, ""), (MAX_RUNGS + 2_500, ", 2500 older not shown")])
def test_a_ladder_that_is_scrolled_to_its_end_has_nothing_below_and_says_how_many_it_never_shows(
    count: int, older: str
) -> None:
    room = ladder_room(24)
    lot = replace(ROW, bid_count=count)
    top = last_top(count, room)
    picture = replace(PICTURE, state=BoardState(Screen.LOT, chosen=ROW.auction, top=top), lot=lot, rungs=RUNGS[:room])
    assert drawn(picture)[-1].rstrip() == f"{MAX_RUNGS - room} above, 0 below{older} · ↑↓ scroll  Esc back  q quit"
    begin = replace(picture, state=replace(picture.state, top=0))
    assert drawn(begin)[-1].startswith(f"0 above, {MAX_RUNGS - room} below{older} ·")


def test_the_help_names_every_key() -> None:
    text = "\n".join(drawn(replace(PICTURE, state=BoardState(Screen.HELP))))
    for key in ("↑", "Enter", "/", "s", "?", "q", "Esc", "Ctrl-C", "Ctrl-Z"):
        assert key in text
    assert "…" not in text


def test_equal_pictures_are_equal_so_that_they_need_not_be_drawn_anew() -> None:
    assert replace(PICTURE) == PICTURE
    assert replace(PICTURE, title="house — not connected") != PICTURE
