"""The contract between the state machine and a rule family (DESIGN.md section 6)."""

from __future__ import annotations

from typing import Protocol

import msgspec

from auctionctl.auction.rejection import Refusal
from auctionctl.auction.rules import Rules


class Standing(msgspec.Struct, gc=False):
    """The best bid so far: its amount in minor units, who made it, and its index in the log."""

    price_minor: int
    leader: bytes
    bid_index: int


class Format(Protocol):
    """Acceptance, winner and price of one rule family. Stateless: the state is in the arguments."""

    def minimum_minor(self, rules: Rules, standing: Standing | None) -> int:
        """The least acceptable amount now, in minor units."""
        ...

    def refuse(self, rules: Rules, standing: Standing | None, bidder: bytes, amount_minor: int) -> Refusal | None:
        """Why this amount is refused, or None where it is acceptable."""
        ...

    def sale(self, standing: Standing, reserve_minor: int | None) -> Standing | None:
        """Winner and price at the close, or None where the reserve is not met."""
        ...
