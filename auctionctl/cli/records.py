"""Auctions and entries as JSON objects, and entries as short lines of words: one place for what programs rely on.

Rule: amounts are ``{"minor", "currency"}``, times nanoseconds since the Unix epoch, keys and ids lower-case hex. Fields
are added, never changed.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, assert_never

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join, decode_bid
from auctionctl.auction.commands import (
    Accept,
    Cancel,
    Decline,
    Offer,
    Pause,
    Pay,
    RejectPayment,
    Resume,
    Settle,
)
from auctionctl.auction.events import (
    Cancelled,
    Closed,
    DefaultCause,
    Defaulted,
    Gap,
    Left,
    OfferLapsed,
    Opened,
    PauseCause,
    Paused,
    Resumed,
    Reverted,
    Takeover,
)
from auctionctl.auction.price import format_minor
from auctionctl.auction.settlement import Settlement
from auctionctl.auction.terms import SECOND_NS, Terms
from auctionctl.cli.settings.durations import format_duration
from auctionctl.replica.replay import Applied, Fact
from auctionctl.tlog.entry import Kind, decode
from auctionctl.views.auction_row import Names, name_of
from auctionctl.views.peer_text import safe_text

MILLISECOND_NS: Final = 1_000_000


def amount(minor: int | None, currency: str) -> dict[str, object] | None:
    """An amount of money, or None."""
    return None if minor is None else {"minor": minor, "currency": currency}


def auction_record(auction: Auction) -> dict[str, object]:
    """The state of one auction, replayed. ``winner`` and ``price`` are of the sale, null without one."""
    currency = auction.terms.rules.currency
    outcome = auction.outcome
    sale, standing = auction.sale, auction.standing
    return {
        "id": auction.id.hex(),
        "listing": auction.terms.listing,
        "item": auction.terms.lot.title,
        "phase": auction.phase.value,
        "end_reason": None if auction.end_reason is None else auction.end_reason.value,
        "winner": None if sale is None else sale.leader.hex(),
        "price": None if sale is None else amount(sale.price_minor, currency),
        "standing": None if standing is None else amount(standing.price_minor, currency),
        "leader": None if standing is None else standing.leader.hex(),
        "minimum": amount(auction.minimum_minor if outcome is None else None, currency),
        "bids": auction.bid_count,
        "bidders": len(auction.present),
        "min_bidders": auction.terms.rules.min_bidders,
        "deadline_ns": auction.get_timer(),
        "pauses": {"count": auction.pauses.count, "paused_ns": auction.pauses.spent_ns},
        "settlement": None if auction.settlement is None else settlement_record(auction.settlement, currency),
        "extensions": auction.extensions,
        "log_size": auction.size,
    }


def settlement_record(settlement: Settlement, currency: str) -> dict[str, object]:
    """How far a sale has come: who owes what until when, what was paid, to whom it is offered and at what."""
    offered = settlement.next_bidder if settlement.offered_to is not None else None
    return {
        "stage": settlement.stage.value,
        "debtor": settlement.debtor.hex(),
        "price": amount(settlement.price_minor, currency),
        "bid_index": settlement.bid_index,
        "due_ns": settlement.due_ns,
        "payment": settlement.payment.hex() or None,
        "reference": settlement.reference,
        "offered_to": None if offered is None else offered[0].hex(),
        "offered_price": None if offered is None else amount(offered[1].amount_minor, currency),
    }


def entry_record(auction: Auction, applied: Applied) -> dict[str, object]:
    """One entry of the log of ``auction``."""
    return {
        "auction": auction.id.hex(),
        "index": applied.entry_index,
        "kind": applied.entry.kind.value,
        "time_ns": applied.entry.time_ns,
        **fact_record(applied.fact, auction.terms.rules.currency),
    }


def raw_entry_record(auction: Auction, applied: Applied) -> dict[str, object]:
    """:func:`entry_record` with the entry's ``body`` and ``signature``: with time and kind, all that the log hashes."""
    raw = {"body": applied.entry.body.hex(), "signature": applied.entry.signature.hex()}
    return entry_record(auction, applied) | raw


class PlacedBid(NamedTuple):
    """A bid in the log: its index, the time of its entry, and what was bid."""

    entry_index: int
    time_ns: int
    bid: Bid


def newest_bids(entries: Sequence[bytes], limit: int | None) -> list[PlacedBid]:
    """At most ``limit`` bids of a replayed log (its entries, canonical bytes), the last one first."""
    found: list[PlacedBid] = []
    for index in range(len(entries) - 1, -1, -1):
        if limit is not None and len(found) >= limit:
            break
        entry = decode(entries[index])
        if entry.kind is Kind.BID:
            found.append(PlacedBid(index, entry.time_ns, decode_bid(entry.body)))
    return found


def bid_record(placed: PlacedBid) -> dict[str, object]:
    """One rung of the ladder."""
    bid = placed.bid
    return {
        "index": placed.entry_index,
        "time_ns": placed.time_ns,
        "bidder": bid.bidder.hex(),
        "seq": bid.seq,
        "amount": amount(bid.amount_minor, bid.currency),
    }


def fact_record(fact: Fact, currency: str) -> dict[str, object]:
    """What an entry, or a command that may become one, says; ``currency`` is that of the terms."""
    match fact:
        case Terms():
            return {"listing": fact.listing, "item": fact.lot.title, "seller": fact.seller.hex()}
        case Join(bidder=bidder) | Left(bidder=bidder):
            return {"bidder": bidder.hex()}
        case Bid():
            return {"bidder": fact.bidder.hex(), "seq": fact.seq, "amount": amount(fact.amount_minor, fact.currency)}
        case Opened():
            return {}
        case Gap():
            return {"since_ns": fact.since_ns, "until_ns": fact.until_ns, "cause": fact.cause.value}
        case Takeover():
            return {"instance": fact.instance, "epoch": fact.epoch}
        case Cancelled():
            return {"reason": fact.reason}
        case Closed():
            winner = None if fact.winner is None else fact.winner.hex()
            return {"end_reason": fact.end_reason, "winner": winner, "price": amount(fact.price_minor, currency)}
        case Paused() | Resumed():
            return {"cause": fact.cause.value}
        case Defaulted():
            return {"bidder": fact.bidder.hex(), "cause": fact.cause.value}
        case OfferLapsed():
            return {"offer": fact.offer.hex()}
        case Reverted():
            return {}
        case Pause() | Resume() | Cancel():
            return {"operator": fact.actor.hex(), "reason": fact.reason}
        case Pay():
            paid = amount(fact.amount_minor, fact.currency)
            return {"bidder": fact.actor.hex(), "amount": paid, "reference": fact.reference}
        case Settle():
            return {"by": fact.actor.hex(), "capacity": fact.capacity.value, "payment": fact.payment.hex()}
        case RejectPayment():
            about = {"payment": fact.payment.hex(), "reason": fact.reason}
            return {"by": fact.actor.hex(), "capacity": fact.capacity.value, **about}
        case Offer():
            offered = amount(fact.amount_minor, fact.currency)
            return {"bidder": fact.bidder.hex(), "amount": offered, "bid_index": fact.bid_index}
        case Accept() | Decline():
            return {"bidder": fact.actor.hex(), "offer": fact.offer.hex()}
        case _:
            assert_never(fact)


def entry_words(auction: Auction, applied: Applied, names: Names) -> list[str]:
    """The fields of one line about an entry: time (UTC), auction, listing, index, kind, who, and what."""
    who, what = fact_words(applied.fact, auction.terms.rules.currency, names)
    time = clock_time(applied.entry.time_ns)
    index = str(applied.entry_index)
    return [time, auction.id.hex()[:12], auction.terms.listing, index, applied.entry.kind.value, who, what]


_OBSERVED_MONEY: Final = frozenset({"amount", "minimum", "price", "available"})
_OBSERVED_TIMES: Final = frozenset({"not_after", "now", "latest", "until", "due"})
_DURATION_END: Final = "_ns"


def observed_words(observed: Mapping[str, int], currency: str) -> str:
    """The values that a rule compared, by name, for people; one that is not known is a number."""

    def word(name: str, value: int) -> str:
        if name in _OBSERVED_MONEY:
            return format_minor(value, currency)
        if name.endswith(_DURATION_END):
            return format_duration(value - value % MILLISECOND_NS)
        return clock_time(value) if name in _OBSERVED_TIMES else str(value)

    return ", ".join(f"{name.removesuffix(_DURATION_END)} {word(name, value)}" for name, value in observed.items())


def clock_time(time_ns: int) -> str:
    """``time_ns`` in UTC to the millisecond, as ``2026-01-31T12:00:00.000Z``; far beyond our time, the number."""
    try:
        time = datetime.datetime.fromtimestamp(time_ns // SECOND_NS, datetime.UTC)
    except (OverflowError, ValueError):
        return f"{time_ns} ns"
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time_ns % SECOND_NS // 1_000_000:03}Z"


_RESUMED_WORDS: Final = {
    PauseCause.TERMS: "by its terms: nobody is waited for any more",
    PauseCause.CAP: "by itself: it has stood still for as long as its terms allow",
}
_DEFAULT_WORDS: Final = {DefaultCause.LATE: "late", DefaultCause.ABSENT: "gone for too long"}


def fact_words(fact: Fact, currency: str, names: Names) -> tuple[str, str]:
    """Who, and what, in a few words."""
    match fact:
        case Terms():
            return name_of(fact.seller, names), safe_text(fact.lot.title)
        case Join(bidder=bidder) | Left(bidder=bidder):
            return name_of(bidder, names), ""
        case Bid():
            return name_of(fact.bidder, names), format_minor(fact.amount_minor, fact.currency)
        case Opened():
            return "", ""
        case Gap():
            return "", f"{fact.cause.value}: {(fact.until_ns - fact.since_ns) // 1_000_000} ms"
        case Takeover():
            return "", f"instance {fact.instance} goes on with it"
        case Cancelled():
            return "", _shown(fact.reason)
        case Closed():
            price = "" if fact.price_minor is None else " " + format_minor(fact.price_minor, currency)
            return "" if fact.winner is None else name_of(fact.winner, names), f"{fact.end_reason}{price}"
        case Paused():
            return "", "by its terms: a bidder has left"
        case Resumed():
            return "", _RESUMED_WORDS[fact.cause]
        case Defaulted():
            return name_of(fact.bidder, names), _DEFAULT_WORDS[fact.cause]
        case OfferLapsed():
            return "", "not answered in time"
        case Reverted():
            return "", "nobody has bought it"
        case Pause() | Resume() | Cancel() | RejectPayment():
            return name_of(fact.actor, names), _shown(fact.reason)
        case Pay():
            paid = format_minor(fact.amount_minor, fact.currency)
            return name_of(fact.actor, names), f"{paid} {_shown(fact.reference)}".rstrip()
        case Settle():
            return name_of(fact.actor, names), f"as {fact.capacity.value}"
        case Offer():
            return name_of(fact.bidder, names), format_minor(fact.amount_minor, fact.currency)
        case Accept() | Decline():
            return name_of(fact.actor, names), ""
        case _:
            assert_never(fact)


def _shown(words: str) -> str:
    """Words of a peer, made safe; where there are none, nothing."""
    return safe_text(words) if words else ""
