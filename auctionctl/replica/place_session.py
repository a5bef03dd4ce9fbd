"""How a session at one place of a house stands: whether it is greeted, when it is answered, and when it is given up.

Rule: who is silent although pinged, or answers pings and nothing else, is given up; what it was asked is asked
elsewhere, as the same bytes. Times are this machine's, in nanoseconds.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from auctionctl.auction.terms import SECOND_NS
from auctionctl.replica.follower import EARLIER_HELLOS
from auctionctl.wire.frames import Message
from auctionctl.wire.session import ClientGreeting

MAX_QUEUED: Final = 256
"""What waits for the welcome of a place; the core repeats what is more."""
UNREACHED_NS: Final = 3 * SECOND_NS // 2
"""How long a home may be without a connection before the next place is tried, if there is one."""
UNGREETED_NS: Final = 4 * SECOND_NS
"""As UNREACHED_NS, over a connection on which no hello was answered."""
REFUSED_NS: Final = SECOND_NS // 5
"""As UNREACHED_NS, where nobody listens."""
HELLO_NS: Final = 2 * SECOND_NS
PING_NS: Final = SECOND_NS
SILENT_NS: Final = 4 * SECOND_NS
"""A place from which nothing comes for so long, although it is pinged, is given up."""
DEAF_NS: Final = 5 * SECOND_NS
"""So is one that answers pings, and nothing else."""
ASK_AGAIN_NS: Final = SECOND_NS
"""How often the home is asked where a log is whose place does not answer."""
UNUSED_NS: Final = 60 * SECOND_NS


class PlaceSession(msgspec.Struct):
    """``greeting`` is None at home, where the core greets; ``queue`` waits for the welcome elsewhere."""

    greeting: ClientGreeting | None
    since_ns: int
    """Since when it has been without a welcome; at home also of what it is in the middle of."""
    is_connected: bool = False
    is_welcome: bool = False
    is_refused: bool = False
    hello_at_ns: int | None = None
    heard_ns: int = 0
    asked_ns: int | None = None
    ping_at_ns: int = 0
    ask_again_ns: int = 0
    used_ns: int = 0
    nonces: deque[bytes] = msgspec.field(default_factory=lambda: deque(maxlen=EARLIER_HELLOS))
    """Of the hellos elsewhere, the last one too; at home those of before it was the home."""
    queue: deque[Message] = msgspec.field(default_factory=lambda: deque(maxlen=MAX_QUEUED))

    def failing_ns(self) -> int:
        """When nobody counts as answering here, unless somebody does until then."""
        silent_ns = self.heard_ns + SILENT_NS
        return silent_ns if self.asked_ns is None else min(silent_ns, self.asked_ns + DEAF_NS)

    def due_ns(self) -> int:
        """When there is something to do about a session elsewhere."""
        if self.is_welcome:
            return min(self.ping_at_ns, self.failing_ns(), self.used_ns + UNUSED_NS)
        times = [self.ask_again_ns, self.used_ns + UNUSED_NS]
        if self.is_connected:
            times.append(0 if self.hello_at_ns is None else self.hello_at_ns + HELLO_NS)
        return min(times)

    def unwelcome_home_until_ns(self) -> int:
        """How long a home without a welcome is waited for where there are other places."""
        if self.is_connected:
            return self.since_ns + UNGREETED_NS
        return self.since_ns + (REFUSED_NS if self.is_refused else UNREACHED_NS)
