"""What the commands that act on an auction write as JSON: those of :mod:`operate` and of :mod:`settle` alike."""

from __future__ import annotations

from typing import Final

SCHEMA: Final = "auctionctl.command/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "command": "Its type: `pause`, `resume`, `cancel`, `pay`, `settle`, `reject_payment`, `offer`, `accept` or"
        " `decline`.",
        "event": "`accepted`, `rejected`, `refused`, `not_heard` or `unanswered`; with `--dry-run` `acceptable` or"
        " `unacceptable`.",
        "auction": "The id of the auction.",
        "listing": "Its name at this house.",
        "index": "If accepted: the entry's place in the log.",
        "time_ns": "If accepted or rejected: when, by the house.",
        "receipt": "If accepted: the file of the receipt.",
        "whereabouts": "The phase of the auction, or the stage of its settlement, as it is now.",
        "code": "If rejected or refused: why, as a stable word.",
        "rule": "If rejected: the rule in words; if refused: the words of the house.",
        "observed": "If rejected: the values that the rule compared.",
        "possible": "Which commands the rules could take now, from whoever may give them.",
        "not_after_ns": "If unanswered: until when it may have been accepted.",
        "operator": "Of pause, resume and cancel: who gives it.",
        "reason": "Of pause, resume, cancel and reject_payment: why.",
        "bidder": "Of pay, offer, accept and decline: the bidder's signing key.",
        "amount": "Of pay and offer: how much.",
        "reference": "Of pay: by what the seller finds the payment.",
        "by": "Of settle and reject_payment: who gives it.",
        "capacity": "Of the same: `seller` or `operator`.",
        "payment": "Of the same: the id of the payment.",
        "bid_index": "Of an offer: the entry of the bid.",
        "offer": "Of accept and decline: the id of the offer.",
    }
}
