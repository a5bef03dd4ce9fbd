"""How an open auction looks from one bidder's place: the state of its log, put together for a strategy.

Its rule: a look costs the same however many bids, bidders and lots there are.
"""

from __future__ import annotations

from auctionctl.auction.auction import Auction
from auctionctl.auction.increments import increment_at
from auctionctl.bidding.experience import Experience
from auctionctl.bidding.strategy import AuctionView
from auctionctl.bidding.tape import BidTape


def look(auction: Auction, me: bytes, tape: BidTape, experience: Experience, round_trip_ns: int) -> AuctionView:
    """The open ``auction`` as the bidder with the signing key ``me`` sees it. ``tape`` holds its bids."""
    terms, standing = auction.terms, auction.standing
    rules = terms.rules
    price_minor = None if standing is None else standing.price_minor
    return AuctionView(
        auction=auction.id,
        title=terms.lot.title,
        currency=rules.currency,
        starting_price_minor=rules.starting_price_minor,
        price_minor=price_minor,
        minimum_minor=auction.minimum_minor,
        increment_minor=increment_at(
            rules.increment, rules.starting_price_minor if price_minor is None else price_minor
        ),
        is_leading=standing is not None and standing.leader == me,
        opened_at_ns=auction.opened_at_ns,
        end_ns=auction.end_ns,
        duration_ns=rules.duration_ns,
        active_bidders=len(auction.seqs) - (me in auction.seqs),
        bid_count=auction.bid_count,
        estimate_minor=terms.lot.estimate_minor,
        soft_close_window_ns=rules.soft_close_window_ns,
        max_end_ns=auction.max_end_ns,
        round_trip_ns=round_trip_ns,
        tape=tape,
        own_number=tape.number_of(me),
        closed_lots=experience.closed,
        lots_open=experience.lots_open,
        lots_to_come=experience.lots_to_come,
    )
