"""One auction as plain values for people: a row of the board, of ``ls``, of the results.

Rule: every value is computed from a replayed log and the house's time, none is taken from what somebody says; texts of
others come out of :func:`safe_text`. Source: DESIGN.md sections 3 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from auctionctl.auction.auction import Auction
from auctionctl.auction.phase import EndReason, Phase, Stage
from auctionctl.auction.price import format_minor
from auctionctl.keys.signing import Identity
from auctionctl.views.peer_text import safe_text

SECOND_NS: Final = 1_000_000_000

END_WORDS: Final = {
    EndReason.COMPLETED: "sold",
    EndReason.RESERVE_NOT_MET: "reserve not met",
    EndReason.NO_BIDS: "no bids",
    EndReason.CANCELLED: "cancelled",
    EndReason.REVERTED: "reverted",
}
"""Why it ended, for people."""

STAGE_WORDS: Final = {
    Stage.PENDING_PAYMENT: "to be paid",
    Stage.PAID: "payment reported",
    Stage.DEFAULTED: "not paid for",
    Stage.OFFERED: "offered to the next bidder",
    Stage.SETTLED: "settled",
    Stage.REVERTED: "undone",
}
"""How far the settlement of a sale has come, for people."""

Names = Mapping[bytes, str]
"""Signing key → what its holder is called here."""


class Trend(NamedTuple):
    """How an auction goes: the bids of the last minute, and the price (minor units) from its opening until now.

    None stands for a time before the first bid.
    """

    bids_a_minute: int
    prices: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class AuctionRow:
    """What there is to say about one auction. ``left_s``: whole seconds, rounded up, or None unless a deadline runs."""

    auction: bytes
    title: str
    phase: Phase
    price: str
    leader: str
    bid_count: int
    bidder_count: int
    min_bidders: int
    left_s: int | None
    extensions: int
    end_reason: EndReason | None
    is_current: bool
    stage: Stage | None = None
    price_minor: int = 0
    """The price as a number, to sort by; 0 where there is none."""
    trend: Trend | None = None
    """Of whoever has followed the auction, and is there to see it."""

    @property
    def short_id(self) -> str:
        """The first digits of the auction's id."""
        return self.auction.hex()[:12]

    @property
    def result(self) -> str:
        """How it ended, in a few words; empty while it has not."""
        if self.end_reason is None:
            return ""
        if self.end_reason is not EndReason.COMPLETED:
            return END_WORDS[self.end_reason]
        match self.stage:
            case Stage.DEFAULTED:
                return f"not paid for by {self.leader}"
            case Stage.OFFERED:
                return f"offered to {self.leader} at {self.price}"
            case stage:
                followed_up = "" if stage is None else f", {STAGE_WORDS[stage]}"
                return f"{END_WORDS[EndReason.COMPLETED]} to {self.leader} at {self.price}{followed_up}"

    @property
    def left(self) -> str:
        """The time left: ``4:59``, ``1:02:03`` or ``3 d 4:05:06``; 0:00 is the end."""
        return "" if self.left_s is None else clock_text(self.left_s)


def clock_text(left_s: int) -> str:
    """Seconds (≥ 0) as minutes and seconds, with hours and days where there are any."""
    minutes, seconds = divmod(left_s, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if not (hours or days):
        return f"{minutes}:{seconds:02}"
    clock = f"{hours}:{minutes:02}:{seconds:02}"
    return f"{days} d {clock}" if days else clock


def name_of(key: bytes, names: Names) -> str:
    """What the holder of a signing key (32 bytes) is called here, or the short form of the key."""
    known = names.get(key)
    # The short form shows the first 60 bits, all of them of the signing key: the other half need not be known.
    return safe_text(known, 32) if known else Identity(key, bytes(32)).short


def row_of(auction: Auction, now_ns: int, names: Names, *, is_current: bool) -> AuctionRow:
    """The row of ``auction`` at ``now_ns`` on the house's clock. ``is_current``: nothing that was signed is missing."""
    terms = auction.terms
    timer_ns = auction.get_timer()
    price_minor, leader = _price_and_leader(auction)
    return AuctionRow(
        auction=auction.id,
        title=safe_text(terms.lot.title),
        phase=auction.phase,
        price="" if price_minor is None else format_minor(price_minor, terms.rules.currency),
        leader="" if leader is None else name_of(leader, names),
        bid_count=auction.bid_count,
        bidder_count=len(auction.present),
        min_bidders=terms.rules.min_bidders,
        left_s=None if timer_ns is None else max(0, -((now_ns - timer_ns) // SECOND_NS)),
        extensions=auction.extensions,
        end_reason=auction.end_reason,
        is_current=is_current,
        stage=None if auction.settlement is None else auction.settlement.stage,
        price_minor=price_minor or 0,
    )


def _price_and_leader(auction: Auction) -> tuple[int | None, bytes | None]:
    """Of whoever buys it, or could now, once that is known; else of the best bid."""
    settlement = auction.settlement
    if settlement is not None and settlement.stage is Stage.OFFERED and settlement.next_bidder is not None:
        bidder, bid = settlement.next_bidder
        return bid.amount_minor, bidder
    if settlement is not None and settlement.stage is Stage.DEFAULTED:
        return settlement.price_minor, settlement.debtor
    best = auction.sale or auction.standing
    return (None, None) if best is None else (best.price_minor, best.leader)
