"""Of auctionctl-log(5): the commands of operators and of whoever settles a sale: why each is refused, and what it does.

Rule: codes and bounds are the program's; the order in which they are judged is held against it by a test.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.commands import KINDS, MAX_COMMAND_TIME_NS, Capacity
from auctionctl.auction.phase import EndReason
from auctionctl.auction.rejection import Code
from auctionctl.auction.rules import Cancellation
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.manual.log_rules import BY_PHASE, refusals_table
from auctionctl.cli.manual.roff import Paragraph, Part, Subheading, Table

Refusals = tuple[tuple[Code, str], ...]

COMMAND_REFUSALS: Final[Refusals] = (
    (Code.WRONG_HOUSE, "the command's `house` is not that of the terms"),
    (Code.COMMAND_REPEATED, "H(body) is one of the commands in the log"),
    (Code.EXPIRED, "`not_after_ns` < t"),
    (
        Code.NOT_AFTER_TOO_FAR,
        f"`not_after_ns` > t + {MAX_COMMAND_TIME_NS} ({MAX_COMMAND_TIME_NS // SECOND_NS} s)",
    ),
)
"""Of every command, before what is said of its type."""

_OVER: Final = (Code.CLOSED, "the phase is closed, or t >= deadline")
_NO_SALE: Final = (Code.NO_SALE, f"there is no stage{BY_PHASE}")
_AFTERWARDS: Final = (
    (Code.SETTLED, f"the stage is settled{BY_PHASE}"),
    (Code.REVERTED, "the stage is reverted; or it is defaulted, and t >= deadline"),
)
_NOT_THE_SELLER: Final = (Code.NOT_THE_SELLER, "`actor` is not the seller")
_PAYMENT: Final[Refusals] = (
    (Code.NOT_THE_SELLER, f"`capacity` is `{Capacity.SELLER}`, and `actor` is not the seller"),
    (Code.NOT_PAID, f"the stage is not paid{BY_PHASE}"),
    (Code.WRONG_PAYMENT, "`payment` is another than the last payment"),
)
_ANSWER: Final[Refusals] = (
    (Code.NO_OFFER, "the stage is not offered, or t >= deadline"),
    (Code.NOT_OFFERED, "`actor` is not offered_to"),
    (Code.WRONG_OFFER, "`offer` is another than the offer that stands"),
)

OF_OPERATORS: Final[dict[str, tuple[Refusals, str]]] = {
    "pause": (
        (
            _OVER,
            (Code.NOT_OPEN, f"the phase is announced{BY_PHASE}"),
            (Code.PAUSED, f"the phase is paused{BY_PHASE}"),
            (Code.PAUSES_USED_UP, "not may_pause"),
        ),
        "A pause begins, not by_terms.",
    ),
    "resume": (
        (
            _OVER,
            (Code.NOT_PAUSED, f"the phase is not paused{BY_PHASE}"),
            (Code.PAUSED_BY_TERMS, "by_terms"),
        ),
        "The pause ends.",
    ),
    "cancel": (
        (
            _OVER,
            (Code.HAS_BIDS, f"there is a bid, and `cancellation` is `{Cancellation.BEFORE_FIRST_BID}`"),
        ),
        f"The end reason is `{EndReason.CANCELLED}`.",
    ),
}
"""Type → why it is refused, in order, and what follows if it is not."""

OF_THE_SALE: Final[dict[str, tuple[Refusals, str]]] = {
    "pay": (
        (
            (Code.DEFAULTED, "the stage is defaulted or offered, or t >= deadline"),
            (Code.NOT_THE_WINNER, "`actor` is not the debtor"),
            (Code.ALREADY_PAID, f"the stage is paid{BY_PHASE}"),
            (Code.WRONG_AMOUNT, "the amount is not the price, or `currency` not that of the terms"),
        ),
        "payment = H(body), paid_at = at.",
    ),
    "settle": (_PAYMENT, "It is over: the lot is the debtor's."),
    "reject_payment": (
        _PAYMENT,
        "due += at - paid_at, for the first one of this debtor alone: no later one moves it. absent_since is unset"
        " if the debtor is present, and otherwise at.",
    ),
    "offer": (
        (
            _NOT_THE_SELLER,
            (Code.NO_DEFAULT, f"the stage is not defaulted, or there is no next bidder{BY_PHASE}, or `reverted`"),
            (
                Code.NOT_NEXT_BIDDER,
                "`bidder`, amount and `bid_index` are not the next bidder and its best, or `currency` is not that of"
                " the terms",
            ),
        ),
        "offer = H(body), offered_to = `bidder`, by = at + `offer_ns`.",
    ),
    "accept": (_ANSWER, "`actor` owes the amount of its best, from at on."),
    "decline": (_ANSWER, "The offer is turned down."),
}
"""As :data:`OF_OPERATORS`."""


def command_parts() -> tuple[Part, ...]:
    """The signed commands besides joinings and bids."""
    parts: list[Part] = [
        Subheading("Commands"),
        Paragraph(
            "Commands are the signed entries besides terms, joinings and bids. First, for all of them: the body is"
            " canonical, within its bounds, and of the type that belongs to the kind (`entry`); it is signed by"
            " `actor` (`signature`); `auction` is the id of this one (`wrong_auction`). Then:"
        ),
        refusals_table(COMMAND_REFUSALS),
        Paragraph(
            "Then what follows says of its type. If nothing is wrong, H(body) is one of the commands, the phase or"
            " stage is the one in the table above, and what is said below the table holds."
        ),
    ]
    for name, (refusals, effect) in OF_OPERATORS.items():
        parts += [Subheading(f"{name} ({KINDS[name]})"), refusals_table(refusals), Paragraph(effect)]
    parts += [
        Subheading("Commands of the sale"),
        Paragraph("For all the others, before what is said of each:"),
        refusals_table((_NO_SALE, *_AFTERWARDS)),
    ]
    for name, (refusals, effect) in OF_THE_SALE.items():
        parts += [Subheading(f"{name} ({KINDS[name]})"), refusals_table(refusals), Paragraph(effect)]
    return (*parts, *_operator_parts())


def _operator_parts() -> tuple[Part, ...]:
    rows = (
        *((f"`{name}`", "always") for name in OF_OPERATORS),
        *((f"`{name}`", f"if `capacity` is `{Capacity.OPERATOR}`") for name in ("settle", "reject_payment")),
    )
    return (
        Subheading("Operators"),
        Paragraph("Whoever signs these has acted as an operator of the house:"),
        Table(("type", "when"), rows),
        Paragraph(
            "That its key is one of an operator the log does not say: in it, it is the word of the house, which its"
            " registry confirms or not. So keep index, time and signing key of each, for whoever has the registry: see"
            " The registry."
        ),
    )


def sale_refusals(name: str) -> Refusals:
    """Why a command of the sale of this type is refused, all of it, in the order in which it is judged."""
    return (*COMMAND_REFUSALS, _NO_SALE, *_AFTERWARDS, *OF_THE_SALE[name][0])


def operator_refusals(name: str) -> Refusals:
    """The same of a command of operators."""
    return (*COMMAND_REFUSALS, *OF_OPERATORS[name][0])
