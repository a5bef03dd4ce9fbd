"""Of auctionctl-log(5): what becomes of a sale: who owes what, until when, and who buys the lot in the end.

Rule: written by hand beside :mod:`auctionctl.auction.settlement`, and held against it by the verifier that is written
from the page alone.
"""

from __future__ import annotations

from auctionctl.auction.phase import EndReason, Phase, Stage
from auctionctl.auction.rules import OnDefault
from auctionctl.cli.manual.roff import Code, Definitions, Paragraph, Part, Subheading


def sale_parts() -> tuple[Part, ...]:
    """The settlement's own steps."""
    return (
        Subheading("The sale"),
        Paragraph(
            "A sale is followed up if `payment_ns` is more than 0: the winner owes the price, and reports its payment;"
            " the seller or an operator settles that, or rejects it. What is not paid in time is a default, after which"
            " the terms may let the seller offer the lot to the next bidder."
        ),
        Code(
            "b owes from at:  stage = pending_payment; debtor = b; price, bid_index = the amount and its index;\n"
            "                 due = at + payment_ns; absent_since is unset if b is present, and otherwise at\n"
            "turned down:     offered_to is excluded; by = at + offer_ns\n"
            "gap, while pending_payment:\n"
            "                 if due > since_ns: due += until_ns - since_ns\n"
            "                 if absence_ns > 0, absent_since is set, and absent_since + absence_ns > since_ns:\n"
            "                   absent_since += max(0, until_ns - max(since_ns, absent_since))\n"
            "gap, while defaulted or offered:\n"
            "                 if by > since_ns: by += until_ns - since_ns"
        ),
        Definitions(
            (
                (
                    "the next bidder",
                    f"If `on_default` is `{OnDefault.OFFER}`: of all who have bid and are not excluded, the one whose"
                    " best is the greatest; it is none if that is below the reserve that the close opened (0 without"
                    f" one), or nobody is left. If `on_default` is `{OnDefault.REVERT}`, there is none.",
                ),
                (
                    "who buys",
                    f"With the stage `{Stage.PENDING_PAYMENT}`, `{Stage.PAID}` or `{Stage.SETTLED}` the debtor, at"
                    " `price`, by the bid at `bid_index`; with another stage nobody; without a stage the winner, price"
                    " and bid of `closed`.",
                ),
                (
                    "the end reason",
                    f"`{EndReason.REVERTED}` if the stage is that; otherwise the one of `closed` or `cancelled`.",
                ),
            )
        ),
    )


def finish_parts() -> tuple[Part, ...]:
    """When a log has come to its end."""
    return (
        Subheading("Finished and unfinished"),
        Paragraph(
            f"A log whose phase is `{Phase.CLOSED}` is finished, if it has no stage, or the stage is"
            f" `{Stage.SETTLED}` or `{Stage.REVERTED}`. One that is not is the true beginning of a log, under"
            " an older checkpoint, and verifies as unfinished; there is nothing wrong with it, but more may follow, and"
            " what it says of the sale may change. It may end anywhere, even where something has to come next, or after"
            " a deadline has passed."
        ),
    )
