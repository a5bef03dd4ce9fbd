"""A recorded tape of bids through the rules: what would have happened under these terms.

Rule: nobody is asked anything. Each bid comes at its time and with its amount, whatever became of the ones before it;
of bids at the same time the earlier row comes first, as in a log. Whoever bids on the tape is there from the opening.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from auctionctl.auction.phase import EndReason
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.market.floor import Floor, MarketTerms, stand_in


@dataclass(frozen=True, slots=True)
class TapedBid:
    """One row: a bid of ``bidder`` (a name) at ``time_ns``. ``line`` is where it stands in its file."""

    line: int
    bidder: str
    amount_minor: int
    currency: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class JudgedBid:
    """A row, and what the rules say of it: nothing, or why they refuse it; and the price after it, if there is one."""

    bid: TapedBid
    refusal: Refusal | None
    price_minor: int | None


@dataclass(frozen=True, slots=True)
class ReplayedAuction:
    """What the rules made of one auction of a tape; ``opened_at_ns`` is None if too few bidders were on it to open."""

    name: str
    bids: tuple[JudgedBid, ...]
    end_reason: EndReason
    winner: str | None
    price_minor: int | None
    opened_at_ns: int | None
    ended_at_ns: int
    extensions: int

    @property
    def accepted(self) -> tuple[JudgedBid, ...]:
        """The bids that the rules took: the path of the price."""
        return tuple(judged for judged in self.bids if judged.refusal is None)

    @property
    def rejections(self) -> dict[Code, int]:
        """Code → how many bids the rules refused by it, in the order in which that happened first."""
        counts: dict[Code, int] = {}
        for judged in self.bids:
            if judged.refusal is not None:
                counts[judged.refusal.code] = counts.get(judged.refusal.code, 0) + 1
        return counts


def replay(name: str, tape: Sequence[TapedBid], terms: MarketTerms, opens_ns: int | None = None) -> ReplayedAuction:
    """Put ``tape``, at least one row, through the rules; it is judged by rising time.

    The auction opens at ``opens_ns``, or with the first bid; bids from before are refused. It does not open if fewer
    bidders are on the tape than the terms ask for.
    """
    ordered = sorted(tape, key=lambda bid: bid.time_ns)
    opens_ns = ordered[0].time_ns if opens_ns is None else opens_ns
    floor = Floor(hashlib.sha256(name.encode()).digest(), terms, opens_ns)
    auction = floor.auction
    names = {stand_in(bid.bidder): bid.bidder for bid in ordered}
    early = [bid for bid in ordered if bid.time_ns < opens_ns]
    judged = [_judge(floor, bid) for bid in early]
    for bidder in names:
        # More than the terms ask for come after the opening, at the same instant.
        floor.run_until(opens_ns)
        floor.admit(bidder, opens_ns)
    judged += [_judge(floor, bid) for bid in ordered[len(early) :]]
    while auction.outcome is None:
        timer_ns = auction.get_timer()
        assert timer_ns is not None, "what has not ended has a deadline"
        floor.run_until(timer_ns)
    end_reason, sale = auction.end_reason, auction.sale
    assert end_reason is not None
    return ReplayedAuction(
        name,
        tuple(judged),
        end_reason,
        None if sale is None else names[sale.leader],
        None if sale is None else sale.price_minor,
        auction.opened_at_ns if auction.end_ns else None,
        auction.ended_ns,
        auction.extensions,
    )


def _judge(floor: Floor, bid: TapedBid) -> JudgedBid:
    floor.run_until(bid.time_ns)
    auction, bidder = floor.auction, stand_in(bid.bidder)
    # On a tape nobody repeats itself: each bid counts as the next one of its bidder, and as one of this instant.
    signed = floor.bid_of(bidder, auction.seqs.get(bidder, 0) + 1, bid.amount_minor, bid.time_ns, bid.time_ns)
    refusal = floor.judge(replace(signed, currency=bid.currency), bid.time_ns)
    standing = auction.standing
    return JudgedBid(bid, refusal, None if standing is None else standing.price_minor)
