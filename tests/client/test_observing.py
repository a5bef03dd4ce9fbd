"""One session follows every log of a house: what it hands on is verified, and what ends it ends every wait."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from auctionctl import Connection, connect, verify
from auctionctl.client import observing
from auctionctl.client.observing import Observing
from auctionctl.client.paths import find_paths
from auctionctl.client.seen_logs import SeenLogs
from auctionctl.errors import ConfigurationError, UnreachableError
from auctionctl.keys.keyfile import key_path, read_key
from auctionctl.wire.address import parse_address


def observer_at(running: Any) -> Observing:
    paths = find_paths({"AUCTIONCTL_HOME": str(running.home)})
    address = parse_address(running.address)
    return Observing(address, read_key(key_path(paths.keys, "bob")), paths, SeenLogs(paths, address.identity))


def test_every_log_is_there_once_it_has_begun_and_its_file_verifies(running_house: Any) -> None:
    async def follow() -> None:
        seen = observer_at(running_house)
        await seen.start()
        try:
            await seen.be_current()
            assert len(seen.catalogue) == len(seen.replicas()) == 4
            for replica in seen.replicas():
                auction = replica.replay.auction_id
                entries = seen.verified(auction, 0)
                assert [each.entry_index for each in entries] == list(range(replica.size))
                assert seen.verified(auction, 1) == entries[1:]
                assert verify(seen.export(auction), parse_address(running_house.address)).auction.id == auction
            assert seen.verified(bytes(32), 0) == []
        finally:
            await seen.close()

    asyncio.run(follow())


def test_whoever_waits_is_told_when_the_session_is_closed(running_house: Any) -> None:
    async def leave() -> None:
        seen = observer_at(running_house)
        await seen.start()
        waiting = asyncio.create_task(seen.until(lambda: False))
        await asyncio.sleep(0)
        await seen.close()
        with pytest.raises(ConfigurationError, match="the connection is closed"):
            await asyncio.wait_for(waiting, 20)

    asyncio.run(leave())


async def look_on(house: Connection) -> None:
    while True:
        await house.list()
        await asyncio.sleep(0)  # so that whoever hears the house has its turn


def test_a_house_that_is_gone_is_not_passed_off_as_there(
    serve_lots: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "GONE_S", 1.0)

    async def outlive() -> None:
        with serve_lots(tmp_path) as running:
            house = connect(running.address, "alice", home=running.home)
            await house.__aenter__()
            assert len(await house.list()) == 4
        try:
            with pytest.raises(UnreachableError, match="has been gone"):
                await look_on(house)
        finally:
            await house.__aexit__()

    asyncio.run(outlive())
