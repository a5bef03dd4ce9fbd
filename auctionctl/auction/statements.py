"""What a command states of itself, against what the terms ask for: until when it counts, and a bidder's reputation.

Rule: the log is all that is looked at. That a stated reputation is the present one stands in the house's registry: the
house takes no other (:mod:`auctionctl.house.auction_log`), and whoever has a copy of the registry compares.
"""

from __future__ import annotations

from auctionctl.auction.bid import Join
from auctionctl.auction.rejection import Code, Refusal


def refuse_times(not_after_ns: int, now_ns: int, ahead_ns: int) -> Refusal | None:
    """Why a command that counts until ``not_after_ns`` is refused at ``now_ns``; it may be ``ahead_ns`` ahead."""
    if not_after_ns < now_ns:
        return Refusal(Code.EXPIRED, (("not_after", not_after_ns), ("now", now_ns)))
    latest_ns = now_ns + ahead_ns
    if not_after_ns > latest_ns:
        return Refusal(Code.NOT_AFTER_TOO_FAR, (("not_after", not_after_ns), ("latest", latest_ns)))
    return None


def refuse_reputation(join: Join, needed_ppm: int, has_bid: bool) -> Refusal | None:
    """Why ``join`` is refused where the terms ask for ``needed_ppm``, or None; ``has_bid`` is of its bidder, here.

    Whoever has bid is let back in whatever it did elsewhere meanwhile: its bids bind it, and it may owe the price.
    """
    stated_ppm = join.reputation_ppm
    if not needed_ppm:
        return Refusal(Code.WRONG_REPUTATION, (("stated", stated_ppm), ("reputation", 0))) if stated_ppm else None
    if stated_ppm >= needed_ppm or has_bid:
        return None
    return Refusal(Code.LOW_REPUTATION, (("reputation", stated_ppm), ("needed", needed_ppm)))
