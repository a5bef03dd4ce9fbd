"""How an auction stands, until when, and what may be commanded about it now: in words for people.

Rule: all of it is computed from a replayed log; who may do a thing is named, so that nobody has to look up the rules.
"""

from __future__ import annotations

from typing import Final, assert_never

from auctionctl.auction.auction import Auction
from auctionctl.auction.phase import Phase, Stage
from auctionctl.auction.price import format_minor
from auctionctl.auction.settlement import Settlement
from auctionctl.cli.records import MILLISECOND_NS, clock_time
from auctionctl.cli.settings.durations import format_duration
from auctionctl.views.auction_row import END_WORDS, STAGE_WORDS, Names, name_of
from auctionctl.views.peer_text import safe_text

OPERATOR: Final = "an operator"
SELLER: Final = "the seller"


def where_words(auction: Auction, names: Names) -> str:
    """The phase, or how far the settlement has come, and until when at most."""
    words, timer_ns = _standing_words(auction, names), auction.get_timer()
    return words if timer_ns is None else f"{words}, until {clock_time(timer_ns)}{_slack(auction)}"


def _standing_words(auction: Auction, names: Names) -> str:
    match auction.phase:
        case Phase.ANNOUNCED | Phase.OPEN:
            return auction.phase.value
        case Phase.PAUSED:
            return "paused by its terms" if auction.pauses.is_by_terms else "paused by an operator"
        case Phase.CLOSED if auction.settlement is not None:
            return stage_words(auction.settlement, auction.terms.rules.currency, names)
        case Phase.CLOSED:
            return "closed" if auction.end_reason is None else f"closed: {END_WORDS[auction.end_reason]}"
        case _:
            assert_never(auction.phase)


def _slack(auction: Auction) -> str:
    """What is due then may come earlier in a pause, which ends with its cause, and later where bids move the end."""
    return " at most" if auction.phase is Phase.PAUSED else ""


def stage_words(settlement: Settlement, currency: str, names: Names) -> str:
    """How far the settlement has come, and whose turn it is."""
    match settlement.stage:
        case Stage.PENDING_PAYMENT:
            return f"{STAGE_WORDS[settlement.stage]} by {name_of(settlement.debtor, names)}"
        case Stage.OFFERED if settlement.next_bidder is not None:
            bidder, bid = settlement.next_bidder
            return f"offered to {name_of(bidder, names)} at {format_minor(bid.amount_minor, currency)}"
        case Stage.DEFAULTED if settlement.next_bidder is not None:
            bidder, bid = settlement.next_bidder
            offer = f"{name_of(bidder, names)} at {format_minor(bid.amount_minor, currency)}"
            return f"{STAGE_WORDS[settlement.stage]}; the seller may offer it to {offer}"
        case _:
            return STAGE_WORDS[settlement.stage]


def settlement_facts(auction: Auction, names: Names) -> list[tuple[str, str]]:
    """How far the sale has come and what was paid for it; nothing where there is no sale to be followed up."""
    settlement = auction.settlement
    if settlement is None:
        return []
    facts = [("sale", where_words(auction, names))]
    if settlement.payment:
        is_rejected = settlement.stage not in (Stage.PAID, Stage.SETTLED)
        facts.append(("payment", safe_text(settlement.reference) + (", rejected" if is_rejected else "")))
    return facts


def paused_words(auction: Auction) -> str:
    """How often and how long an auction has stood still, before now if it does so now."""
    count = auction.pauses.count - (auction.phase is Phase.PAUSED)
    if not count:
        return "never" if auction.phase is not Phase.PAUSED else "never before"
    times = "once" if count == 1 else f"{count} times"
    spent_ns = auction.pauses.spent_ns
    return f"{times}, {format_duration(spent_ns - spent_ns % MILLISECOND_NS)} in all"


def possible_words(auction: Auction, names: Names) -> str:
    """What the rules could take now, and from whom; where that is nothing, why."""
    who_may: dict[str, list[str]] = {}
    if auction.phase is Phase.OPEN:
        who_may["a bidder"] = ["bid"]
    for name in auction.possible_commands:
        who_may.setdefault(_who_may(name, auction, names), []).append(name.replace("_", "-"))
    possible = ", ".join(f"{', '.join(commands)} ({who})" for who, commands in who_may.items())
    return possible or f"nothing: {_why_nothing(auction)}"


def _who_may(name: str, auction: Auction, names: Names) -> str:
    settlement = auction.settlement
    match name:
        case "pause" | "resume" | "cancel":
            return OPERATOR
        case "settle" | "reject_payment":
            return f"{SELLER} or {OPERATOR}"
        case "offer":
            return SELLER
        case "pay" if settlement is not None:
            return name_of(settlement.debtor, names)
        case _ if settlement is not None and settlement.offered_to is not None:
            return name_of(settlement.offered_to, names)
        case _:
            return "a bidder"


def _why_nothing(auction: Auction) -> str:
    """Of an auction about which nothing may be commanded."""
    if auction.phase is not Phase.CLOSED:
        return "it goes on by itself"
    if auction.sale is not None and auction.settlement is None:
        return "its terms leave the payment to winner and seller"
    if auction.settlement is not None and auction.settlement.stage is Stage.SETTLED:
        return "the sale is settled"
    return "it was not sold"
