"""A house's process tells its supervisor once a second that it lives, apart from the store's own sign of life."""

from __future__ import annotations

import socket
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.house import House
from auctionctl.net.house_words import Alive
from auctionctl.net.news import tell
from auctionctl.net.ways import Ways

ALIVE_NS: Final = SECOND_NS


class Pulse:
    """The sign of life of ``house``, with what is known of the ``ways`` to it; ``control`` leads to the supervisor."""

    def __init__(self, control: socket.socket, house: House, ways: Ways) -> None:
        self._control = control
        self._house = house
        self._ways = ways
        self._told_ns = 0

    def beat(self, now_ns: int) -> None:
        """Tell it, if it is time to. Raises PipeClosedError if nobody is there any more."""
        if now_ns - self._told_ns >= ALIVE_NS:
            self._told_ns = now_ns
            is_reachable = self._house.alive_ns(now_ns) >= now_ns
            hung, stuck = tuple(self._ways.hung(now_ns)), tuple(self._ways.stuck(now_ns))
            tell(self._control, Alive(is_reachable, self._house.live_count, hung, stuck))
