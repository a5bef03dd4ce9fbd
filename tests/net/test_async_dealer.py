"""The dealer of a program that does other things meanwhile: it ends by itself, by its patience, or when cancelled."""

from __future__ import annotations

import asyncio
import socket

import pytest

from auctionctl.errors import UnreachableError
from auctionctl.keys.signing import SecretKey
from auctionctl.net.async_dealer import AsyncDealer
from auctionctl.replica.follower import Follower
from auctionctl.wire.address import HouseAddress

ME, HOUSE = SecretKey(bytes([1]) * 32), SecretKey(bytes([2]) * 32)


@pytest.fixture
def nobody() -> HouseAddress:
    """Where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return HouseAddress(HOUSE.identity, "127.0.0.1", probe.getsockname()[1])


def dealer(address: HouseAddress) -> AsyncDealer:
    return AsyncDealer(Follower(ME, HOUSE.identity, "observer"), address, ME)


def test_who_finds_nobody_is_told_so_and_others_go_on_meanwhile(nobody: HouseAddress) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def drive() -> None:
        client = dealer(nobody)
        counting = asyncio.create_task(count())
        try:
            with pytest.raises(UnreachableError, match=r"no house answered at 127\.0\.0\.1:\d+ within 0\.2 s"):
                await client.drive(lambda _: None, lambda: False, patience_s=0.2, tick_s=0.01)
        finally:
            counting.cancel()
            client.close()

    asyncio.run(drive())
    assert turns > 20


def test_ticks_come_until_it_is_done_and_a_cancelled_one_ends(nobody: HouseAddress) -> None:
    ticks: list[None] = []

    async def drive() -> None:
        client = dealer(nobody)
        try:
            await client.drive(lambda _: None, lambda: len(ticks) >= 5, tick_s=0.01, on_tick=lambda: ticks.append(None))
            endless = asyncio.create_task(client.drive(lambda _: None, lambda: False, patience_s=60))
            await asyncio.sleep(0)
            endless.cancel()
            with pytest.raises(asyncio.CancelledError):
                await endless
        finally:
            client.close()

    asyncio.run(drive())
    assert len(ticks) == 5
