"""Of auctionctl-log(5): the bodies of all kinds of entries, with a meaning for each of their fields.

Rule: types, bounds and order are those of the structs by which the program reads them; only meanings stand here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from auctionctl.auction.bid import Bid, Join
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
    Defaulted,
    Gap,
    Left,
    OfferLapsed,
    Opened,
    Paused,
    Resumed,
    Reverted,
    Takeover,
)
from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.auction.phase import SETTLEMENT, TRANSITIONS
from auctionctl.auction.rules import PauseRules, PaymentRules, Reserve, Rules
from auctionctl.auction.terms import Lot, ReserveOpening, Terms
from auctionctl.replica.conduct import Deeds
from auctionctl.replica.registry import Admitted, Announced, Conduct, Revoke, RoleChanged, Rotate, Succeed
from auctionctl.tlog.entry import Kind

HOUSE: Final = "Signing key of the house."
AUCTION: Final = "Id of the auction."
_CLAIM: Final = "The signer's claim; not judged."
_NOT_AFTER: Final = "Accepted until then at most."
_WORDS: Final = "Words for people; not judged."

_COMMAND: Final = {
    "house": HOUSE,
    "auction": AUCTION,
    "actor": "Signing key of whoever signs.",
    "nonce": "Makes each command another.",
    "placed_at_ns": _CLAIM,
    "not_after_ns": _NOT_AFTER,
}
_PAYMENT: Final = "Id of the payment: H(body) of its entry."
_OFFER: Final = "Id of the offer: H(body) of its entry."


class Body(NamedTuple):
    """The array in entries of ``kind``, who signs it (nobody, where empty: the house's own), field → meaning."""

    kind: Kind
    struct: type[msgspec.Struct]
    signer: str
    meanings: dict[str, str]


BODIES: Final = (
    Body(
        Kind.TERMS,
        Terms,
        "the seller",
        {
            "house": HOUSE,
            "seller": "Signing key of the seller.",
            "nonce": "Random: no two terms are the same.",
            "listing": "The seller's name for the auction.",
            "lot": "What is sold: an array, below.",
            "rules": "How it is sold: an array, below.",
        },
    ),
    Body(
        Kind.JOINED,
        Join,
        "the bidder",
        {
            "house": HOUSE,
            "auction": AUCTION,
            "bidder": "Signing key of the bidder.",
            "nonce": "Makes each joining another.",
            "placed_at_ns": _CLAIM,
            "not_after_ns": _NOT_AFTER,
            "reputation_ppm": "Its reputation, where the terms ask for one.",
        },
    ),
    Body(
        Kind.BID,
        Bid,
        "the bidder",
        {
            "house": HOUSE,
            "auction": AUCTION,
            "bidder": "Signing key of the bidder.",
            "seq": "Rises among a bidder's bids.",
            "amount_minor": "What is offered.",
            "currency": "As in the terms.",
            "placed_at_ns": _CLAIM,
            "not_after_ns": _NOT_AFTER,
            "head_size": "Size of the head that it had seen, or 0.",
            "head_root": "Root of that head: 32 bytes, and empty if and only if head_size is 0.",
        },
    ),
    Body(Kind.OPENED, Opened, "", {}),
    Body(Kind.LEFT, Left, "", {"bidder": "Signing key of the bidder."}),
    Body(
        Kind.GAP,
        Gap,
        "",
        {"since_ns": "Since when nobody could bid.", "until_ns": "Until when.", "cause": "Not judged."},
    ),
    Body(Kind.PAUSED, Pause, "an operator", _COMMAND | {"reason": _WORDS}),
    Body(Kind.PAUSED, Paused, "", {"cause": "Why."}),
    Body(Kind.RESUMED, Resume, "an operator", _COMMAND | {"reason": _WORDS}),
    Body(Kind.RESUMED, Resumed, "", {"cause": "Why."}),
    Body(Kind.CANCELLED, Cancel, "an operator", _COMMAND | {"reason": _WORDS}),
    Body(Kind.CANCELLED, Cancelled, "", {"reason": "Why there is no sale."}),
    Body(
        Kind.CLOSED,
        Closed,
        "",
        {
            "end_reason": "Why it ended.",
            "winner": "Signing key, or nil without a sale.",
            "price_minor": "What the winner pays, or nil.",
            "bid_index": "Index of the winning bid, or nil.",
            "reserve": "Opens the reserve of the terms: nil if and only if they hold none.",
        },
    ),
    Body(
        Kind.PAYMENT,
        Pay,
        "the debtor",
        _COMMAND | {"amount_minor": "The price.", "currency": "As in the terms.", "reference": _WORDS},
    ),
    Body(
        Kind.PAYMENT_REJECTED,
        RejectPayment,
        "seller or operator",
        _COMMAND | {"capacity": "As what `actor` signs.", "payment": _PAYMENT, "reason": _WORDS},
    ),
    Body(
        Kind.SETTLED,
        Settle,
        "seller or operator",
        _COMMAND | {"capacity": "As what `actor` signs.", "payment": _PAYMENT},
    ),
    Body(Kind.DEFAULTED, Defaulted, "", {"bidder": "Signing key of the debtor.", "cause": "What it did not do."}),
    Body(
        Kind.OFFERED,
        Offer,
        "the seller",
        _COMMAND
        | {
            "bidder": "Signing key of the next bidder.",
            "amount_minor": "Its own bid.",
            "currency": "As in the terms.",
            "bid_index": "Index of that bid.",
        },
    ),
    Body(Kind.ACCEPTED, Accept, "the next bidder", _COMMAND | {"offer": _OFFER}),
    Body(Kind.DECLINED, Decline, "the next bidder", _COMMAND | {"offer": _OFFER}),
    Body(Kind.DECLINED, OfferLapsed, "", {"offer": _OFFER}),
    Body(Kind.REVERTED, Reverted, "", {}),
    Body(
        Kind.TAKEOVER,
        Takeover,
        "",
        {"instance": "Its name.", "epoch": "Rises from one takeover to the next."},
    ),
    Body(
        Kind.ANNOUNCED,
        Announced,
        "",
        {"auction": AUCTION, "seller": "Signing key of the seller.", "listing": "As in the terms."},
    ),
    Body(
        Kind.ADMITTED,
        Admitted,
        "",
        {
            "signing": "Keys of the identity.",
            "transport": "",
            "name": "What it is called at this house.",
            "role": "Roles, joined by `+`.",
        },
    ),
    Body(
        Kind.ROLE,
        RoleChanged,
        "",
        {
            "signing": "Signing key of an identity.",
            "name": "What it is called from now on.",
            "role": "Roles, joined by `+`; empty for one that is let in no more.",
        },
    ),
    Body(
        Kind.KEY_REVOKED,
        Revoke,
        "actor",
        {
            "house": "The house's signing key.",
            "actor": "Who revokes: the holder of the key, or an operator.",
            "key": "The signing key that is let in no more.",
        },
    ),
    Body(
        Kind.KEY_ROTATED,
        Rotate,
        "key",
        {
            "house": "The house's signing key.",
            "key": "The signing key that is replaced.",
            "signing": "The new signing key.",
            "transport": "The new transport key.",
            "consent": "The new key's signature of `succeed`: an array, below.",
        },
    ),
    Body(
        Kind.CONDUCT,
        Conduct,
        "",
        {"auction": AUCTION, "deeds": "What it says of its bidders: see Reputation."},
    ),
)
"""In the order of the page. A kind with two bodies holds the first where it is signed, and the second where not."""

OF_AUCTIONS: Final = frozenset(kind for table in (TRANSITIONS, SETTLEMENT) for _, kind in table)
"""The kinds that the log of an auction may hold; the others are the registry's."""

PARTS_OF_TERMS: Final[tuple[tuple[type[msgspec.Struct], dict[str, str]], ...]] = (
    (
        Lot,
        {
            "title": "What is sold.",
            "description": "May be empty.",
            "estimate_minor": "The seller's estimate of its value.",
        },
    ),
    (
        Rules,
        {
            "format": "The rule family.",
            "currency": "Of all amounts.",
            "starting_price_minor": "The least first bid.",
            "increment": "The least step: see below.",
            "duration_ns": "From the opening to the end.",
            "start_timeout_ns": "From the terms to the deadline for opening.",
            "min_bidders": "How many open it.",
            "bid_timeout_ns": "How far ahead `not_after_ns` may be.",
            "soft_close_window_ns": "A bid this near the end moves it; 0: never.",
            "max_extension_ns": "By how much it moves at most.",
            "reserve": "A hidden least price.",
            "pauses": "When it stands still.",
            "payment": "How a sale is settled.",
            "cancellation": "How long it may be called off.",
            "min_reputation_ppm": "What a bidder's reputation has to be at least; 0: anything.",
        },
    ),
    (Reserve, {"commitment": "To amount and salt.", "sealed": "Both, for the house; not judged."}),
    (
        PauseRules,
        {
            "disconnection": "What happens when a bidder has left.",
            "max_pauses": "How often it stands still in all.",
            "max_pause_ns": "How long it stands still in all.",
            "max_pauses_a_bidder": "How often it waits for one bidder.",
            "max_pause_a_bidder_ns": "How long it waits for one bidder.",
        },
    ),
    (
        PaymentRules,
        {
            "payment_ns": "How long the price may be owed; 0: the log ends with the close.",
            "absence_ns": "How long the debtor may be away; 0: for ever.",
            "on_default": "What becomes of a sale that is not paid for.",
            "offer_ns": "How long an offer may be made, and answered.",
        },
    ),
    (Fixed, {"minor": "The step."}),
    (Percent, {"basis_points": "Hundredths of a percent of the price."}),
    (Table, {"rows": "Pairs of lower bound and step."}),
    (
        Deeds,
        {
            "bidder": "Signing key of the bidder.",
            "stood": "1 if it bid and stood by that.",
            "won": "1 if it bought the lot.",
            "paid": "1 if its payment was settled.",
            "defaulted": "1 if it did not pay in time.",
            "left": "How often it left while it led.",
            "invalid": "How many bids were refused by its fault.",
        },
    ),
    (ReserveOpening, {"minor": "The reserve.", "salt": "Random."}),
)
"""What stands inside of terms (and, the last, of a closed entry): type, field → meaning."""

CONSENT: Final[tuple[type[msgspec.Struct], dict[str, str]]] = (
    Succeed,
    {
        "house": "As in the body, like the other fields.",
        "key": "The signing key that is replaced.",
        "signing": "The new signing key, which signs this.",
        "transport": "The new transport key.",
    },
)
"""What the new key signs, whose signature stands in the body of a rotation."""
