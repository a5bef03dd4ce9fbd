"""What is said to be possible: by the tables, and only with a cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auctionctl.auction.commands import Cancel, Pause
from auctionctl.auction.possible import possible_commands
from auctionctl.auction.rules import Cancellation, PauseRules

Rooms = Callable[..., Any]


def test_no_pause_is_possible_where_the_terms_allow_none(open_room: Rooms) -> None:
    assert "pause" not in possible_commands(open_room(pauses=PauseRules(max_pauses=0)).auction)
    assert "pause" in possible_commands(open_room().auction)


def test_an_auction_with_bids_is_called_off_only_where_its_terms_say_so(open_room: Rooms) -> None:
    for cancellation in Cancellation:
        room = open_room(cancellation=cancellation)
        assert "cancel" in possible_commands(room.auction)
        room.bid("ann", 1_000)
        may = cancellation is Cancellation.BEFORE_CLOSE
        assert ("cancel" in possible_commands(room.auction), room.try_command(Cancel, "otto", "") is None) == (may, may)


def test_what_stands_still_can_go_on_and_be_called_off(open_room: Rooms) -> None:
    room = open_room()
    room.command(Pause, "otto", "")
    assert possible_commands(room.auction) == ("resume", "cancel")
