"""Asking a house how it works, again and again, for ``top`` and ``peers``.

Rule: whoever asks is an operator, or the house itself under its own key; what is told is the house's own word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from auctionctl.auction.terms import Terms
from auctionctl.cli.options import AtHouse
from auctionctl.errors import NotAuthorisedError, UnreachableError
from auctionctl.net.clock import Clock
from auctionctl.net.dealer import Dealer
from auctionctl.replica.follower import Follower, Listed, Welcomed
from auctionctl.wire.measures import Measure, Measures
from auctionctl.wire.messages import Condition, Refused, Status

ANSWER_S: Final = 10.0
TICK_S: Final = 0.1

LATE_S: Final = 2.0
"""What an answer may take before it is told that it is missing."""
STOPPED_S: Final = 2.0
"""A turn takes no longer than that, unless this program or its machine was stopped."""

Warnings = tuple[tuple[str, str], ...]


class Silence:
    """How long a house has said nothing while it was listened to: nobody did while this program was stopped."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._heard_s = self._listened_s = seconds()

    def end(self) -> None:
        """It has said something."""
        self._heard_s = self._seconds()

    def listen(self) -> float:
        """For how many seconds nothing has come; to be called at each turn."""
        now_s = self._seconds()
        if now_s - self._listened_s > STOPPED_S:
            self._heard_s = now_s - max(0.0, self._listened_s - self._heard_s)
        self._listened_s = now_s
        return now_s - self._heard_s


class HouseMeter:
    """One session that asks every ``interval_s``; to be closed."""

    def __init__(self, at: AtHouse, interval_s: float) -> None:
        self.address, secret = at.address(), at.secret()
        role = "observer" if secret.identity == self.address.identity else "operator"
        self._follower = Follower(secret, self.address.identity, role)
        self._dealer = Dealer(self._follower, self.address, secret)
        self._clock = Clock()
        self._interval_s = interval_s
        self._asked_s: float | None = None
        self._silence = Silence()
        self._silent_s = 0.0
        self._warnings: Warnings = ()
        self._on_measures: Callable[[Measures, Warnings], None] | None = None

    @property
    def catalogue(self) -> Mapping[bytes, Terms]:
        """The auctions of the house, as far as they were listed."""
        return self._follower.catalogue

    @property
    def silent_s(self) -> int:
        """For how many seconds the house has not said how it works, once that is longer than it may take; else 0."""
        return int(self._silent_s) if self._silent_s > self._interval_s + LATE_S else 0

    def run(
        self,
        on_measures: Callable[[Measures, Warnings], None],
        is_done: Callable[[], bool],
        on_tick: Callable[[], None],
    ) -> None:
        """Until ``is_done()``. Raises NotAuthorisedError, UnreachableError where the house does not answer any more."""
        self._on_measures = on_measures
        self._dealer.run(self._heed, is_done, tick_s=TICK_S, on_tick=lambda: self._tick(on_tick))

    def close(self) -> None:
        """End the session."""
        self._dealer.close()

    def _heed(self, notice: object) -> None:
        if isinstance(notice, Welcomed):
            self._asked_s = None
            self._follower.list_auctions(self._clock.now_ns())
        elif isinstance(notice, Listed):
            # Auctions can be called by their names from now on.
            if self._asked_s is None:
                self._ask()
        elif isinstance(notice, Condition):
            self._warnings = notice.warnings
        elif isinstance(notice, Measures):
            self._silence.end()
            assert self._on_measures is not None
            self._on_measures(notice, self._warnings)
        elif isinstance(notice, Refused) and notice.code in ("not_authorised", "unknown_type"):
            is_old = notice.code == "unknown_type"
            raise NotAuthorisedError(
                f"the house does not say how it works: {notice.message}",
                hint="it is of an older version" if is_old else "its operators may ask: auctionctl allow roles",
            )

    def _ask(self) -> None:
        self._asked_s = time.monotonic()
        self._follower.ask(Status())
        self._follower.ask(Measure())

    def _tick(self, on_tick: Callable[[], None]) -> None:
        on_tick()
        self._silent_s = self._silence.listen()
        if self._silent_s > ANSWER_S + self._interval_s:
            raise UnreachableError(
                f"the house at {self.address.where} does not say how it works any more",
                hint="is it running? `auctionctl doctor` looks further",
            )
        asked_s = self._asked_s if self._follower.is_welcome else None
        if asked_s is not None and time.monotonic() - asked_s >= self._interval_s:
            self._ask()

    def list_again(self) -> None:
        """Ask for the catalogue once more: there are auctions that it does not name."""
        self._follower.list_auctions(self._clock.now_ns())
