"""What the person at a board has asked to see, and how keys change that: pure state, of which :mod:`board` draws one.

Rule: what is chosen is an auction and not a line: it stays chosen while others come, go and change their places.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, assert_never

from auctionctl.auction.phase import Phase
from auctionctl.views.auction_row import AuctionRow
from auctionctl.views.keystrokes import Key, Pressed

MAX_FILTER: Final = 40


class Screen(enum.Enum):
    """What is shown."""

    LIST = "list"
    FILTER = "filter"
    """The list, while the words that its lines have to hold are being typed."""
    LOT = "lot"
    HELP = "help"


class Order(enum.Enum):
    """By what the list is in order; the value is what people read."""

    CLOSING = "closing time"
    PRICE = "price"
    RATE = "bids a minute"
    LOT = "lot"


@dataclass(frozen=True, slots=True)
class BoardState:
    """``chosen`` is an auction's id, or None before anything was chosen; ``top`` the first line or rung shown.

    ``beneath`` is the screen that the help lies on, and gives back as it was.
    """

    screen: Screen = Screen.LIST
    order: Order = Order.CLOSING
    words: str = ""
    """What a line has to hold to be shown."""
    chosen: bytes | None = None
    top: int = 0
    beneath: Screen = Screen.LIST
    has_quit: bool = False


def listed(state: BoardState, rows: Sequence[AuctionRow]) -> list[AuctionRow]:
    """Those of ``rows`` that hold the words, in order; what is equal stays as it was."""
    wanted = state.words.casefold()
    found = [
        row for row in rows if wanted in f"{row.title}\n{row.short_id}\n{row.leader}\n{row.phase.value}".casefold()
    ]
    match state.order:
        case Order.CLOSING:
            return sorted(found, key=urgency)
        case Order.PRICE:
            return sorted(found, key=lambda row: -row.price_minor)
        case Order.RATE:
            return sorted(found, key=lambda row: 0 if row.trend is None else -row.trend.bids_a_minute)
        case Order.LOT:
            return sorted(found, key=lambda row: row.title.casefold())
        case _:
            assert_never(state.order)


_KINDS: Final = {Phase.OPEN: 0, Phase.PAUSED: 0, Phase.ANNOUNCED: 1, Phase.CLOSED: 2}


def urgency(row: AuctionRow) -> tuple[int, int]:
    """What to sort by: open auctions, announced ones, those that wait for something, those that are over; by time."""
    is_over = row.phase is Phase.CLOSED and row.left_s is None
    return 3 if is_over else _KINDS[row.phase], row.left_s or 0


def fitted(state: BoardState, rows: Sequence[AuctionRow], room: int) -> BoardState:
    """``state`` with ``top`` such that the chosen one of the listed ``rows`` is among the ``room`` lines shown.

    Before anything is chosen, and where what was chosen is not listed any more, the list begins with its first line.
    While another screen is shown, ``top`` is not of the list, or has to be what it was.
    """
    if state.screen in (Screen.LOT, Screen.HELP):
        return state
    place = _place(state, rows)
    if place is None:
        return replace(state, top=0)
    top = min(max(state.top, place - room + 1), place, max(0, len(rows) - room))
    return replace(state, top=max(0, top))


def press(state: BoardState, key: Pressed, rows: Sequence[AuctionRow], room: int) -> BoardState:
    """What ``key`` makes of ``state``; ``rows`` are those listed, of which ``room`` are shown at a time."""
    match state.screen:
        case Screen.LIST:
            return _press_in_list(state, key, rows, room)
        case Screen.FILTER:
            return _press_in_filter(state, key)
        case Screen.LOT:
            return _press_in_lot(state, key, room)
        case Screen.HELP:
            return replace(state, screen=state.beneath, beneath=Screen.LIST, has_quit=key in ("q", "Q"))
        case _:
            assert_never(state.screen)


def _press_in_list(state: BoardState, key: Pressed, rows: Sequence[AuctionRow], room: int) -> BoardState:
    match key:
        case "q" | "Q":
            return replace(state, has_quit=True)
        case "?":
            return replace(state, screen=Screen.HELP, beneath=state.screen)
        case "/":
            return replace(state, screen=Screen.FILTER)
        case "s" | "S":
            orders = list(Order)
            return replace(state, order=orders[(orders.index(state.order) + 1) % len(orders)], top=0)
        case Key.ESCAPE:
            return replace(state, words="") if state.words else replace(state, chosen=None)
        case Key.ENTER if rows:
            chosen = state.chosen if _place(state, rows) is not None else rows[0].auction
            return replace(state, screen=Screen.LOT, chosen=chosen, top=0)
        case _ if rows and (step := _step(key, len(rows), room)) is not None:
            place = _place(state, rows)
            begin = -1 if step > 0 else len(rows)
            place = min(max((begin if place is None else place) + step, 0), len(rows) - 1)
            return replace(state, chosen=rows[place].auction)
        case _:
            return state


def _press_in_filter(state: BoardState, key: Pressed) -> BoardState:
    match key:
        case Key.ENTER:
            return replace(state, screen=Screen.LIST)
        case Key.ESCAPE:
            return replace(state, screen=Screen.LIST, words="")
        case Key.BACKSPACE:
            return replace(state, words=state.words[:-1])
        case str() if len(state.words) < MAX_FILTER:
            return replace(state, words=state.words + key)
        case _:
            return state


def _press_in_lot(state: BoardState, key: Pressed, room: int) -> BoardState:
    match key:
        case "q" | "Q":
            return replace(state, has_quit=True)
        case Key.ESCAPE | Key.ENTER | Key.BACKSPACE:
            return replace(state, screen=Screen.LIST, top=0)
        case "?":
            return replace(state, screen=Screen.HELP, beneath=state.screen)
        case _ if (step := _step(key, MAX_RUNGS, room)) is not None:
            return replace(state, top=min(max(0, state.top + step), MAX_RUNGS))
        case _:
            return state


MAX_RUNGS: Final = 1_000
"""So many of a lot's newest bids can be looked at."""


def _step(key: Pressed, count: int, room: int) -> int | None:
    """By how many lines ``key`` moves; None for a key that does not."""
    steps = {
        Key.UP: -1,
        "k": -1,
        Key.DOWN: 1,
        "j": 1,
        Key.PAGE_UP: -room,
        Key.PAGE_DOWN: room,
        Key.HOME: -count,
        Key.END: count,
    }
    return steps.get(key)


def _place(state: BoardState, rows: Sequence[AuctionRow]) -> int | None:
    return next((place for place, row in enumerate(rows) if row.auction == state.chosen), None)
