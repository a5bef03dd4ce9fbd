"""Why the rules refuse a command: a code, the rule in words, and what was observed (DESIGN.md section 2).

A rejection is a value, not an error. Each can be replayed from the log at the size at which it was judged.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Final, NamedTuple


class Code(enum.StrEnum):
    """Stable names of the rules that can refuse a command."""

    WRONG_HOUSE = "wrong_house"
    NOT_OPEN = "not_open"
    CLOSED = "closed"
    OWN_AUCTION = "own_auction"
    NOT_JOINED = "not_joined"
    ALREADY_JOINED = "already_joined"
    JOIN_REPEATED = "join_repeated"
    WRONG_CURRENCY = "wrong_currency"
    EXPIRED = "expired"
    NOT_AFTER_TOO_FAR = "not_after_too_far"
    STALE = "stale"
    SEQUENCE_CONFLICT = "sequence_conflict"
    ALREADY_LEADING = "already_leading"
    BELOW_STARTING_PRICE = "below_starting_price"
    BELOW_INCREMENT = "below_increment"


RULES: Final = MappingProxyType(
    {
        Code.WRONG_HOUSE: "a command names the house that judges it",
        Code.NOT_OPEN: "bids are taken once enough bidders have joined",
        Code.CLOSED: "nothing is taken after the close",
        Code.OWN_AUCTION: "a seller does not bid in its own auction",
        Code.NOT_JOINED: "a bidder joins before it bids",
        Code.ALREADY_JOINED: "a bidder joins once, until it has left",
        Code.JOIN_REPEATED: "each joining is a new one, under a nonce of its own",
        Code.WRONG_CURRENCY: "bids are in the currency of the terms",
        Code.EXPIRED: "a command is accepted until its not_after",
        Code.NOT_AFTER_TOO_FAR: "not_after is at most bid_timeout ahead",
        Code.STALE: "seq exceeds that of the bidder's last accepted bid",
        Code.SEQUENCE_CONFLICT: "one seq stands for one bid",
        Code.ALREADY_LEADING: "the leader does not outbid itself",
        Code.BELOW_STARTING_PRICE: "the first bid is at least the starting price",
        Code.BELOW_INCREMENT: "a bid is at least price + increment(price)",
    }
)
"""Code → the rule in words."""


class Refusal(NamedTuple):
    """A command refused: ``observed`` holds the values that the rule compared, by name."""

    code: Code
    observed: tuple[tuple[str, int], ...] = ()

    @property
    def rule(self) -> str:
        """The rule in words."""
        return RULES[self.code]
