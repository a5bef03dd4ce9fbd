"""From a seller's description of a lot to signed terms. What is random (:class:`Entropy`) is handed in."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from auctionctl.auction.increments import Fixed, Increment
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.rules import Cancellation, PauseRules, PaymentRules, Reserve, Rules
from auctionctl.auction.terms import (
    SECOND_NS,
    Lot,
    ReserveOpening,
    Terms,
    commit_reserve,
    encode_opening,
    encode_terms,
)
from auctionctl.errors import TermsError
from auctionctl.keys.signing import SecretKey, seal_escrow
from auctionctl.wire.frames import Message, sign_body

DEFAULT_DURATION_NS: Final = 300 * SECOND_NS
DEFAULT_START_TIMEOUT_NS: Final = 600 * SECOND_NS
DEFAULT_BID_TIMEOUT_NS: Final = 30 * SECOND_NS
DEFAULT_MIN_BIDDERS: Final = 3
DEFAULT_INCREMENT: Final = Fixed(100)
USUAL_PAUSES: Final = PauseRules()
NO_PAYMENT: Final = PaymentRules()


@dataclass(frozen=True, slots=True)
class Entropy:
    """Fresh random bytes for one listing: a 16-byte nonce, a 32-byte salt, a 32-byte seed for sealing."""

    nonce: bytes
    salt: bytes
    sealing_seed: bytes


@dataclass(frozen=True, slots=True)
class LotDescription:
    """What a seller says: amounts in minor units of ``currency``, durations in nanoseconds. Defaults: DESIGN.md 6."""

    listing: str
    title: str
    currency: str
    starting_price_minor: int
    description: str = ""
    estimate_minor: int | None = None
    reserve_minor: int | None = None
    increment: Increment = DEFAULT_INCREMENT
    duration_ns: int = DEFAULT_DURATION_NS
    start_timeout_ns: int = DEFAULT_START_TIMEOUT_NS
    min_bidders: int = DEFAULT_MIN_BIDDERS
    bid_timeout_ns: int = DEFAULT_BID_TIMEOUT_NS
    soft_close_window_ns: int = 0
    max_extension_ns: int = 0
    format: str = "english"
    pauses: PauseRules = USUAL_PAUSES
    payment: PaymentRules = NO_PAYMENT
    cancellation: Cancellation = Cancellation.BEFORE_FIRST_BID
    min_reputation_ppm: int = 0


def describe_terms(lot: LotDescription, house: bytes, escrow: bytes, seller: bytes, entropy: Entropy) -> Terms:
    """The terms of ``lot``; ``house`` and ``seller`` are signing keys, ``escrow`` the house's box for reserves.

    Raises TermsError for a reserve that is no amount: once it is sealed, nobody but the house would see that.
    """
    reserve = None
    if lot.reserve_minor is not None:
        if not 0 <= lot.reserve_minor <= MAX_MINOR:
            raise TermsError(f"the reserve must be between 0 and {MAX_MINOR} minor units")
        opening = ReserveOpening(lot.reserve_minor, entropy.salt)
        sealed = seal_escrow(escrow, encode_opening(opening), entropy.sealing_seed)
        reserve = Reserve(commit_reserve(opening, lot.currency), sealed)
    rules = Rules(
        lot.format,
        lot.currency,
        lot.starting_price_minor,
        lot.increment,
        lot.duration_ns,
        lot.start_timeout_ns,
        lot.min_bidders,
        lot.bid_timeout_ns,
        lot.soft_close_window_ns,
        lot.max_extension_ns,
        reserve,
        lot.pauses,
        lot.payment,
        lot.cancellation,
        lot.min_reputation_ppm,
    )
    public = Lot(lot.title, lot.description, lot.estimate_minor)
    return Terms(house, seller, entropy.nonce, lot.listing, public, rules)


def differences(lot: LotDescription, terms: Terms, reserve: ReserveOpening | None) -> tuple[str, ...]:
    """The names of what ``lot`` describes otherwise than ``terms`` do; ``reserve`` is the opening of the terms'."""
    rules, public = terms.rules, terms.lot
    announced = LotDescription(
        listing=terms.listing,
        title=public.title,
        currency=rules.currency,
        starting_price_minor=rules.starting_price_minor,
        description=public.description,
        estimate_minor=public.estimate_minor,
        reserve_minor=None if reserve is None else reserve.minor,
        increment=rules.increment,
        duration_ns=rules.duration_ns,
        start_timeout_ns=rules.start_timeout_ns,
        min_bidders=rules.min_bidders,
        bid_timeout_ns=rules.bid_timeout_ns,
        soft_close_window_ns=rules.soft_close_window_ns,
        max_extension_ns=rules.max_extension_ns,
        format=rules.format,
        pauses=rules.pauses,
        payment=rules.payment,
        cancellation=rules.cancellation,
        min_reputation_ppm=rules.min_reputation_ppm,
    )
    return tuple(each.name for each in fields(lot) if getattr(lot, each.name) != getattr(announced, each.name))


def sign_terms(lot: LotDescription, house: bytes, escrow: bytes, seller: SecretKey, entropy: Entropy) -> Message:
    """Terms of ``lot``, signed by ``seller``. Raises TermsError if no auction could be held under them."""
    terms = describe_terms(lot, house, escrow, seller.identity.signing, entropy)
    return sign_body(seller, encode_terms(terms))
