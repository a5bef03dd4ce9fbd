"""When a house's process archives, and what is said of it: in turns that have nothing better to do, a little each.

Rule: what fails is said once until something has been archived again, stands as a warning meanwhile, and is tried again
after a pause.
"""

from __future__ import annotations

import socket
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ArchiveError, StoreFullError
from auctionctl.house.condition import ARCHIVE_FAILED, Warnings
from auctionctl.net.archiving import Archiving
from auctionctl.net.child_words import encode
from auctionctl.net.control import send_control
from auctionctl.net.house_words import Archived, ArchiveFailed
from auctionctl.net.news import tell

LOOK_NS: Final = SECOND_NS
PAUSE_NS: Final = 60 * SECOND_NS


class ArchiveTurns:
    """The turns of ``archiving``; ``control`` leads to the supervisor."""

    def __init__(self, control: socket.socket, warnings: Warnings, archiving: Archiving) -> None:
        self.archiving = archiving
        self.is_under_way = False
        self._control = control
        self._warnings = warnings
        self._next_ns = 0
        self._said_failed = False

    def is_due(self, now_ns: int) -> bool:
        """Whether there is, or may be, something to do."""
        return self.is_under_way or now_ns >= self._next_ns

    def turn(self, now_ns: int) -> None:
        """Do a little. Raises StoreFullError, after which a pause is made as after any failure."""
        self._next_ns = now_ns + LOOK_NS
        try:
            self.is_under_way = self.archiving.turn(now_ns)
        except (ArchiveError, StoreFullError) as error:
            self.is_under_way = False
            self._next_ns = now_ns + PAUSE_NS
            if isinstance(error, StoreFullError):
                raise
            self.say_failed(error)
            return
        for log, path in self.archiving.take_done():
            self._said_failed = False
            self._warnings.take_back(ARCHIVE_FAILED)
            tell(self._control, Archived(log.id, log.auction.terms.listing, str(path)))

    def say_failed(self, error: ArchiveError) -> None:
        """Nothing can be archived."""
        if not self._said_failed:
            self._said_failed = True
            self._warnings.say(ARCHIVE_FAILED, str(error))
            send_control(self._control, encode(ArchiveFailed(str(error), error.hint)))
