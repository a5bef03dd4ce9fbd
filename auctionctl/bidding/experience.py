"""What a bidder has lived through at one house: lots that were closed, and how many are open or still to come.

Its rule: it is told by verified logs alone, and knows only the auctions that this bidder follows. Bounded: of closed
lots the last MAX_CLOSED.
"""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from typing import Final

import msgspec

from auctionctl.auction.auction import Auction
from auctionctl.auction.phase import Phase

MAX_CLOSED: Final = 512
MAX_WORDS: Final = 32

_WORD: Final = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4_096)
def title_words(title: str) -> frozenset[str]:
    """The words of a lot's title by which it is compared with others: case-folded, MAX_WORDS at most."""
    return frozenset(_WORD.findall(title.casefold())[:MAX_WORDS])


class ClosedLot(msgspec.Struct, frozen=True):
    """A lot of which bidding is over. Amounts in minor units, ``ended_ns`` on the house's clock.

    ``price_minor`` is the last price, also where it did not reach the reserve (then ``is_sold`` is false); None if
    nobody bid. ``paid_minor`` is what we pay for it: 0 unless we won.
    """

    words: frozenset[str]
    currency: str
    starting_price_minor: int
    estimate_minor: int | None
    price_minor: int | None
    is_sold: bool
    bidders: int
    ended_ns: int
    paid_minor: int


class Experience:
    """Over all auctions of one bidder."""

    def __init__(self) -> None:
        self.closed: tuple[ClosedLot, ...] = ()
        """The lots that were closed, the newest last. Those that were cancelled are not among them."""
        self._kept: deque[ClosedLot] = deque(maxlen=MAX_CLOSED)
        self._open: set[bytes] = set()
        self._to_come: set[bytes] = set()

    @property
    def lots_open(self) -> int:
        """How many auctions are open, or paused."""
        return len(self._open)

    @property
    def lots_to_come(self) -> int:
        """How many are announced, and not open yet."""
        return len(self._to_come)

    def phase(self, auction: bytes, phase: Phase) -> None:
        """This auction is in this phase now."""
        self._to_come.discard(auction)
        self._open.discard(auction)
        if phase is Phase.ANNOUNCED:
            self._to_come.add(auction)
        elif phase is not Phase.CLOSED:
            self._open.add(auction)

    def leave(self, auction: bytes) -> None:
        """Nothing more is heard of this auction, or we cannot take part in it."""
        self.phase(auction, Phase.CLOSED)

    def close(self, auction: Auction, me: bytes) -> None:
        """Bidding in ``auction`` is over, by an entry ``closed``; ``me`` is our signing key."""
        self.phase(auction.id, Phase.CLOSED)
        rules, standing, sale = auction.terms.rules, auction.standing, auction.sale
        self.add(
            ClosedLot(
                title_words(auction.terms.lot.title),
                rules.currency,
                rules.starting_price_minor,
                auction.terms.lot.estimate_minor,
                None if standing is None else standing.price_minor,
                sale is not None,
                len(auction.seqs),
                auction.ended_ns,
                sale.price_minor if sale is not None and sale.leader == me else 0,
            )
        )

    def add(self, lot: ClosedLot) -> None:
        """One more closed lot."""
        self._kept.append(lot)
        self.closed = tuple(self._kept)
