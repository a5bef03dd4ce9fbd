from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auctionctl.auction.phase import EndReason, Phase
from auctionctl.views.auction_row import AuctionRow, Trend
from auctionctl.views.board_state import MAX_FILTER, MAX_RUNGS, BoardState, Order, Screen, fitted, listed, press
from auctionctl.views.keystrokes import Key, Pressed


def row(number: int, title: str = "lot", left_s: int | None = 60, phase: Phase = Phase.OPEN) -> AuctionRow:
    end = EndReason.COMPLETED if phase is Phase.CLOSED else None
    return AuctionRow(bytes([number]) * 32, title, phase, "1.00EUR", "alice", 1, 2, 2, left_s, 0, end, True)


ROWS = [row(number, f"lot {number}", 10 * number) for number in range(1, 6)]
BEGIN = BoardState()


def after(keys: list[Pressed], state: BoardState = BEGIN, room: int = 3) -> BoardState:
    for key in keys:
        state = fitted(press(state, key, listed(state, ROWS), room), listed(state, ROWS), room)
    return state


def test_the_list_is_in_order_of_closing_time_with_what_is_over_last() -> None:
    over = row(9, "over", None, Phase.CLOSED)
    owed = row(8, "owed", 5, Phase.CLOSED)
    waits = row(7, "waits", 1, Phase.ANNOUNCED)
    late, soon = row(6, "late", 500), row(5, "soon", 4, Phase.PAUSED)
    assert [each.title for each in listed(BEGIN, [over, owed, waits, late, soon])] == [
        "soon",
        "late",
        "waits",
        "owed",
        "over",
    ]


def test_s_goes_through_all_orders_and_back() -> None:
    dear = replace(row(1, "Zebra"), price_minor=500, trend=Trend(1, ()))
    busy = replace(row(2, "ant"), price_minor=100, trend=Trend(9, ()))
    states = [after(["s"] * count) for count in range(5)]
    assert [state.order for state in states] == [*Order, Order.CLOSING]
    firsts = [listed(state, [dear, busy])[0].title for state in states[1:4]]
    assert firsts == ["Zebra", "ant", "ant"]


def test_words_are_looked_for_in_what_a_line_says_whatever_the_case() -> None:
    state = after(["/", "L", "O", "T", " ", "3", Key.ENTER])
    assert (state.screen, state.words) == (Screen.LIST, "LOT 3")
    assert [each.title for each in listed(state, ROWS)] == ["lot 3"]
    assert len(listed(replace(state, words="ALICE"), ROWS)) == 5
    assert listed(replace(state, words="zz"), ROWS) == []
    assert after([Key.ESCAPE], state).words == ""


def test_while_words_are_typed_keys_are_characters() -> None:
    state = after(["/", "q", "s", "?", Key.BACKSPACE])
    assert (state.screen, state.words, state.has_quit) == (Screen.FILTER, "qs", False)
    assert after([Key.ESCAPE], state) == replace(BEGIN, words="")
    assert len(after(["x"] * 100, state).words) == MAX_FILTER


def test_arrows_choose_and_the_list_follows() -> None:
    assert after([Key.DOWN]).chosen == ROWS[0].auction
    state = after([Key.DOWN] * 5)
    assert (state.chosen, state.top) == (ROWS[4].auction, 2)
    assert after([Key.DOWN], state) == state
    assert (after([Key.UP, "k"], state).chosen, after([Key.HOME], state).top) == (ROWS[2].auction, 0)
    assert after([Key.UP]).chosen == after([Key.END]).chosen == ROWS[4].auction
    assert after([Key.HOME, Key.PAGE_DOWN, "j"]).chosen == ROWS[4].auction


def test_what_is_chosen_stays_chosen_while_others_change_their_places() -> None:
    state = after([Key.DOWN, Key.DOWN])
    moved = [replace(each, left_s=(1 if each.auction == state.chosen else 100)) for each in ROWS]
    order = listed(state, moved)
    assert order[0].auction == state.chosen
    assert press(state, Key.DOWN, order, 3).chosen == order[1].auction
    gone = [each for each in ROWS if each.auction != state.chosen]
    assert press(state, Key.DOWN, gone, 3).chosen == gone[0].auction


def test_enter_leads_to_the_ladder_and_escape_back() -> None:
    state = after([Key.DOWN, Key.DOWN, Key.ENTER])
    assert (state.screen, state.chosen) == (Screen.LOT, ROWS[1].auction)
    assert after([Key.ENTER]).chosen == ROWS[0].auction, "the first one, where none was chosen"
    assert press(state, Key.DOWN, ROWS, 3).top == 1
    assert press(state, Key.END, ROWS, 3).top == MAX_RUNGS
    assert press(state, Key.UP, ROWS, 3).top == 0
    assert after([Key.ESCAPE], state).screen is Screen.LIST
    assert press(BEGIN, Key.ENTER, [], 3) == BEGIN


@pytest.mark.parametrize("screen", [Screen.LIST, Screen.LOT, Screen.HELP])
def test_q_quits_wherever_nothing_is_typed(screen: Screen) -> None:
    assert press(replace(BEGIN, screen=screen), "q", ROWS, 3).has_quit


def test_help_is_left_by_any_key() -> None:
    state = after(["?"])
    assert state.screen is Screen.HELP
    assert after(["x"], state) == BEGIN


def test_help_gives_back_the_ladder_or_the_list_that_it_was_asked_from_where_it_was() -> None:
    ladder = after([Key.DOWN, Key.DOWN, Key.ENTER, Key.DOWN, Key.DOWN, Key.DOWN, Key.DOWN])
    assert (ladder.screen, ladder.top) == (Screen.LOT, 4)
    assert after(["?", "x"], ladder) == ladder
    assert after(["?", "x", Key.ESCAPE, "?", "x"], ladder).screen is Screen.LIST
    scrolled = after([Key.END])
    assert after(["?", Key.HOME], scrolled) == scrolled


ANY_KEY = st.sampled_from([*Key, *"qs?/jkxyz"])


@example([Key.ENTER, Key.DOWN, "?"], [1, 2], 1)
@given(st.lists(ANY_KEY, max_size=30), st.lists(st.integers(1, 9), max_size=9, unique=True), st.integers(1, 5))
def test_no_keys_lead_out_of_what_there_is(keys: list[Pressed], numbers: list[int], room: int) -> None:
    rows = [row(number, f"lot {number}", number) for number in numbers]
    state = BEGIN
    for key in keys:
        shown = listed(state, rows)
        state = press(state, key, shown, room)
        if Screen.LOT not in (state.screen, state.beneath):  # of which the first line shown is a rung of the ladder
            shown = listed(state, rows)
            state = fitted(state, shown, room)
            assert 0 <= state.top <= max(0, len(shown) - room)
            places = [place for place, each in enumerate(shown) if each.auction == state.chosen]
            assert all(state.top <= place < state.top + room for place in places)
