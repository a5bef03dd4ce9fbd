"""What has come to an inbox of a cluster's client, in order, for whoever reads it one after another.

Rule: to wait for a message costs as much as to read it, so nobody waits for one that is there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any


class Arrivals:
    """The messages of one inbox; in the loop of its client."""

    def __init__(self) -> None:
        self._messages: deque[Any] = deque()
        self._has_come = asyncio.Event()

    async def take_in(self, message: Any) -> None:
        """One more has come."""
        self._messages.append(message)
        self._has_come.set()

    async def next(self, patience_s: float) -> Any:
        """The next message. Raises TimeoutError."""
        while not self._messages:
            self._has_come.clear()
            await asyncio.wait_for(self._has_come.wait(), patience_s)
        return self._messages.popleft()
