"""The part of a house of one instance in that house: what there is to do among several is nothing.

Rule: its moves are those of :class:`auctionctl.net.instances.AmongSeveral`, so that the loop need not ask which it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from auctionctl.errors import OvertakenError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.effects import Effect
from auctionctl.house.house import House
from auctionctl.house.registry import RegistryLog
from auctionctl.net.stored_logs import StoredLogs
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import SqliteStore
from auctionctl.wire.messages import Remind


class Recovered(NamedTuple):
    """What a house begins with: its logs, when it was last alive, and what was halted before."""

    registry: RegistryLog
    auctions: Sequence[AuctionLog]
    alive_ns: int | None
    halted: Sequence[Remind]


class Alone:
    """A house of one instance: what there is to do among several is nothing, but for its sign of life."""

    def __init__(self, store: SqliteStore | ClusterStore, house: House) -> None:
        self._store = store
        self._house = house

    def is_all_over(self) -> bool:
        """Whether every auction of the house has ended, and every sale."""
        return not self._house.unfinished_count

    def announces(self) -> bool:
        """Whether it is this instance that announces auctions."""
        return True

    def adopt(self, logs: Recovered, now_ns: int) -> list[Effect]:
        """Take on what the store has."""
        return self._house.adopt(logs.registry, logs.auctions, logs.alive_ns, now_ns, logs.halted)

    def overtaken(self, error: OvertakenError, _stored: StoredLogs, _now_ns: int) -> list[Effect]:
        """Somebody else has written to a log: nobody but this house may."""
        raise error

    def turn(self, now_ns: int) -> None:
        """Before a batch."""

    def is_behind(self) -> bool:
        """Whether the next turn is due at once."""
        return False

    def commit(self, appends: Sequence[Append], now_ns: int) -> None:
        """Make ``appends`` durable, and with them until when the house was alive. Errors as for the store."""
        self._store.append(appends, self._house.alive_ns(now_ns))

    def keep_alive(self, now_ns: int) -> None:
        """Once a second: the store is to know until when bidders could reach the house."""
        if self._house.unfinished_count:
            self._store.alive(self._house.alive_ns(now_ns))

    def leave(self, now_ns: int) -> None:
        """The end."""

    def shared_text(self) -> bytes | None:
        """The allow list of all instances."""
        return None

    def share(self, text: bytes, now_ns: int) -> bool:  # noqa: ARG002 - for one of several it depends
        """The allow list is this one from now on."""
        return True
