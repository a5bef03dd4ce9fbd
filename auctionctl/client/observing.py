"""One session as an observer, in a task of its own: every log of a house, verified, for whoever waits for its news.

Rule: an entry is handed on once the rules have accepted it and a verified checkpoint covers it; what ends the session
ends every wait, with the same error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from auctionctl.client.seen_logs import FollowedLogs, Memory
from auctionctl.errors import ConfigurationError, UnreachableError
from auctionctl.net.async_dealer import AsyncDealer
from auctionctl.net.clock import Clock
from auctionctl.replica.export import encode_export
from auctionctl.replica.follower import Advanced, Follower, Listed, Notice
from auctionctl.replica.replay import Applied
from auctionctl.replica.replica import Replica

GONE_S: Final = 20.0
"""A house that restarts is back by then."""

if TYPE_CHECKING:
    from auctionctl.client.paths import Paths
    from auctionctl.keys.signing import SecretKey
    from auctionctl.wire.address import HouseAddress


class Observing:
    """Follows all that the house at ``address`` holds, from :meth:`start` to :meth:`close`."""

    def __init__(self, address: HouseAddress, key: SecretKey, paths: Paths, memory: Memory) -> None:
        self.follower = Follower(key, address.identity, "observer", memory.heads_of)
        self._logs = FollowedLogs(memory, paths, self.follower)
        self._address = address
        self._dealer = AsyncDealer(self.follower, address, key)
        self._applied: dict[bytes, list[Applied]] = {}
        self._is_listed = False
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.follower.follow_registry(Clock().now_ns())
        self.follower.follow_all()

    async def start(self) -> None:
        """Begin, and wait until everything that the house signed is here. Raises what a Dealer raises."""
        self._task = asyncio.create_task(self._drive(), name="auctionctl observer")
        await self.until(self.is_current)

    async def close(self) -> None:
        """End the session."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._dealer.close()

    @property
    def catalogue(self) -> Mapping[bytes, object]:
        """The auctions that the house lists."""
        return self.follower.catalogue

    def replicas(self) -> list[Replica]:
        """The logs that have begun, in the order of the catalogue."""
        found = (self.follower.replicas.get(auction) for auction in self.follower.catalogue)
        return [replica for replica in found if replica is not None and replica.size]

    async def be_current(self) -> None:
        """Wait until everything is here. Raises UnreachableError where the house does not come back for GONE_S."""
        try:
            async with asyncio.timeout(GONE_S):
                await self.until(self.is_current)
        except TimeoutError:
            raise UnreachableError(
                f"the house at {self._address.where} has been gone for {GONE_S:g} s",
                hint="is it running? what was read before may be old by now",
            ) from None

    def is_current(self) -> bool:
        """Whether we are connected, and the catalogue, the registry and every log of an auction are here, verified."""
        registry = self.follower.registry
        if not self.follower.is_welcome or not self._is_listed or not registry.is_verified or registry.is_behind:
            return False
        replicas = [self.follower.replicas.get(auction) for auction in self.follower.catalogue]
        return all(replica is not None and replica.is_verified and not replica.is_behind for replica in replicas)

    def verified(self, auction: bytes, start: int) -> list[Applied]:
        """The verified entries of ``auction`` from index ``start`` on, as far as they are here."""
        replica = self.follower.replicas.get(auction)
        head_size = 0 if replica is None or replica.head is None else replica.head.size
        return self._applied.get(auction, [])[start:head_size]

    def export(self, auction: bytes) -> bytes:
        """The file of the log of ``auction``, as far as it has been verified."""
        replica = self.follower.replicas[auction]
        assert replica.head is not None
        entries = self._logs.entries[auction][: replica.head.size]
        return encode_export(entries, replica.head_note, self.follower.announcements[auction])

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until ``holds()``, which is asked at each piece of news. Raises what ends the session."""
        assert self._task is not None
        while not holds():
            if self._task.done():
                if not self._task.cancelled():
                    self._task.result()
                raise ConfigurationError("the connection is closed", hint="write: async with connect(…) as house:")
            await self._changed.wait()

    async def _drive(self) -> None:
        try:
            with self._logs.kept():
                await self._dealer.drive(self._notice, lambda: False, on_tick=self._logs.tick)
        finally:
            self._tell()

    def _notice(self, notice: Notice) -> None:
        self._logs.take(notice)
        match notice:
            case Listed():
                self._is_listed = True
            case Advanced(auction=auction, applied=applied):
                self._applied.setdefault(auction, []).extend(applied)
            case _:
                pass
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
