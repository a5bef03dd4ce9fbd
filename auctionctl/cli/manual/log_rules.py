"""Of auctionctl-log(5): the rules of an auction as an algorithm that gives the same state from the same entries.

Rule: phases, codes, currencies and bounds are drawn from the data that the program decides by; the order in which a bid
is judged is held against the program by a test.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.auction import NOT_ENOUGH_BIDDERS
from auctionctl.auction.claims import MAX_GAP_GRACE_NS
from auctionctl.auction.formats import FORMATS
from auctionctl.auction.increments import MAX_BASIS_POINTS, MAX_TABLE_ROWS
from auctionctl.auction.phase import TRANSITIONS, EndReason, Phase
from auctionctl.auction.price import MAX_MINOR, MINOR_DIGITS
from auctionctl.auction.rejection import Code
from auctionctl.auction.terms import MAX_BID_TIMEOUT_NS, MAX_DURATION_NS, MIN_BID_TIMEOUT_NS, SECOND_NS
from auctionctl.cli.manual import roff
from auctionctl.cli.manual.roff import Definitions, Heading, Paragraph, Part, Subheading
from auctionctl.cli.manual.shapes import number_text
from auctionctl.keys.allowlist import Role

JOIN_REFUSALS: Final = (
    (Code.WRONG_HOUSE, "the join's `house` is not that of the terms"),
    (Code.CLOSED, "t >= start_deadline while announced, t >= end while open"),
    (Code.OWN_AUCTION, "`bidder` is the seller"),
    (Code.ALREADY_JOINED, "`bidder` is present"),
    (Code.JOIN_REPEATED, "this bidder has used this `nonce` in an entry before"),
    (Code.EXPIRED, "`not_after_ns` < t"),
    (Code.NOT_AFTER_TOO_FAR, "`not_after_ns` > t + `bid_timeout_ns`"),
)
"""Why a joining is refused, in the order in which it is judged."""

BID_REFUSALS: Final = (
    (Code.WRONG_HOUSE, "the bid's `house` is not that of the terms"),
    (Code.NOT_OPEN, "announced: in a log `phase` comes first"),
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
    ("phase", "`announced`, `open` or `closed`"),
    ("t, last", "the time of this entry, and of the one before it"),
    ("start_deadline", "until when it has to open"),
    ("end, max_end", "when bidding ends, and how far bids can move that"),
    ("present", "the signing keys of those who have joined and not left"),
    ("nonces", "the pairs of bidder and nonce of all joinings"),
    ("seqs", "the seq of each bidder's last bid in the log; without one, 0"),
    ("standing", "price, leader and index of the last bid in the log, or none"),
    ("floor", "what no gap may reach back over"),
    ("extensions", "how often a bid has moved the end"),
)


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


def phase_parts() -> tuple[Part, ...]:
    """State, and the steps of the replay."""
    rows = tuple(
        (f"`{before}`" if before else "(no entry)", f"`{kind}`", f"`{after}`")
        for (before, kind), after in TRANSITIONS.items()
    )
    return (
        Heading("Replay"),
        Paragraph("What a replay keeps; numbers never wrap around, so use integers without bound:"),
        roff.Table(("name", "what it is"), STATE),
        Paragraph("Entries that may follow in each phase, and the phase after them. Nothing follows the end."),
        roff.Table(("phase", "kind", "then"), rows),
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
            "Then phase = announced, last = floor = t, start_deadline = t + `start_timeout_ns`, everything else empty."
        ),
        Subheading("Every other entry"),
        Paragraph("In this order; the state changes only if all of it holds."),
        Definitions(
            (
                ("`entry`", "It is a canonical entry, whatever its body."),
                ("`time`", "t >= last. Equal times are in order."),
                ("`phase`", "The table above has its kind in this phase."),
                (
                    "`opened`",
                    "If the phase is announced and at least `min_bidders` are present, the kind is `opened`.",
                ),
                ("then", "What is said of its kind below."),
            )
        ),
        Paragraph("After it, last = t, and the number of entries is one more."),
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
        _refusals(JOIN_REFUSALS),
        Paragraph("If none is, floor = max(floor, t), the nonce is used, and the bidder is present. A bid:"),
        _refusals(BID_REFUSALS),
        Paragraph(
            "If none is: floor = max(floor, t); this seq is the bidder's last; standing = (amount, bidder, index of"
            " this entry). A seq stays a bidder's last when it leaves and joins again. Then the soft close:"
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


def _refusals(refusals: tuple[tuple[Code, str], ...]) -> roff.Table:
    return roff.Table(("word", "when"), tuple((f"`{code}`", f"{when}.") for code, when in refusals))


def house_parts() -> tuple[Part, ...]:
    """The house's own entries."""
    grace = f"{MAX_GAP_GRACE_NS} ({MAX_GAP_GRACE_NS // SECOND_NS} s)"
    return (
        Subheading("The house's own entries"),
        Paragraph(
            "For all of them: the signature is empty (`signature`); the body is canonical, within its bounds and of the"
            " type that belongs to the kind (`entry`). Then, each with its kind as the word:"
        ),
        Definitions(
            (
                (
                    "`opened`",
                    "At least `min_bidders` are present, and t = last: it opens at the time of the joining that made"
                    " it possible, as the next entry.\n\n"
                    "Then phase = open, end = t + `duration_ns`, max_end = end + `max_extension_ns`.",
                ),
                ("`left`", "`bidder` is present.\n\nThen it is not."),
                (
                    "`gap`",
                    f"floor <= `since_ns` <= `until_ns` <= t + {grace}. How long it is has no bound.\n\n"
                    "Then floor = until_ns. While announced, if start_deadline > since_ns, start_deadline moves by"
                    " until_ns - since_ns; while open, if end > since_ns, end and max_end do. So a deadline that had"
                    " passed when the gap began stays. A gap may reach back over entries other than terms, joined, bid"
                    " and gap.",
                ),
                (
                    "`cancelled`",
                    f"t >= start_deadline, and `reason` is `{NOT_ENOUGH_BIDDERS}`.\n\nThen phase = closed, and the end"
                    f" reason is `{EndReason.CANCELLED}`.",
                ),
                (
                    "`closed`",
                    "t >= end; then the reserve: without one in the terms, `reserve` is nil; with one, it is an opening"
                    " (minor, salt) for which H(`auctionctl/reserve/v1` | 00 | salt (32 bytes) | minor (8 bytes,"
                    " big-endian) | currency (UTF-8)) is the commitment of the terms. Then the other fields are those"
                    " of the table below.\n\nThen phase = closed.",
                ),
            )
        ),
        roff.Table(
            ("end_reason", "when, and the other fields"),
            (
                (f"`{EndReason.NO_BIDS}`", "There is no bid. winner, price_minor and bid_index are nil."),
                (
                    f"`{EndReason.RESERVE_NOT_MET}`",
                    "There is a reserve, and the standing price is below its `minor`. The same are nil.",
                ),
                (
                    f"`{EndReason.COMPLETED}`",
                    "Otherwise: winner is the leader, price_minor its bid, bid_index the index of that bid.",
                ),
            ),
        ),
        Subheading("Finished and unfinished"),
        Paragraph(
            f"A log whose phase is `{Phase.CLOSED}` is finished. One that is not is the true beginning of a log, under"
            " an older checkpoint, and verifies as unfinished; there is nothing wrong with it, and no winner yet. It"
            " may"
            " end anywhere, even where `opened` has to come next, or after a deadline has passed."
        ),
    )


def registry_parts() -> tuple[Part, ...]:
    """The rules of the registry."""
    roles = ", ".join(f"`{role}`" for role in Role)
    return (
        Heading("The registry"),
        Paragraph(
            "The registry is a log of the same form under the origin ‹HOUSE›`/registry`; its file has no announcement."
            " Of an auction's file only the announcement is needed. Its entries are all the house's own. For each, in"
            " this order: entry and body are canonical, and of the same kind (`entry`); the signature is empty"
            " (`signature`); its time is not before the last (`time`); then, with the kind as the word:"
        ),
        Definitions(
            (
                (
                    "`announced`",
                    "The auction was not announced before, nor this listing of this seller. The seller is the house's"
                    f" own signing key, or an identity whose roles now include `{Role.SELLER}`.",
                ),
                (
                    "`admitted`",
                    "`name` is a name (1 to 32 of `a` to `z`, `0` to `9`, `.`, `_`, `-`, beginning with a letter or"
                    " digit); the signing key is not let in already (a member with roles), and is not the house's;"
                    f" `role` is one of {roles}, or several different ones joined by `+`.",
                ),
                (
                    "`role`",
                    "`name` is a name; the signing key is that of a member with roles; name or role are other than"
                    " they were; `role` is as above, or empty: then the member is let in no more.",
                ),
            )
        ),
    )
