"""The logs of which entries were asked for and have not come: when each is asked for again.

Rule: an answer that is lost is asked for again after RETRY_NS; one that the house puts off, not before it says. Of many
that are put off each gets a time of its own, so that they do not come back all at once, only to be put off again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auctionctl.auction.terms import SECOND_NS

PUT_OFF: Final = frozenset({"rate", "muted"})
"""Codes of what a house refuses for now: it says when to ask again."""
RETRY_NS: Final = 2 * SECOND_NS
"""How long an unanswered read waits before it is sent again."""
SPACING_NS: Final = SECOND_NS // 128
"""From one that was put off to the next: a house that gives 8 MiB a second sends a whole answer in that time."""
LONGEST_WAIT_NS: Final = 60 * SECOND_NS


class PendingReads:
    """Logs by their ids, 32 bytes, empty for the registry. Times are this machine's."""

    def __init__(self) -> None:
        self._again_ns: dict[bytes, int] = {}
        self._last_put_off_ns = 0

    def __contains__(self, log: bytes) -> bool:
        return log in self._again_ns

    def __iter__(self) -> Iterator[bytes]:
        return iter(list(self._again_ns))

    def asked(self, log: bytes, now_ns: int) -> None:
        """``log`` has been asked for."""
        self._again_ns[log] = now_ns + RETRY_NS

    def answered(self, log: bytes) -> bool:
        """What was asked for is there, or never will be; whether it was pending."""
        return self._again_ns.pop(log, None) is not None

    def put_off(self, log: bytes, wait_ns: int, now_ns: int) -> None:
        """The house answers this in ``wait_ns`` at the earliest."""
        if log in self._again_ns:
            next_ns = max(self._last_put_off_ns + SPACING_NS, now_ns + wait_ns)
            self._last_put_off_ns = min(next_ns, now_ns + LONGEST_WAIT_NS)
            self._again_ns[log] = self._last_put_off_ns

    def forget_all(self) -> None:
        """None of them will be answered."""
        self._again_ns.clear()

    def due(self, now_ns: int) -> list[bytes]:
        """Those that are to be asked for again now."""
        return [log for log, again_ns in self._again_ns.items() if again_ns <= now_ns]

    def next_ns(self) -> int | None:
        """When the next one is, or None."""
        return min(self._again_ns.values(), default=None)
