"""The board as somebody at the keys sees it: the list, one lot's ladder, or the help, as the state says.

Rule: what has not changed is not drawn anew: a picture is plain values, which are compared before any is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import RenderableType

from auctionctl.views.auction_row import AuctionRow
from auctionctl.views.board import FRAME_ROWS, board_table
from auctionctl.views.board_help import board_help
from auctionctl.views.board_state import BoardState, Screen
from auctionctl.views.lot_page import Rung, lot_page

KEYS_LINE: Final = "Enter ladder  / filter  s sort  ? help  q quit"


@dataclass(frozen=True, slots=True)
class BoardPicture:
    """All that is seen. ``listed`` are the rows of the list, in order; ``rungs`` the newest bids of the chosen lot.

    ``rungs`` begin with the one numbered ``state.top``.
    """

    title: str
    state: BoardState
    listed: Sequence[AuctionRow]
    total: int
    lot: AuctionRow | None
    rungs: Sequence[Rung]
    width: int
    height: int
    has_keys: bool = True

    def draw(self) -> RenderableType:
        """For a terminal of ``width`` columns and ``height`` lines."""
        if self.state.screen is Screen.HELP:
            return board_help(self.height)
        if self.state.screen is Screen.LOT and self.lot is not None:
            return lot_page(self.lot, self.rungs, self.state.top, self.height)
        top = self.state.top
        shown = self.listed[top : top + list_room(self.height)]
        return board_table(self.title, shown, self.width, caption=self._caption(len(shown)), chosen=self.state.chosen)

    def _caption(self, shown: int) -> str:
        words, state = [], self.state
        if state.screen is Screen.FILTER:
            return f"filter: {state.words}▏ Enter keeps it, Esc drops it"
        below = len(self.listed) - state.top - shown
        if below or state.top:
            words.append(f"and {below} more" if not state.top else f"{state.top} above, {below} below")
        if state.words:
            words.append(f"{len(self.listed)} of {self.total} with {state.words!r}, Esc shows all")
        if self.has_keys:
            words += [f"by {state.order.value}", KEYS_LINE]
        return " · ".join(words)


def list_room(height: int) -> int:
    """How many auctions a list on ``height`` lines shows at a time."""
    return max(1, height - FRAME_ROWS)
