"""What a :class:`~auctionctl.replica.follower.Follower` tells of: each kind of news of a house and its logs.

Rule: news is told once what it says has been checked as far as it can be; what is only a house's own word says so.
"""

from __future__ import annotations

import msgspec

from auctionctl.replica.clock_heads import KeptHead
from auctionctl.replica.registry import RegistryApplied
from auctionctl.replica.replay import Applied
from auctionctl.wire.messages import OwnWord, Receipts, Refused, Rejections


class Welcomed(msgspec.Struct, frozen=True):
    """The house has answered our hello; what is sent from now on is heard."""

    house_time_ns: int
    escrow: bytes


class Listed(msgspec.Struct, frozen=True):
    """The whole catalogue has come in: the auctions that the house holds, in its order."""

    auctions: tuple[bytes, ...]


class Advanced(msgspec.Struct, frozen=True):
    """New entries of one auction have passed the rules. ``is_current``: nothing that the house signed is missing."""

    auction: bytes
    applied: tuple[Applied, ...]
    is_current: bool


class RegistryAdvanced(msgspec.Struct, frozen=True):
    """New entries of the registry have passed its rules; ``is_current`` as for an auction."""

    applied: tuple[RegistryApplied, ...]
    is_current: bool


class Stamped(msgspec.Struct, frozen=True):
    """The house has signed how late it was when an auction's log had so many entries; nothing speaks against it."""

    auction: bytes
    kept: KeptHead


class ClockOff(msgspec.Struct, frozen=True):
    """The house's clock and ours differ by more than TOLERANCE_NS: it is ahead by so much at least, or behind (< 0)."""

    ahead_ns: int


Notice = (
    Welcomed | Listed | Advanced | RegistryAdvanced | Receipts | Rejections | Refused | OwnWord | Stamped | ClockOff
)
