"""What a house takes on at once, in all and of each seller.

Rule: a seller can fill only its own share, whichever of its keys it uses. The auctions that it has opened within the
last hour are counted in the registry, so that a restart forgets none of them; the house itself is bound by the limit of
all alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from auctionctl.auction.phase import Stage
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import TermsError

if TYPE_CHECKING:
    # A gateway knows limits, and nothing of logs.
    from auctionctl.auction.auction import Auction
    from auctionctl.house.auction_log import AuctionLog
    from auctionctl.replica.registry import Announced, Registry

HOUR_NS: Final = 3_600 * SECOND_NS
MINUTE_NS: Final = 60 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Limits:
    """Auctions that have not ended, in all and of a seller; a seller's openings within an hour; waiting requests; what
    one identity, and all of them, may send a second; how many bids of one bidder one auction takes; what of that
    strangers may, of which each has less, and all together have no more than a part; how much one identity may read a
    second; how many logs one session may follow."""

    max_concurrent_auctions: int = 10
    queue: int = 1_000
    max_auctions_a_seller: int = 5
    max_openings_an_hour: int = 60
    bids_per_s: int = 20
    bids_burst: int = 40
    all_bids_per_s: int = 2_000
    max_bids_an_auction: int = 10_000
    stranger_bids_per_s: int = 2
    stranger_bids_burst: int = 5
    all_stranger_bids_per_s: int = 200
    stranger_questions_per_s: int = 16
    read_bytes_per_s: int = 8 << 20
    read_bytes_burst: int = 64 << 20
    """A log of some 200,000 bids."""
    max_subscriptions: int = 2_048
    """With as many in each of 256 connections a gateway is at some 100 MB of its memory."""

    def of_their_own(self, own: Mapping[bytes, Mapping[str, int]]) -> dict[bytes, Limits]:
        """Identity → these, but for those that it has of its ``own``, by their names."""
        return {identity: replace(self, **its) for identity, its in own.items()}


def check_announced(announced: Announced, registry: Registry, live_count: int, limits: Limits, now_ns: int) -> None:
    """Raises TermsError if this auction cannot be announced now, beside ``live_count`` that have not ended."""
    if (reason := registry.check(announced, now_ns)) is not None:
        is_taken = registry.find_listing(announced.seller, announced.listing) is not None
        raise TermsError(reason, hint="choose another listing name" if is_taken else "")
    if live_count >= limits.max_concurrent_auctions:
        raise TermsError(
            f"this house holds {live_count} auctions, and its limit is {limits.max_concurrent_auctions}",
            hint="raise max_concurrent_auctions in [house], or wait for one to end",
        )


def check_share(seller: bytes, registry: Registry, logs: Iterable[AuctionLog], limits: Limits, now_ns: int) -> None:
    """Raises TermsError if ``seller`` (signing key) may not open another auction now, saying when it may."""
    if seller == registry.house:
        return
    its_keys = frozenset(registry.successions.keys_of(seller))
    first_ns, openings = now_ns, 0
    for announced in reversed(registry.auctions.values()):
        if announced.time_ns <= now_ns - HOUR_NS:
            break
        if announced.seller in its_keys:
            first_ns, openings = announced.time_ns, openings + 1
    if openings >= limits.max_openings_an_hour:
        minutes = -(-(first_ns + HOUR_NS - now_ns) // MINUTE_NS)
        raise TermsError(
            f"you have opened {openings} auctions within an hour, and this house's limit is"
            f" {limits.max_openings_an_hour}",
            hint=f"the next one can be opened in {minutes} min",
        )
    going_on = (log.auction for log in logs if not log.is_halted)
    live = sum(_is_under_way(auction) and auction.terms.seller in its_keys for auction in going_on)
    if live >= limits.max_auctions_a_seller:
        raise TermsError(
            f"{live} auctions of yours have not ended, and this house's limit for one seller is"
            f" {limits.max_auctions_a_seller}",
            hint="wait until one has ended, or settle a sale that is paid for",
        )


def _is_under_way(auction: Auction) -> bool:
    """Whether it takes one of its seller's places: until bidding has ended, and while a sale is paid for and not
    settled, for which there is no deadline but the seller's word. Others end by themselves."""
    settlement = auction.settlement
    return auction.outcome is None or (settlement is not None and settlement.stage is Stage.PAID)
