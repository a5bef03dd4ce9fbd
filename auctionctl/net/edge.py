"""What a gateway takes of its sessions, and passes on: the house's limits where they cost the house nothing.

The house decides (:mod:`auctionctl.house.quotas`); what is refused here would be refused there. Rule: no session fills
the queue, nor do strangers together; what operators command has a lane of its own, here as in the house.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.bid import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.intake import COMMANDS
from auctionctl.net.door import Door
from auctionctl.net.sessions import Session
from auctionctl.net.strangers import LISTED_SHARE
from auctionctl.wire.messages import Refused

SHARES: Final = 4
"""No session has more than one part in so many of the house's queue under way, or LEAST_SHARE if that is more."""
LEAST_SHARE: Final = 16
"""And no stranger more than this."""
BUSY_RETRY_NS: Final = SECOND_NS // 20


class Edge:
    """One gateway's. ``queue`` is how many requests its house takes at once; ``door`` knows who is a stranger."""

    def __init__(self, door: Door, queue: int) -> None:
        self.queue = queue
        self._door = door

    def refuse(self, session: Session, type_name: str, body: bytes, under_way: int, now_ns: int) -> Refused | None:
        """Why a message is not passed on, while so many requests are ``under_way``; None: it is."""
        if type_name == "hello" and (wait_ns := self._door.greet(session.transport, session.host, now_ns)):
            return Refused(
                "rate", "too many hellos from this address: this house lets strangers in slowly", b"", wait_ns
            )
        if self._is_full(session, type_name, under_way):
            return Refused("busy", "the queue of this house is full", name_of(type_name, body), BUSY_RETRY_NS)
        return None

    def _is_full(self, session: Session, type_name: str, under_way: int) -> bool:
        """Whether there is no room in the house's queue, of which nobody gets more than a part."""
        most = max(self.queue // SHARES, LEAST_SHARE) if session.is_listed else LEAST_SHARE
        if session.unanswered >= most:
            return True
        if not session.is_listed:
            return under_way >= max(self.queue // LISTED_SHARE, 1)
        # What operators command has a lane of its own in the house, too.
        return under_way >= self.queue and type_name != "hello" and not session.is_operator


def name_of(type_name: str, body: bytes) -> bytes:
    """The id of a command; nothing else has a name of its own."""
    return command_id(body) if type_name in COMMANDS else b""
