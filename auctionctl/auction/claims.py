"""Whether what a log claims the house to have said was allowed, given the auction so far (DESIGN.md section 6).

Rule: the house may say only what the state and the time bring about; everything else is a claim that does not hold. The
order of times is for the caller to see to.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, Protocol, assert_never

from auctionctl.auction.events import (
    Cancelled,
    Closed,
    Defaulted,
    Gap,
    HouseEvent,
    Left,
    OfferLapsed,
    Opened,
    Paused,
    Resumed,
    Reverted,
    Takeover,
    kind_of,
)
from auctionctl.auction.pauses import Pauses
from auctionctl.auction.phase import Phase, Stage
from auctionctl.auction.settlement import Settlement
from auctionctl.auction.terms import SECOND_NS, ReserveOpening, Terms, opens_commitment
from auctionctl.keys.encoding import is_name

MAX_GAP_GRACE_NS: Final = 5 * SECOND_NS
"""How far beyond its own entry's time a gap may reach: the time that bidders are given to reconnect."""

_FIRST: Final = MappingProxyType(
    {
        "opened": (
            "enough bidders have joined: it has to open first",
            "opened later than the joining that made it possible",
        ),
        "paused": ("bidders have left: it has to stand still first", "paused later than what made it necessary"),
        "resumed": (
            "there is nobody left to wait for: it has to go on first",
            "resumed later than what made it possible",
        ),
        "reverted": (
            "nobody else can buy it: it has to be reverted first",
            "reverted later than what made it necessary",
        ),
    }
)
"""Kind of an entry that has to come next → what is said of another one, and of its coming later."""


class AuctionState(Protocol):
    """What has to be known of an auction (:class:`auctionctl.auction.auction.Auction`) to judge a claim about it."""

    terms: Terms
    phase: Phase
    present: set[bytes]
    pauses: Pauses
    settlement: Settlement | None
    end_ns: int
    last_time_ns: int
    gap_floor_ns: int
    takeover: Takeover | None

    @property
    def whereabouts(self) -> Phase | Stage: ...
    @property
    def must_follow(self) -> HouseEvent | None: ...
    def allows(self, kind: str) -> bool: ...
    def takes_debtor(self, bidder: bytes) -> bool: ...
    def due(self, now_ns: int, reserve: ReserveOpening | None) -> HouseEvent | None: ...
    def closing(self, reserve: ReserveOpening | None) -> Closed: ...


def check_claim(auction: AuctionState, event: HouseEvent, time_ns: int) -> str | None:
    """Why the house may not claim ``event`` at ``time_ns``, or None (its caller sees to the order of times)."""
    kind = kind_of(event)
    if not auction.allows(kind):
        return f"{kind} is not allowed while {auction.whereabouts}"
    if (first := auction.must_follow) is not None:
        instead, late = _FIRST[kind_of(first)]
        if event != first:
            return instead
        return None if time_ns == auction.last_time_ns else late
    match event:
        case Opened():
            needed = auction.terms.rules.min_bidders
            return f"opened with {len(auction.present)} bidders, and the terms ask for {needed}"
        case Left(bidder):
            return _check_left(auction, bidder, time_ns)
        case Gap():
            return _check_gap(auction, event, time_ns)
        case Takeover():
            return _check_takeover(auction, event)
        case Cancelled():
            is_due = auction.phase is Phase.ANNOUNCED and auction.due(time_ns, None) == event
            return None if is_due else "cancelled without cause"
        case Paused():
            return "paused without cause: nobody has left for whom the terms would wait"
        case Resumed():
            return None if auction.due(time_ns, None) == event else "resumed without cause"
        case Closed():
            return _check_closed(auction, event, time_ns)
        case Defaulted() | OfferLapsed() | Reverted():
            assert auction.settlement is not None, "only its table allows them"
            return auction.settlement.check(event, time_ns)
        case _:
            assert_never(event)


def _check_left(auction: AuctionState, bidder: bytes, time_ns: int) -> str | None:
    if bidder not in auction.present:
        return "a bidder left that was not there"
    if auction.phase is Phase.PAUSED and time_ns >= auction.pauses.end_by_ns():
        return "the pause has reached its cap: it has to go on first"
    if auction.phase is Phase.CLOSED and not auction.takes_debtor(bidder):
        return "whether this bidder is there does not matter any more"
    return None


def _check_gap(auction: AuctionState, gap: Gap, time_ns: int) -> str | None:
    if not auction.gap_floor_ns <= gap.since_ns <= gap.until_ns:
        return "a gap reaches back over a sign of life or another gap, or ends before it begins"
    if gap.until_ns > time_ns + MAX_GAP_GRACE_NS:
        return "a gap reaches further ahead than bidders need to reconnect"
    return None


def _check_takeover(auction: AuctionState, takeover: Takeover) -> str | None:
    if not is_name(takeover.instance):
        return "this is no name of an instance"
    if auction.takeover is not None and takeover.epoch <= auction.takeover.epoch:
        return f"an instance of epoch {takeover.epoch} wrote where one of {auction.takeover.epoch} has taken over"
    return None


def _check_closed(auction: AuctionState, closed: Closed, time_ns: int) -> str | None:
    if time_ns < auction.end_ns:
        return f"closed {auction.end_ns - time_ns} ns before its end"
    reserve = auction.terms.rules.reserve
    if reserve is None:
        if closed.reserve is not None:
            return "a reserve was opened that the terms do not hold"
    elif closed.reserve is None or not opens_commitment(reserve, closed.reserve, auction.terms.rules.currency):
        return "the reserve was not opened to what the terms commit to"
    expected = auction.closing(closed.reserve)
    for name in ("end_reason", "winner", "price_minor", "bid_index"):
        if getattr(closed, name) != getattr(expected, name):
            return f"{name} of the close entry is not what the bids say"
    return None
