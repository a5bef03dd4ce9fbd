"""How long a process that died is left before it is started again: at once at first, then more and more slowly.

Rule: only deaths that come soon count, and one that came late starts the count anew: what runs for a while has done
its work, and is needed back at once.
"""

from __future__ import annotations

from typing import Final

QUICK_DEATH_S: Final = 5.0
"""Whoever has lived for less has died young."""
LONGEST_BACKOFF_S: Final = 5.0
FIRST_BACKOFF_S: Final = 0.4


class Backoff:
    """The deaths of one process and its successors."""

    def __init__(self) -> None:
        self.quick_deaths = 0
        """How many in a row have died young."""

    def died(self, lived_s: float) -> float:
        """It has died after so many seconds: returns how many to wait. The first quick death costs nothing."""
        self.quick_deaths = self.quick_deaths + 1 if lived_s < QUICK_DEATH_S else 0
        if self.quick_deaths < 2:
            return 0.0
        # Bounded before it is raised: a number of deaths without bound has a power that no float holds.
        return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(self.quick_deaths - 2, 16))
