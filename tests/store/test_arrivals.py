"""Messages come in order, and who waits for one that does not come is told so."""

from __future__ import annotations

import asyncio

import pytest

from auctionctl.store.arrivals import Arrivals


def test_messages_come_in_order_whether_they_were_waited_for_or_not() -> None:
    async def read() -> list[str]:
        came = Arrivals()
        await came.take_in("a")
        await came.take_in("b")
        first = [await came.next(1.0), await came.next(1.0)]
        waiting = asyncio.ensure_future(came.next(30.0))
        await asyncio.sleep(0)
        assert not waiting.done()
        await came.take_in("c")
        return [*first, await waiting]

    assert asyncio.run(read()) == ["a", "b", "c"]


def test_what_does_not_come_is_not_waited_for_for_ever() -> None:
    async def wait() -> None:
        await Arrivals().next(0.01)

    with pytest.raises(TimeoutError):
        asyncio.run(wait())
