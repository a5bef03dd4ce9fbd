"""What is still to come in a house, told once: whether lots wait for room, and whether everything is over."""

from __future__ import annotations

from collections.abc import Callable

from auctionctl.house.condition import LOTS_WAIT
from auctionctl.house.house import House
from auctionctl.net.alone import Alone
from auctionctl.net.house_words import AllClosed, FromChild, LotsWait, Reopened
from auctionctl.net.instances import AmongSeveral
from auctionctl.net.own_lots import OwnLots


class Outlook:
    """The outlook of ``house`` and its ``lots``, of which ``part`` says what is this instance's; told to ``report``."""

    def __init__(
        self, report: Callable[[FromChild], None], house: House, lots: OwnLots, part: Alone | AmongSeveral
    ) -> None:
        self._report = report
        self._house = house
        self._lots = lots
        self._part = part
        self._said_waiting: list[str] = []
        self._said_closed = False

    def tell_whether_closed(self) -> None:
        """Every auction has ended and no lot waits; or a seller has opened another one since that was said."""
        is_closed = self._part.is_all_over() and not self._lots.waiting
        if is_closed != self._said_closed:
            self._said_closed = is_closed
            self._report(AllClosed() if is_closed else Reopened())

    def tell_waiting(self) -> None:
        """The lots for which there is no room; those that another instance announces do not wait for that."""
        waiting = [lot.listing for lot in self._lots.waiting] if self._part.announces() else []
        if waiting != self._said_waiting:
            self._said_waiting = waiting
            self._house.warnings.take_back(LOTS_WAIT)
            if waiting:
                self._house.warnings.say(LOTS_WAIT, f"there is no room yet for: {', '.join(waiting)}")
                self._report(LotsWait(waiting))
