"""Lot and terms: what is sold, and under which rules, as the bytes that the seller signs (DESIGN.md section 6).

The SHA-256 of those bytes is the auction's name. Durations count from entries of the log, never from a claimed time.
The reserve stands in the terms as a commitment, and sealed to the house's escrow key: it can be neither moved nor lost.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Annotated, Final

import msgspec

from auctionctl.auction.formats import FORMATS
from auctionctl.auction.increments import check_increment
from auctionctl.auction.price import minor_digits
from auctionctl.auction.rules import Key, Minor, OnDefault, Reserve, Rules
from auctionctl.errors import MoneyError, TermsError

Nonce = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]

SECOND_NS: Final = 1_000_000_000
MAX_TERMS_BYTES: Final = 12_288
MAX_DURATION_NS: Final = 366 * 86_400 * SECOND_NS
MIN_BID_TIMEOUT_NS: Final = SECOND_NS // 10
MAX_BID_TIMEOUT_NS: Final = 3_600 * SECOND_NS

_LISTING = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_RESERVE_DOMAIN = b"auctionctl/reserve/v1\0"


class Lot(msgspec.Struct, array_like=True, frozen=True):
    """What is sold. ``estimate_minor`` is the seller's public estimate of its value, in minor units, or None."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    description: Annotated[str, msgspec.Meta(max_length=4_000)] = ""
    estimate_minor: Minor | None = None


class ReserveOpening(msgspec.Struct, array_like=True, frozen=True):
    """What a reserve commits to: an amount in minor units, and 32 random bytes that hide it."""

    minor: Minor
    salt: Key


class Terms(msgspec.Struct, array_like=True, tag="terms", frozen=True):
    """Lot and rules under one house's and one seller's signing keys; ``listing`` is the seller's own name for it."""

    house: Key
    seller: Key
    nonce: Nonce
    listing: str
    lot: Lot
    rules: Rules


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Terms)
_opening_decoder = msgspec.msgpack.Decoder(ReserveOpening)


def encode_terms(terms: Terms) -> bytes:
    """The bytes that the seller signs. Raises TermsError if no auction could be held under them."""
    check_terms(terms)
    try:
        data = _encoder.encode(terms)
    except (OverflowError, UnicodeEncodeError) as error:
        raise TermsError(f"these terms cannot be written down: {error}") from error
    if len(data) > MAX_TERMS_BYTES:
        raise TermsError(
            f"the terms take {len(data)} bytes, more than {MAX_TERMS_BYTES}", hint="shorten the description"
        )
    # The bounds of single fields are checked where bytes are read, so that is where a seller's are checked too.
    decode_terms(data)
    return data


def decode_terms(data: bytes) -> Terms:
    """The inverse of :func:`encode_terms`; TermsError for anything that it would not have produced."""
    if len(data) > MAX_TERMS_BYTES:
        raise TermsError(f"the terms take {len(data)} bytes, more than {MAX_TERMS_BYTES}")
    try:
        terms = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise TermsError(f"not terms: {error}") from error
    if _encoder.encode(terms) != data:
        raise TermsError("not terms: not in canonical form")
    check_terms(terms)
    return terms


def auction_id(terms_bytes: bytes) -> bytes:
    """The auction's name: SHA-256 of the terms as signed, 32 bytes."""
    return hashlib.sha256(terms_bytes).digest()


def check_terms(terms: Terms) -> None:
    """Raises TermsError for terms under which no auction can be held."""
    rules = terms.rules
    if not _LISTING.fullmatch(terms.listing):
        raise TermsError(
            f"the listing {terms.listing!r} is no name",
            hint="lower-case letters, digits, '.', '_' and '-', starting with a letter or digit, at most 64 characters",
        )
    if rules.format not in FORMATS:
        raise TermsError(f"unknown format {rules.format!r}", hint=f"known: {', '.join(sorted(FORMATS))}")
    try:
        minor_digits(rules.currency)
    except MoneyError as error:
        raise TermsError(str(error), hint=error.hint) from error
    check_increment(rules.increment)
    _check_times(rules)


def _check_times(rules: Rules) -> None:
    if not 0 < rules.duration_ns <= MAX_DURATION_NS:
        raise TermsError("the duration must be more than 0 and at most 366 days")
    if not 0 < rules.start_timeout_ns <= MAX_DURATION_NS:
        raise TermsError("the start timeout must be more than 0 and at most 366 days")
    if not MIN_BID_TIMEOUT_NS <= rules.bid_timeout_ns <= MAX_BID_TIMEOUT_NS:
        raise TermsError("the bid timeout must be between 100 ms and 1 h")
    if rules.soft_close_window_ns > rules.duration_ns:
        raise TermsError("the soft-close window is longer than the auction")
    if rules.max_extension_ns > MAX_DURATION_NS:
        raise TermsError("the longest extension must be at most 366 days")
    if bool(rules.soft_close_window_ns) != bool(rules.max_extension_ns):
        raise TermsError(
            "a soft close needs both a window and a longest extension",
            hint="set soft_close and max_extension, or neither",
        )
    _check_settlement_times(rules)


def _check_settlement_times(rules: Rules) -> None:
    pauses, payment = rules.pauses, rules.payment
    if max(pauses.max_pause_ns, pauses.max_pause_a_bidder_ns) > MAX_DURATION_NS:
        raise TermsError("the longest pause must be at most 366 days")
    if max(payment.payment_ns, payment.absence_ns, payment.offer_ns) > MAX_DURATION_NS:
        raise TermsError("the time for a payment, an absence or an offer must be at most 366 days")
    if not payment.payment_ns and (payment.absence_ns or payment.offer_ns or payment.on_default is OnDefault.OFFER):
        raise TermsError(
            "absence and offers matter only where a payment is waited for", hint="set payment_timeout, or none of them"
        )
    if (payment.on_default is OnDefault.OFFER) != bool(payment.offer_ns):
        raise TermsError(
            "a second offer needs a time to answer it", hint='set on_default = "offer" and offer_timeout, or neither'
        )


def commit_reserve(opening: ReserveOpening, currency: str) -> bytes:
    """``H(domain ‖ salt ‖ amount ‖ currency)`` with the amount as 8 bytes, big-endian; 32 bytes."""
    amount = opening.minor.to_bytes(8, "big")
    return hashlib.sha256(_RESERVE_DOMAIN + opening.salt + amount + currency.encode()).digest()


def opens_commitment(reserve: Reserve, opening: ReserveOpening, currency: str) -> bool:
    """Whether ``opening`` is what ``reserve`` commits to."""
    return hmac.compare_digest(commit_reserve(opening, currency), reserve.commitment)


def encode_opening(opening: ReserveOpening) -> bytes:
    """The plaintext that is sealed to the escrow key."""
    return _encoder.encode(opening)


def decode_opening(data: bytes) -> ReserveOpening:
    """The inverse of :func:`encode_opening`; TermsError for anything else."""
    try:
        opening = _opening_decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise TermsError(f"the sealed reserve holds no amount: {error}") from error
    if _encoder.encode(opening) != data:
        raise TermsError("the sealed reserve is not in canonical form")
    return opening
