"""What one auction may tie up at most, whatever the budget: by patterns over listings.

Rule: of several caps that fit, the least holds, so that none can be undone by another; one in another currency than
the auction's fits nothing. A pattern is a shell's: ``*``, ``?`` and ``[…]``, upper and lower case told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from auctionctl.auction.price import Money
from auctionctl.auction.terms import Terms

CapOf = Callable[[Terms], int | None]
"""Terms → the most that this auction may tie up, in minor units of its currency, or None."""


class Cap(NamedTuple):
    """No auction whose listing fits ``pattern`` ties up more than ``money``."""

    pattern: str
    money: Money


def cap_of(caps: Iterable[Cap]) -> CapOf:
    """What ``caps`` say of an auction, all of them together."""
    known = tuple(caps)

    def find(terms: Terms) -> int | None:
        fitting = (
            cap.money.minor
            for cap in known
            if cap.money.currency == terms.rules.currency and fnmatchcase(terms.listing, cap.pattern)
        )
        return min(fitting, default=None)

    return find


no_cap: CapOf = cap_of(())
"""Nothing but the budget bounds an auction."""
