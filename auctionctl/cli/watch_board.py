"""The board of ``watch``: an observer's replicas, the history of their prices, and whoever is at the keys.

Rule: it reads; no key sends anything to the house.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from auctionctl.auction.bid import Bid
from auctionctl.auction.price import format_minor
from auctionctl.cli.keyboard import Keyboard
from auctionctl.cli.live_board import LiveBoard
from auctionctl.cli.observer import Observer
from auctionctl.cli.records import clock_time, newest_bids
from auctionctl.replica.replay import Applied
from auctionctl.replica.replica import Replica
from auctionctl.views.auction_row import AuctionRow, Names, name_of
from auctionctl.views.board_state import BoardState, Screen, fitted, listed, press
from auctionctl.views.interactive_board import BoardPicture, list_room
from auctionctl.views.lot_page import Rung, bars_room, ladder_room, last_top
from auctionctl.views.price_history import PriceHistory

BARS: Final = 12
"""Of the price of each auction in the list."""


class WatchBoard:
    """What is to be seen of ``observer``; ``shown`` gives the replicas to show, and ``title`` the line above them."""

    def __init__(
        self,
        observer: Observer,
        names: Names,
        shown: Callable[[], Sequence[Replica]],
        title: Callable[[], str],
        keyboard: Keyboard | None,
    ) -> None:
        self._observer = observer
        self._names = names
        self._shown = shown
        self._title = title
        self._keyboard = keyboard
        self._state = BoardState()
        self._histories: dict[bytes, PriceHistory] = {}
        self._rows: list[AuctionRow] = []
        self._room = 1

    @property
    def has_quit(self) -> bool:
        """Whether whoever is at the keys wants no more of it."""
        return self._state.has_quit

    def take(self, replica: Replica, applied: Sequence[Applied]) -> None:
        """These verified entries have come."""
        history = self._histories.setdefault(replica.replay.auction_id, PriceHistory())
        for each in applied:
            if isinstance(each.fact, Bid):
                history.add(each.entry.time_ns, each.fact.amount_minor)

    def tick(self, live: LiveBoard) -> None:
        """Heed the keys, and have drawn what has changed."""
        for key in () if self._keyboard is None else self._keyboard.pressed():
            self._state = press(self._state, key, listed(self._state, self._rows), self._room)
        live.show_picture(self._picture)

    def _picture(self, width: int, height: int) -> BoardPicture:
        replicas = self._shown()
        rows = zip(self._observer.rows(self._names, replicas), replicas, strict=True)
        self._rows = [self._with_trend(row, replica, BARS) for row, replica in rows]
        shown = listed(self._state, self._rows)
        lot: AuctionRow | None = None
        rungs: tuple[Rung, ...] = ()
        if self._state.screen is Screen.LOT:
            self._room = ladder_room(height)
            found = [replica for replica in replicas if replica.replay.auction_id == self._state.chosen]
            if not found:
                self._state = replace(self._state, screen=Screen.LIST)
            else:
                (row,) = [row for row in self._rows if row.auction == self._state.chosen]
                lot = self._with_trend(row, found[0], bars_room(width))
                top = min(self._state.top, last_top(lot.bid_count, self._room))
                self._state = replace(self._state, top=top)
                rungs = self._rungs(found[0], top, self._room)
        if self._state.screen in (Screen.LIST, Screen.FILTER):
            self._room = list_room(height)
            self._state = fitted(self._state, shown, self._room)
        has_keys = self._keyboard is not None
        return BoardPicture(
            self._title(), self._state, tuple(shown), len(self._rows), lot, rungs, width, height, has_keys
        )

    def _with_trend(self, row: AuctionRow, replica: Replica, count: int) -> AuctionRow:
        auction = replica.replay.state
        history = self._histories.get(auction.id)
        if history is None or not auction.opened_at_ns:
            history = PriceHistory()
        if auction.ended_ns:
            return replace(row, trend=history.whole(auction.opened_at_ns, auction.ended_ns, count))
        now_ns = max(self._observer.house_now_ns, auction.opened_at_ns)
        return replace(row, trend=history.trend(auction.opened_at_ns, now_ns, count))

    def _rungs(self, replica: Replica, top: int, count: int) -> tuple[Rung, ...]:
        size = 0 if replica.head is None else replica.head.size
        entries = self._observer.entries[replica.replay.auction_id][:size]
        return tuple(
            Rung(
                placed.entry_index,
                clock_time(placed.time_ns),
                name_of(placed.bid.bidder, self._names),
                format_minor(placed.bid.amount_minor, placed.bid.currency),
            )
            for placed in newest_bids(entries, top + count)[top:]
        )
