"""The terms of one auction, for programs and for people: everything that its seller signed.

Rule: as in :mod:`auctionctl.cli.records`; durations are shown as they are written in AUCTIONS.toml.
"""

from __future__ import annotations

from typing import Final, assert_never

from auctionctl.auction.auction import Auction
from auctionctl.auction.events import Closed
from auctionctl.auction.increments import Fixed, Increment, Percent, Table
from auctionctl.auction.price import format_minor
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import ReserveOpening, Terms
from auctionctl.cli.records import amount
from auctionctl.cli.settings.durations import format_duration
from auctionctl.cli.settings.shares import format_share
from auctionctl.views.auction_row import Names, name_of


def terms_record(terms: Terms) -> dict[str, object]:
    """All of the terms; ``increment`` has exactly one of ``fixed``, ``basis_points`` and ``table``."""
    rules, lot, currency = terms.rules, terms.lot, terms.rules.currency
    return {
        "house": terms.house.hex(),
        "seller": terms.seller.hex(),
        "nonce": terms.nonce.hex(),
        "description": lot.description,
        "estimate": amount(lot.estimate_minor, currency),
        "format": rules.format,
        "currency": currency,
        "starting_price": amount(rules.starting_price_minor, currency),
        "increment": _increment_record(rules.increment, currency),
        "duration_ns": rules.duration_ns,
        "start_timeout_ns": rules.start_timeout_ns,
        "min_bidders": rules.min_bidders,
        "bid_timeout_ns": rules.bid_timeout_ns,
        "soft_close_ns": rules.soft_close_window_ns,
        "max_extension_ns": rules.max_extension_ns,
        "reserve_commitment": None if rules.reserve is None else rules.reserve.commitment.hex(),
        "on_disconnect": rules.pauses.disconnection.value,
        "max_pauses": rules.pauses.max_pauses,
        "max_pause_ns": rules.pauses.max_pause_ns,
        "max_pauses_a_bidder": rules.pauses.max_pauses_a_bidder,
        "max_pause_a_bidder_ns": rules.pauses.max_pause_a_bidder_ns,
        "payment_timeout_ns": rules.payment.payment_ns,
        "payment_absence_ns": rules.payment.absence_ns,
        "on_default": rules.payment.on_default.value,
        "offer_timeout_ns": rules.payment.offer_ns,
        "cancellation": rules.cancellation.value,
        "min_reputation_ppm": rules.min_reputation_ppm,
    }


def terms_facts(auction: Auction, names: Names) -> list[tuple[str, str]]:
    """Name and value of everything in the terms that a bidder wants to know."""
    terms = auction.terms
    rules, lot, currency = terms.rules, terms.lot, terms.rules.currency
    bidders = "1 bidder has" if rules.min_bidders == 1 else f"{rules.min_bidders} bidders have"
    soft_close = "none"
    if rules.soft_close_window_ns:
        window, longest = format_duration(rules.soft_close_window_ns), format_duration(rules.max_extension_ns)
        soft_close = f"a bid in the last {window} moves the end to {window} after it, by at most {longest} in all"
    return [
        ("item", lot.title),
        ("description", lot.description or "none"),
        ("auction", auction.id.hex()),
        ("listing", terms.listing),
        ("seller", name_of(terms.seller, names)),
        ("format", rules.format),
        ("starting price", format_minor(rules.starting_price_minor, currency)),
        ("estimate", "none" if lot.estimate_minor is None else format_minor(lot.estimate_minor, currency)),
        ("increment", increment_words(rules.increment, currency)),
        ("reserve", _reserve_words(auction)),
        ("duration", format_duration(rules.duration_ns)),
        ("opens", f"once {bidders} joined, within {format_duration(rules.start_timeout_ns)}"),
        ("bid timeout", format_duration(rules.bid_timeout_ns)),
        ("soft close", soft_close),
        ("pauses", _pauses_words(rules.pauses)),
        ("payment", _payment_words(rules.payment)),
        ("cancellation", _CANCELLATION_WORDS[rules.cancellation]),
        ("reputation", _reputation_words(rules.min_reputation_ppm)),
    ]


_CANCELLATION_WORDS: Final = {
    Cancellation.BEFORE_FIRST_BID: "by an operator, before the first bid",
    Cancellation.BEFORE_CLOSE: "by an operator, before the close",
}


def _reputation_words(needed_ppm: int) -> str:
    return f"{format_share(needed_ppm)} at least to join; a stranger has 50%" if needed_ppm else "none is asked for"


def _pauses_words(rules: PauseRules) -> str:
    """When it stands still for those who have left, and how often and how long at most."""
    if not rules.max_pauses or not rules.max_pause_ns:
        return "none"
    caps = f"at most {rules.max_pauses} times and {format_duration(rules.max_pause_ns)} in all"
    each = f"{rules.max_pauses_a_bidder} times and {format_duration(rules.max_pause_a_bidder_ns)} for one bidder"
    match rules.disconnection:
        case Disconnection.CONTINUE:
            return f"by operators alone, {caps}"
        case Disconnection.PAUSE_BELOW_MIN_BIDDERS:
            return f"while fewer bidders are there than it took to open, or by operators; {caps}, {each}"
        case Disconnection.PAUSE:
            return f"while a bidder who has left is waited for, or by operators; {caps}, {each}"
        case _:
            assert_never(rules.disconnection)


def _payment_words(rules: PaymentRules) -> str:
    """How long the winner has, and what happens then."""
    if not rules.payment_ns:
        return "not followed up: the log ends with the close"
    absence = f", or has been away for {format_duration(rules.absence_ns)}" if rules.absence_ns else ""
    words = f"within {format_duration(rules.payment_ns)}; if it is late{absence}, "
    if rules.on_default is OnDefault.REVERT:
        return f"{words}the sale is reverted"
    return f"{words}the seller has {format_duration(rules.offer_ns)} to offer it to the next bidder"


def increment_words(increment: Increment, currency: str) -> str:
    """The least step from one price to the next, in words."""
    match increment:
        case Fixed(minor):
            return format_minor(minor, currency)
        case Percent(basis_points):
            whole, hundredths = divmod(basis_points, 100)
            return f"{whole}.{hundredths:02}".rstrip("0").rstrip(".") + "% of the price"
        case Table(rows):
            steps = [f"{format_minor(step, currency)} from {format_minor(bound, currency)}" for bound, step in rows]
            return ", ".join(steps)
        case _:
            assert_never(increment)


def _increment_record(increment: Increment, currency: str) -> dict[str, object]:
    match increment:
        case Fixed(minor):
            return {"fixed": amount(minor, currency)}
        case Percent(basis_points):
            return {"basis_points": basis_points}
        case Table(rows):
            return {
                "table": [{"from": amount(bound, currency), "step": amount(step, currency)} for bound, step in rows]
            }
        case _:
            assert_never(increment)


def opened_reserve(auction: Auction) -> ReserveOpening | None:
    """The reserve, once the close has opened it."""
    return auction.outcome.reserve if isinstance(auction.outcome, Closed) else None


def _reserve_words(auction: Auction) -> str:
    if auction.terms.rules.reserve is None:
        return "none"
    opening = opened_reserve(auction)
    if opening is None:
        return "there is one; its amount is committed to, and opened at the close"
    return format_minor(opening.minor, auction.terms.rules.currency)
