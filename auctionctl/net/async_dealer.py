"""The same connection as a :class:`~auctionctl.net.dealer.Dealer`, for a program that does other things meanwhile.

Rule: nothing in here waits but on the event loop. libzmq's descriptors tell of a change only, so that after each step
it is asked whether there is more, and a tick looks anyway.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from auctionctl.net.dealer import PATIENCE_A_PLACE_S, Dealer
from auctionctl.net.line import Line


class AsyncDealer(Dealer):
    """A dealer that is driven by the running event loop. Not for several tasks."""

    async def drive(
        self,
        on_notice: Callable[[Any], None],
        is_done: Callable[[], bool],
        *,
        patience_s: float = 5.0,
        tick_s: float = 0.25,
        on_tick: Callable[[], None] | None = None,
        before_send: Callable[[], None] | None = None,
    ) -> None:
        """As :meth:`Dealer.run`, raising what that raises; it can be cancelled at any time."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        patience_s += PATIENCE_A_PLACE_S * len(self._address.others)
        deadline_s: float | None = time.monotonic() + patience_s
        self._before_send = before_send
        read: set[int] = set()
        self._woken_by: list[Line] = []
        try:
            while not is_done():
                self._step(0, on_notice)
                self._read_all(loop, woken, read)
                if on_tick is not None:
                    on_tick()
                deadline_s = self._check_patience(deadline_s, patience_s)
                woken.clear()
                if is_done() or self._poller.poll(0):
                    await asyncio.sleep(0)
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._timeout_ms(tick_s) / 1_000):
                        await woken.wait()
        finally:
            for descriptor in read:
                loop.remove_reader(descriptor)

    def _read_all(self, loop: asyncio.AbstractEventLoop, woken: asyncio.Event, read: set[int]) -> None:
        """Have whatever comes over a line wake us; ``read`` are the descriptors that do already."""
        lines = list(self._lines.values())
        if lines == self._woken_by:
            return
        self._woken_by = lines
        for descriptor in read:
            loop.remove_reader(descriptor)  # One that was closed meanwhile may be another's by now.
        read.clear()
        for line in lines:
            read.update((line.socket.fileno(), line.monitor.fileno()))
        for descriptor in read:
            loop.add_reader(descriptor, woken.set)
