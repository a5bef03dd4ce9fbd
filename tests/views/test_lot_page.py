from __future__ import annotations

from auctionctl.views.board_state import MAX_RUNGS
from auctionctl.views.lot_page import LINES_ABOVE, MAX_BARS, bars_room, ladder_room, last_top


def test_a_ladder_has_as_many_rungs_as_there_is_room_for_and_at_least_one() -> None:
    assert ladder_room(24) == 24 - LINES_ABOVE
    assert ladder_room(3) == 1


def test_the_bars_are_as_wide_as_the_terminal_within_reason() -> None:
    assert [bars_room(width) for width in (0, 80, 500)] == [1, 80, MAX_BARS]


def test_a_ladder_ends_with_the_oldest_bid_that_can_be_looked_at() -> None:
    assert [last_top(count, 16) for count in (0, 16, 20, MAX_RUNGS, 5 * MAX_RUNGS)] == [
        *(0, 0, 4),
        *(MAX_RUNGS - 16, MAX_RUNGS - 16),
    ]
