"""What a :class:`~auctionctl.replica.follower.Follower` tells of: each kind of news of a house and its logs.

Rule: news is told once what it says has been checked as far as it can be; what is only a house's own word says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from auctionctl.replica.clock_heads import KeptHead
from auctionctl.replica.registry import RegistryApplied
from auctionctl.replica.replay import Applied
from auctionctl.wire.messages import OwnWord, Receipts, Refused, Rejections


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The house has answered our hello; what is sent from now on is heard."""

    house_time_ns: int
    escrow: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """The whole catalogue has come in: the auctions that the house holds, in its order."""

    auctions: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Advanced:
    """New entries of one auction have passed the rules. ``is_current``: nothing that the house signed is missing."""

    auction: bytes
    applied: tuple[Applied, ...]
    is_current: bool


@dataclass(frozen=True, slots=True)
class RegistryAdvanced:
    """New entries of the registry have passed its rules; ``is_current`` as for an auction."""

    applied: tuple[RegistryApplied, ...]
    is_current: bool


@dataclass(frozen=True, slots=True)
class Stamped:
    """The house has signed how late it was when an auction's log had so many entries; nothing speaks against it."""

    auction: bytes
    kept: KeptHead


@dataclass(frozen=True, slots=True)
class ClockOff:
    """The house's clock and ours differ by more than TOLERANCE_NS: it is ahead by so much at least, or behind (< 0)."""

    ahead_ns: int


Notice = (
    Welcomed | Listed | Advanced | RegistryAdvanced | Receipts | Rejections | Refused | OwnWord | Stamped | ClockOff
)
