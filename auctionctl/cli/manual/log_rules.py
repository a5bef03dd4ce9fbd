"""Of auctionctl-log(5): the rules of an auction as an algorithm that gives the same state from the same entries.

Rule: phases, codes, currencies and bounds are drawn from the data that the program decides by; the order in which a bid
is judged is held against the program by a test. What the house says, pauses, commands and settlement have modules of
their own.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

from auctionctl.auction.formats import FORMATS
from auctionctl.auction.increments import MAX_BASIS_POINTS, MAX_TABLE_ROWS
from auctionctl.auction.phase import SETTLEMENT, TRANSITIONS
from auctionctl.auction.price import MAX_MINOR, MINOR_DIGITS
from auctionctl.auction.rejection import Code
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault
from auctionctl.auction.terms import MAX_BID_TIMEOUT_NS, MAX_DURATION_NS, MIN_BID_TIMEOUT_NS, SECOND_NS
from auctionctl.cli.manual import roff
from auctionctl.cli.manual.roff import Definitions, Heading, Paragraph, Part, Subheading
from auctionctl.cli.manual.shapes import number_text

BY_PHASE: Final = ": in a log `phase` comes first"
"""Of what a house refuses by the rules, and a log cannot hold."""

JOIN_REFUSALS: Final = (
    (Code.WRONG_HOUSE, "the join's `house` is not that of the terms"),
    (
        Code.CLOSED,
        "t >= deadline; or the phase is closed, unless the stage is pending_payment, `bidder` is the debtor, and"
        " `absence_ns` > 0",
    ),
    (Code.OWN_AUCTION, "`bidder` is the seller"),
    (Code.ALREADY_JOINED, "`bidder` is present"),
    (Code.JOIN_REPEATED, "this bidder has used this `nonce` in an entry before"),
    (Code.EXPIRED, "`not_after_ns` < t"),
    (Code.NOT_AFTER_TOO_FAR, "`not_after_ns` > t + `bid_timeout_ns`"),
    (Code.WRONG_REPUTATION, "`min_reputation_ppm` = 0, and `reputation_ppm` > 0"),
    (Code.LOW_REPUTATION, "`reputation_ppm` < `min_reputation_ppm`, and the log holds no bid of this bidder"),
)
"""Why a joining is refused, in the order in which it is judged."""

BID_REFUSALS: Final = (
    (Code.WRONG_HOUSE, "the bid's `house` is not that of the terms"),
    (Code.NOT_OPEN, f"the phase is announced{BY_PHASE}"),
    (Code.PAUSED, f"the phase is paused{BY_PHASE}"),
    (Code.CLOSED, "t >= end: at the end itself it is too late"),
    (Code.OWN_AUCTION, "`bidder` is the seller"),
    (Code.NOT_JOINED, "`bidder` is not present: it never joined, or has left"),
    (Code.WRONG_CURRENCY, "`currency` is not that of the terms"),
    (Code.SEQUENCE_CONFLICT, "`seq` = that of this bidder's last bid in the log"),
    (Code.STALE, "`seq` < that of this bidder's last bid in the log"),
    (Code.EXPIRED, "`not_after_ns` < t"),
    (Code.NOT_AFTER_TOO_FAR, "`not_after_ns` > t + `bid_timeout_ns`"),
    (Code.BELOW_STARTING_PRICE, "there is no bid yet, and the amount < max(1, `starting_price_minor`)"),
    (Code.ALREADY_LEADING, "`bidder` leads"),
    (Code.BELOW_INCREMENT, "the amount < price + step(price)"),
)
"""Why a bid is refused, in the order in which it is judged."""

STATE: Final = (
    ("phase, stage", "where the auction stands; and, after a sale that is followed up, where its settlement does"),
    ("t, last", "the time of this entry, and of the one before it"),
    ("floor", "what no gap may reach back over"),
    ("at", "max(floor, t), with floor as it was before this entry: when what the entry changes begins"),
    ("start_deadline", "until when it has to open"),
    ("end, max_end", "when bidding ends, and how far bids can move that"),
    ("present", "the signing keys of those who have joined and not left"),
    ("nonces", "the pairs of bidder and nonce of all joinings"),
    ("seqs", "the seq of each bidder's last bid in the log; without one, 0"),
    ("standing", "price, leader and index of the last bid in the log, or none"),
    ("best", "amount and index of each bidder's last bid in the log"),
    ("extensions", "how often a bid has moved the end"),
    ("commands", "H(body) of all commands in the log: of the entries that are signed by an `actor`"),
    ("absent", "of those who have left since it opened, the ones who are not back: see Pauses"),
    ("count, spent", "how often it has stood still, and for how long; without the pause under way, and without gaps"),
    ("waits, waited", "how often it has waited for each bidder, and for how long; at first 0"),
    ("since", "from when the pause under way waits for a bidder, unset if it does not"),
    ("by_terms", "whether the pause under way came by the terms"),
    ("began, counted", "from when it moves the end, and from when it counts"),
    ("debtor, price, bid_index", "who owes how much, by which bid: see The sale"),
    ("due", "until when the debtor may report its payment"),
    ("absent_since", "since when the debtor is away, unset while it is there"),
    ("payment, paid_at", "the last payment that was reported: its id, and when"),
    ("offer, offered_to", "the offer that stands: its id, and to whom it was made"),
    ("by", "until when an offer may be made, or answered"),
    ("excluded", "who gets no offer any more"),
    ("takeover_epoch", "the epoch of the last takeover"),
)

DEADLINES: Final = (
    ("announced", "start_deadline"),
    ("open", "end"),
    ("paused", "the cap: see Pauses"),
    (
        "pending_payment",
        "due; or absent_since + `absence_ns`, if absent_since is set, `absence_ns` > 0, and that is earlier",
    ),
    ("defaulted, offered", "by"),
    ("otherwise", "none: nothing is too late, and nothing due"),
)

MUST_FOLLOW: Final = (
    ("announced", "at least `min_bidders` are present", "opened"),
    ("open", "last < end, and a pause has to begin: see Pauses", "paused"),
    ("paused", "a pause has to end: see Pauses", "resumed"),
    ("defaulted", "there is no next bidder: see The sale", "reverted"),
)
"""Phase or stage, what is so in it, the kind of the entry that has to come next."""


def terms_parts() -> tuple[Part, ...]:
    """What terms must be, beyond their types."""
    days = MAX_DURATION_NS // (86_400 * SECOND_NS)
    duration = f"more than 0, at most {MAX_DURATION_NS} ({days} days)"
    return (
        Heading("Terms"),
        Paragraph("Terms under which no auction can be held are refused with `entry`. Beyond types and lengths:"),
        Definitions(
            (
                ("`listing`", "1 to 64 of `a` to `z`, `0` to `9`, `.`, `_` and `-`; it begins with a letter or digit."),
                ("`format`", " or ".join(f"`{name}`" for name in sorted(FORMATS)) + "."),
                (
                    "`currency`",
                    "One of the codes below, or a unit of the seller's own: two of `a` to `z`, then up to 14 of `a` to"
                    " `z`, `0` to `9`, `_` and `-`, which written in capitals is none of those codes. All amounts are"
                    " whole numbers of its smallest part; how many digits that has matters only where amounts are"
                    " shown.",
                ),
                (
                    "`increment`",
                    f"`Fixed`: minor from 1 to {number_text(MAX_MINOR)}. `Percent`: basis_points from 1 to"
                    f" {MAX_BASIS_POINTS}. `Table`: 1 to {MAX_TABLE_ROWS} rows; the first lower bound is 0, each is"
                    f" greater than the one before, and none is above {number_text(MAX_MINOR)}; steps are from 1 to"
                    f" {number_text(MAX_MINOR)}.",
                ),
                ("`duration_ns`", f"{duration}."),
                ("`start_timeout_ns`", f"{duration}."),
                ("`bid_timeout_ns`", f"From {MIN_BID_TIMEOUT_NS} to {MAX_BID_TIMEOUT_NS}."),
                ("`soft_close_window_ns`", "At most `duration_ns`."),
                (
                    "`max_extension_ns`",
                    f"At most {MAX_DURATION_NS}; it is 0 if and only if `soft_close_window_ns` is 0.",
                ),
                ("`disconnection`", f"{_words(Disconnection)}."),
                ("`max_pause_ns`, `max_pause_a_bidder_ns`", f"At most {MAX_DURATION_NS}."),
                ("`payment_ns`, `absence_ns`, `offer_ns`", f"At most {MAX_DURATION_NS}."),
                (
                    "`on_default`",
                    f"{_words(OnDefault)}. It is `{OnDefault.OFFER}` if and only if `offer_ns` is more than 0. If"
                    f" `payment_ns` is 0, `absence_ns` and `offer_ns` are 0, and it is `{OnDefault.REVERT}`.",
                ),
                ("`cancellation`", f"{_words(Cancellation)}."),
            )
        ),
        Paragraph("Currencies and their digits after the point; a unit of one's own has 0:"),
        roff.Table(
            ("digits", "codes"),
            tuple(
                (str(digits), " ".join(code for code, each in MINOR_DIGITS.items() if each == digits))
                for digits in sorted(set(MINOR_DIGITS.values()))
            ),
        ),
        Paragraph(
            "step(price) is `minor` for `Fixed`; max(1, ceil(price * basis_points / 10000)) for `Percent`, exactly, in"
            " integers; for `Table` the step of the row with the greatest lower bound <= price."
        ),
    )


def _words(words: type[enum.StrEnum]) -> str:
    return " or ".join(f"`{each.value}`" for each in words)


def phase_parts() -> tuple[Part, ...]:
    """State, and the steps of the replay."""
    return (
        Heading("Replay"),
        Paragraph("What a replay keeps; numbers never wrap around, so use integers without bound:"),
        roff.Table(("name", "what it is"), STATE),
        Paragraph("Entries that may follow in each phase, and the phase after them:"),
        roff.Table(("phase", "kind", "then"), _transitions(TRANSITIONS)),
        Paragraph(
            "Once the auction has closed with a sale under terms whose `payment_ns` is more than 0, there is a stage,"
            " at first `pending_payment`, and this table takes the place of the one above. Of what is in neither,"
            " nothing follows."
        ),
        roff.Table(("stage", "kind", "then"), _transitions(SETTLEMENT)),
        Subheading("Deadline"),
        Paragraph("In each phase or stage, the deadline is:"),
        roff.Table(("phase or stage", "deadline"), DEADLINES),
        Subheading("What has to come next"),
        Paragraph("After some entries one thing has to come next, before anything else:"),
        roff.Table(("phase or stage", "next", "if"), tuple((row[0], f"`{row[2]}`", row[1]) for row in MUST_FOLLOW)),
        Paragraph(
            "That is looked at anew before every entry, whatever the last one was. It is an entry of the house, at t ="
            " last, and `paused` and `resumed` are then of the cause `terms`. While something has to come next, the"
            " deadline is last, whatever the table above says."
        ),
        Subheading("Entry 0"),
        Definitions(
            (
                ("`entry`", "It is a canonical entry (Entries above): its four fields. The body is any bytes so far."),
                ("`phase`", "Its kind is `terms`."),
                ("`terms`", "H(body) is the id in the checkpoint's origin."),
                ("`entry`", "The body is terms in their canonical form, and such as an auction can be held under."),
                ("`terms`", "`house` is the signing key of the house."),
                ("`signature`", "It is signed by `seller`."),
            )
        ),
        Paragraph(
            "Then phase = announced, last = floor = t, start_deadline = t + `start_timeout_ns`, everything else is"
            " empty or 0."
        ),
        Subheading("Every other entry"),
        Paragraph("In this order; the state changes only if all of it holds."),
        Definitions(
            (
                ("`entry`", "It is a canonical entry, whatever its body."),
                ("`time`", "t >= last. Equal times are in order."),
                ("`phase`", "The table of this phase or stage has its kind."),
                (
                    "`opened`, `paused`, `resumed`, `reverted`",
                    "If something has to come next, that is its kind; the word is what has to come.",
                ),
                ("then", "What is said of its kind below."),
            )
        ),
        Paragraph(
            "After it, last = t, and the number of entries is one more. After a `gap` floor = until_ns; after a `left`"
            " or a `takeover` it stays; after anything else floor = at. So no gap reaches back over anything but a"
            " leaving or a takeover."
        ),
    )


def bidder_parts() -> tuple[Part, ...]:
    """Joining and bidding."""
    return (
        Subheading("joined and bid"),
        Paragraph(
            "First, for both: the body is canonical and within its bounds (`entry`); it is signed by `bidder`"
            " (`signature`); `auction` is the id of this one (`wrong_auction`). Then it is judged, and the first of"
            " these that is true is the word. A joining:"
        ),
        refusals_table(JOIN_REFUSALS),
        Paragraph(
            "If none is, the nonce is used, the bidder is present, and it is back, if the auction is open or paused:"
            " see Pauses. If there is a stage, absent_since is unset. A bid:"
        ),
        refusals_table(BID_REFUSALS),
        Paragraph(
            "If none is: this seq is the bidder's last; standing = (amount, bidder, index of this entry), and so is its"
            " best. A seq stays a bidder's last when it leaves and joins again. Then the soft close:"
        ),
        roff.Code(
            "if end - t < soft_close_window_ns:\n"
            "    new = min(t + soft_close_window_ns, max_end)\n"
            "    if new > end: end = new; extensions += 1"
        ),
        Subheading("Contested bids"),
        Paragraph(
            "A bid with `head_size` > 0 claims to have seen the log with so many entries under `head_root`. If"
            " head_size"
            " is more than the bid's own index, or the root of the first head_size entries is another, the bid is"
            " contested. That is reported, and is no error, for a bidder can claim anything: whoever bid can show the"
            " checkpoint that it saw."
        ),
    )


def refusals_table(refusals: tuple[tuple[Code, str], ...]) -> roff.Table:
    """The codes in the order in which they are judged."""
    return roff.Table(("word", "when"), tuple((f"`{code}`", f"{when}.") for code, when in refusals))


def _transitions(table: Mapping[tuple[Any, str], enum.StrEnum]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (f"`{before}`" if before else "(no entry)", f"`{kind}`", f"`{after}`")
        for (before, kind), after in table.items()
    )
