"""Why the rules refuse a command: a code, the rule in words, and what was observed (DESIGN.md section 2).

A rejection is a value, not an error. Each can be replayed from the log at the size at which it was judged.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Final, NamedTuple


class Code(enum.StrEnum):
    """Stable names of the rules that can refuse a command."""

    WRONG_HOUSE = "wrong_house"
    NOT_OPEN = "not_open"
    CLOSED = "closed"
    OWN_AUCTION = "own_auction"
    NOT_JOINED = "not_joined"
    ALREADY_JOINED = "already_joined"
    JOIN_REPEATED = "join_repeated"
    WRONG_CURRENCY = "wrong_currency"
    EXPIRED = "expired"
    NOT_AFTER_TOO_FAR = "not_after_too_far"
    STALE = "stale"
    SEQUENCE_CONFLICT = "sequence_conflict"
    ALREADY_LEADING = "already_leading"
    BELOW_STARTING_PRICE = "below_starting_price"
    BELOW_INCREMENT = "below_increment"
    PAUSED = "paused"
    NOT_PAUSED = "not_paused"
    PAUSED_BY_TERMS = "paused_by_terms"
    PAUSES_USED_UP = "pauses_used_up"
    HAS_BIDS = "has_bids"
    COMMAND_REPEATED = "command_repeated"
    NO_SALE = "no_sale"
    NOT_THE_WINNER = "not_the_winner"
    WRONG_AMOUNT = "wrong_amount"
    ALREADY_PAID = "already_paid"
    NOT_PAID = "not_paid"
    WRONG_PAYMENT = "wrong_payment"
    NOT_THE_SELLER = "not_the_seller"
    DEFAULTED = "defaulted"
    NO_DEFAULT = "no_default"
    NOT_NEXT_BIDDER = "not_next_bidder"
    NO_OFFER = "no_offer"
    NOT_OFFERED = "not_offered"
    WRONG_OFFER = "wrong_offer"
    SETTLED = "settled"
    REVERTED = "reverted"
    WRONG_REPUTATION = "wrong_reputation"
    LOW_REPUTATION = "low_reputation"


RULES: Final = MappingProxyType(
    {
        Code.WRONG_HOUSE: "a command names the house that judges it",
        Code.NOT_OPEN: "nothing is bid, and nothing paused, before enough bidders have joined",
        Code.CLOSED: "nothing is taken after the close",
        Code.OWN_AUCTION: "a seller does not bid in its own auction",
        Code.NOT_JOINED: "a bidder joins before it bids",
        Code.ALREADY_JOINED: "a bidder joins once, until it has left",
        Code.JOIN_REPEATED: "each joining is a new one, under a nonce of its own",
        Code.WRONG_CURRENCY: "bids are in the currency of the terms",
        Code.EXPIRED: "a command is accepted until its not_after",
        Code.NOT_AFTER_TOO_FAR: "not_after is at most bid_timeout ahead in bids and joinings, five minutes in others",
        Code.STALE: "seq exceeds that of the bidder's last accepted bid",
        Code.SEQUENCE_CONFLICT: "one seq stands for one bid",
        Code.ALREADY_LEADING: "the leader does not outbid itself",
        Code.BELOW_STARTING_PRICE: "the first bid is at least the starting price",
        Code.BELOW_INCREMENT: "a bid is at least price + increment(price)",
        Code.PAUSED: "nothing is bid, and nothing paused, while the auction stands still",
        Code.NOT_PAUSED: "only an auction that stands still is resumed",
        Code.PAUSED_BY_TERMS: "a pause by the terms ends when the bidders are back, or at its cap",
        Code.PAUSES_USED_UP: "an auction stands still no more often, and no longer, than its terms allow",
        Code.HAS_BIDS: "an auction is cancelled before its first bid, unless its terms allow it later",
        Code.COMMAND_REPEATED: "each command is a new one, under a nonce of its own",
        Code.NO_SALE: "what was not sold, or not under terms that follow payments up, is not paid for here",
        Code.NOT_THE_WINNER: "the winner pays, and nobody else",
        Code.WRONG_AMOUNT: "what is paid is the price, in the currency of the terms",
        Code.ALREADY_PAID: "a payment is reported once, until it is rejected",
        Code.NOT_PAID: "only a payment that was reported is settled or rejected",
        Code.WRONG_PAYMENT: "a command names the payment that it is about",
        Code.NOT_THE_SELLER: "only the seller of the auction does that",
        Code.DEFAULTED: "what is overdue is not paid for any more",
        Code.NO_DEFAULT: "an offer follows a default, where the terms allow one",
        Code.NOT_NEXT_BIDDER: "an offer is to the next bidder, at its own bid",
        Code.NO_OFFER: "only an offer that stands is answered",
        Code.NOT_OFFERED: "an offer is answered by the bidder to whom it was made",
        Code.WRONG_OFFER: "an answer names the offer that it is about",
        Code.SETTLED: "a sale that is settled stays so",
        Code.REVERTED: "a sale that was reverted stays so",
        Code.WRONG_REPUTATION: "a joining states its bidder's reputation where the terms ask for one, and 0 elsewhere",
        Code.LOW_REPUTATION: "whoever has not bid here yet joins with at least the reputation that the terms ask for",
    }
)
"""Code → the rule in words."""

FAULTS: Final = frozenset(
    {
        Code.WRONG_HOUSE,
        Code.OWN_AUCTION,
        Code.WRONG_CURRENCY,
        Code.SEQUENCE_CONFLICT,
        Code.BELOW_STARTING_PRICE,
    }
)
"""Why a bid can be refused by nobody's fault but its bidder's: each of them goes against what the terms, or its own
earlier bids, have said all along. Whoever is merely outrun by another bid, the clock, a pause or its own repeated
message (``below_increment``, ``closed``, ``expired``, ``stale``, ``not_joined`` …) has done nothing wrong."""


class Refusal(NamedTuple):
    """A command refused: ``observed`` holds the values that the rule compared, by name."""

    code: Code
    observed: tuple[tuple[str, int], ...] = ()

    @property
    def rule(self) -> str:
        """The rule in words."""
        return RULES[self.code]
