"""When a supervisor vouches for its house to a service manager, and when it keeps silent so that it is restarted.

Rule: that the supervisor itself goes round says nothing. A sign of life is passed on only while the house's process
gives its own, each second, and has been within the reach of bidders lately; or while it is being started again, which
may take as long as a first start.
"""

from __future__ import annotations

from typing import Final

from auctionctl.net.house_words import Alive
from auctionctl.net.sd_notify import Notifier

HOUSE_SILENCE_S: Final = 5.0
"""A house that has given no sign of life for so long is not vouched for."""
GATEWAY_SILENCE_S: Final = 30.0
"""Nor is one that nobody has been able to reach for so long."""
RESTART_PATIENCE_S: Final = 90.0
"""How long a house that died may take until it serves again: what systemd grants a first start by default."""
BEATS_A_PERIOD: Final = 2


class Vouching:
    """What is known of the house's life; times are seconds of a monotonic clock."""

    def __init__(self, notifier: Notifier) -> None:
        self.notifier = notifier
        self.is_serving = False
        self.next_s: float | None = None
        """When :meth:`beat` has to be called, or None."""
        self._address = ""
        self._status = ""
        self._heard_s = 0.0
        self._reached_s = 0.0
        self._excused_until_s = 0.0

    def begin(self, address: str, now_s: float) -> None:
        """Bidders can connect to ``address``."""
        self.is_serving = True
        self._address = address
        self._excused_until_s = now_s
        self._heard_s = self._reached_s = now_s
        self.notifier.ready()
        if self.notifier.watchdog_s is not None:
            self.next_s = now_s

    def heard(self, alive: Alive, now_s: float) -> None:
        """The house's process has given a sign of life."""
        self._heard_s = now_s
        if alive.is_reachable:
            self._reached_s = now_s
        where = f"serving at {self._address}" if alive.is_reachable else "out of reach: the gateway is being restarted"
        self._say(f"{where}; auctions under way: {alive.live_count}")

    def excuse(self, now_s: float) -> None:
        """The house's process has died and is being started again: its silence means nothing for a while."""
        self.is_serving = False
        self._excused_until_s = now_s + RESTART_PATIENCE_S
        self._say("the house's process has died, and is being started again")

    def beat(self, now_s: float) -> None:
        """Pass a sign of life on, if it is time to and there is one."""
        if self.next_s is None or now_s < self.next_s or self.notifier.watchdog_s is None:
            return
        self.next_s = now_s + self.notifier.watchdog_s / BEATS_A_PERIOD
        is_well = now_s - self._heard_s <= HOUSE_SILENCE_S and now_s - self._reached_s <= GATEWAY_SILENCE_S
        if is_well or now_s <= self._excused_until_s:
            self.notifier.alive()

    def _say(self, status: str) -> None:
        if status != self._status:
            self._status = status
            self.notifier.status(status)
