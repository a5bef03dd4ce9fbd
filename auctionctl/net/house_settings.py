"""How a house is run: what whoever starts one decides, and what of it a reload may change.

Rule: one message of these starts the house's process, whether for the first time or after a death.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from auctionctl.house.limits import Limits
from auctionctl.keys.access import Access
from auctionctl.keys.signing import SecretKey
from auctionctl.net.door import DEFAULT_LIMITS, DoorLimits
from auctionctl.net.house_words import StartHouse
from auctionctl.store.cluster_access import NO_ACCESS, ClusterAccess
from auctionctl.store.cluster_address import Durability
from auctionctl.wire.listing import LotDescription


class Finish(enum.Enum):
    """When a house is done."""

    NEVER = "never"
    WHEN_CLOSED = "when_closed"


@dataclass(frozen=True, slots=True)
class HouseSettings:
    """How a house is run. ``host`` is what is bound; ``state`` is the directory of its store."""

    name: str
    host: str
    port: int
    verifiers: int
    limits: Limits
    state: Path
    allow_list: Path
    retention_ns: int = 0
    """How long an auction that has ended stays in the store; 0: for ever."""
    door: DoorLimits = DEFAULT_LIMITS
    """How many connections its gateway takes."""
    tells_measures: bool = False
    """Whether it reports once a second how it works."""
    store: str | None = None
    """The address of the cluster that has its logs; None: a file in ``state``."""
    durability: Durability = Durability.REQUIRED
    instance: str | None = None
    """The name of this instance among several of the house; None: it is the only one."""
    advertise: str = ""
    """Where clients reach this instance, as host:port; empty: where it listens."""
    gateways: int = 1
    """How many processes take its connections."""
    store_access: ClusterAccess = NO_ACCESS
    """Where it stands who we are to that cluster."""

    @property
    def access(self) -> Access:
        """Whom it lets in: strangers where its gateway has room for them."""
        return Access.LISTED if self.door.strangers is None else Access.OPEN

    def start(
        self, key: SecretKey, lots: Sequence[LotDescription], allowed_before: bytes | None, port: int
    ) -> StartHouse:
        """What the house's process is started with; ``allowed_before`` is the allow list's text, see StartHouse.

        ``port`` is the one that it listens on.
        """
        return StartHouse(
            key.seed_text,
            str(self.state),
            str(self.allow_list),
            self.limits,
            list(lots),
            self.retention_ns,
            self.access,
            allowed_before,
            self.tells_measures,
            self.store,
            self.durability,
            self.instance,
            self.advertise or f"{self.host}:{port}",
            self.store_access,
        )


@dataclass(frozen=True, slots=True)
class NewSettings:
    """What holds after a reload; ``needs_restart`` names what differs and cannot change while the house runs."""

    limits: Limits
    retention_ns: int
    lots: Sequence[LotDescription]
    needs_restart: tuple[str, ...] = ()


ReadSettings = Callable[[], NewSettings]
"""Reads the settings again; raises AuctionctlError for what is wrong with them."""
