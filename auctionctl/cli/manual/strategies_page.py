"""auctionctl-strategies(7): how a bidder can bid, and how to write a strategy of one's own, in Python or anything else.

Rule: the strategies and their parameters are drawn from their own data; of each field of a question and of a view a
meaning stands here, and a test compares the names.
"""

from __future__ import annotations

import json
from typing import Final

from auctionctl.bidding.dialogue import (
    HANGING_LIMITS,
    MAX_ANSWER_BYTES,
    MAX_UNASKED,
    RECENT_BIDS,
    RECENT_LOTS,
    SCHEMA,
)
from auctionctl.bidding.strategies import SPECS
from auctionctl.bidding.strategy import Parameter, StrategySpec
from auctionctl.cli.manual.roff import Code, Definitions, Heading, Page, Paragraph, Part, Subheading
from auctionctl.cli.own_strategies import GROUP
from auctionctl.cli.strategy_option import DEFAULT_LIMIT_NS, LIMIT
from auctionctl.client.fence import NOTE_EVERY_S
from auctionctl.net.remarks import MAX_LINES

QUESTION: Final = {
    "schema": f"`{SCHEMA}`.",
    "id": "The number of the question, to be repeated in the answer.",
    "auction": "The id of the auction, in hex: one program is asked about all of them.",
    "title": "What is sold, in the seller's words: text of a stranger.",
    "currency": "The currency of all amounts.",
    "digits": "How many digits of an amount stand after the point: 1250 with 2 is 12.50.",
    "now_ns": "The house's time.",
    "limit_ns": "How long there is to answer.",
    "starting_price": "The least first bid.",
    "price": "The price now; null before the first bid.",
    "minimum": "The least bid that the rules take now.",
    "increment": "The step at the price.",
    "estimate": "What the seller holds the lot worth, or null.",
    "opened_at_ns": "When bidding began.",
    "end_ns": "When it ends, as things stand.",
    "max_end_ns": "Beyond which late bids move the end no more.",
    "duration_ns": "How long it was to last.",
    "soft_close_window_ns": "A bid within so long of the end moves it to so long after the bid; 0: none does.",
    "round_trip_ns": "How long a message to the house and back took last; 0 if that is not known.",
    "active_bidders": "How many others have bid.",
    "bid_count": "How many bids were accepted.",
    "own_number": "Which bidder of `recent_bids` we are; null before our first bid.",
    "recent_bids": f"The last {RECENT_BIDS} accepted bids, the newest last, each [bidder, amount, time_ns]; bidders are"
    " numbered from 0, by their first bid.",
    "closed_lots": f"The last {RECENT_LOTS} lots that this bidder has seen close, the newest last: `words` of the"
    " title, `starting_price`, `estimate` or null, `price` or null, `is_sold`, `bidders`, `ended_ns`, and `paid`, which"
    " is 0 unless we won.",
    "lots_open": "In how many auctions we take part that are open, this one included.",
    "lots_to_come": "And in how many that are announced.",
    "available": "The most that the budget leaves for this auction.",
    "budget": "The whole budget.",
    "committed": "How much of it is tied up, over all auctions, wins included.",
    "spent": "How much of it was won with.",
    "parameters": "What was given with `--param`, as an object of texts.",
}
ANSWER: Final = {
    "id": "The number of the question.",
    "bid": 'Bid this, now: a whole number of minor units, or text such as "12.50" or "12.50EUR".',
    "currency": "The currency of `bid`, where one wants to be sure; another one than the auction's is no bid.",
    "wait_ns": "Without `bid`: ask again after so many nanoseconds, 10 ms at the least, even if nothing happens.",
}
EXAMPLE: Final = {"id": 17, "bid": 1250}


def page() -> Page:
    """The page."""
    return Page(
        name="auctionctl-strategies",
        section=7,
        title="how a bidder bids, and how to write a strategy of your own",
        parts=(*_description(), *_known(), *_in_python(), *_in_any_language()),
        see_also=("auctionctl(1)", "auctionctl-bid(1)", "auctionctl-strategies(1)", "auctionctl-strategies-show(1)"),
    )


def _description() -> tuple[Part, ...]:
    return (
        Heading("Description"),
        Paragraph(
            "A strategy is asked what to do in one auction whenever something has happened there, or when it wanted to"
            " be asked again. It answers with an offer or waits. Whatever it answers, the bidder sends only what the"
            " rules of the auction, its wallet and its budget allow, and signs no second bid before it is known what"
            " became of the last one."
        ),
        Paragraph(
            "`auctionctl bid --strategy` takes the name of one that comes along or that an installed package brings"
            " along, ‹FILE›`.py:`‹CLASS›, or `exec:`‹COMMAND›. Nothing is loaded or run before it is named there. It"
            " then has all your rights: run nobody's strategy whom you would not trust with your keys."
        ),
    )


def _known() -> tuple[Part, ...]:
    parts: list[Part] = [Heading("Strategies that come along")]
    for spec in SPECS.values():
        parts += [Subheading(spec.name), Paragraph(f"{spec.summary[:1].upper()}{spec.summary[1:]}. {_source(spec)}")]
        if spec.parameters:
            parts.append(Definitions(tuple((f"`{each.name}`", _meaning(each)) for each in spec.parameters)))
    return tuple(parts)


def _source(spec: StrategySpec) -> str:
    return f"Source: {spec.source}."


def _meaning(parameter: Parameter) -> str:
    default = "required" if parameter.is_required else f"by default {parameter.default}" if parameter.default else ""
    return f"{parameter.meaning[:1].upper()}{parameter.meaning[1:]} ({parameter.kind}{default and '; ' + default})."


def _in_python() -> tuple[Part, ...]:
    return (
        Heading("In Python"),
        Paragraph(
            "A class with a method `decide`, made once for each auction. Its arguments are parameters, which `--param`"
            " hands over by name, as text. It is named by its file, or by an entry point of the group"
            f" `{GROUP}`, which may hold a `StrategySpec` as well."
        ),
        Code(
            "from auctionctl.bidding.strategy import Offer, Wait\n"
            "\n"
            "class Patient:\n"
            '    """The minimum, in the last ten seconds."""\n'
            "\n"
            "    def decide(self, view, purse, now_ns, rng):\n"
            "        begin_ns = view.end_ns - 10_000_000_000\n"
            "        if now_ns < begin_ns:\n"
            "            return Wait(begin_ns)\n"
            "        if view.is_leading or view.minimum_minor > purse.available_minor:\n"
            "            return Wait()\n"
            "        return Offer(view.minimum_minor)"
        ),
        Paragraph(
            "`view` and `purse` hold what a question holds, see below; amounts have names that end in `_minor`, and the"
            " bids are `view.tape`. Chance comes from `rng` alone, so that `--seed` repeats a run. An exception, or"
            " anything else than an `Offer` or a `Wait` of whole numbers, is no bid and a warning with the name of the"
            f" class and the line, at most every {NOTE_EVERY_S:g} s; so is an offer below `view.minimum_minor` or above"
            " `purse.available_minor`. A method that does not return holds up the bidder:"
            " where that may be, write a program."
        ),
    )


def _in_any_language() -> tuple[Part, ...]:
    return (
        Heading("In any language"),
        Paragraph(
            "`exec:`‹COMMAND› runs a program, split into words as a shell does it, but without one. There is one for"
            " all auctions of the bidder. Each question is a line of JSON on its standard input, each answer a line on"
            " its standard output, of which it has to be sure that it leaves at once; its standard error is that of the"
            " bidder. Further fields may be added to questions."
        ),
        Subheading("Questions"),
        Definitions(tuple((f"`{name}`", meaning) for name, meaning in QUESTION.items())),
        Subheading("Answers"),
        Definitions(tuple((f"`{name}`", meaning) for name, meaning in ANSWER.items())),
        Code(json.dumps(EXAMPLE)),
        Paragraph("With neither `bid` nor `wait_ns` it does nothing until something changes."),
        Subheading("What becomes of them"),
        Paragraph(
            "The bidder never waits for an answer. One counts only while the auction and the purse are as they were"
            " when it was asked for; after that it is dropped, and a new question follows. Whoever leads is not asked."
            f" An answer is late after {DEFAULT_LIMIT_NS // 1_000_000_000} s, or what the parameter `{LIMIT}` says,"
            " such as `--param limit=250ms`: it is no bid, and once it has come the question is put anew. After one"
            " that cannot be read, a bid below `minimum` or above `available`, or one in another currency, there is no"
            " bid until something changes."
        ),
        Paragraph(
            f"A line of more than {MAX_ANSWER_BYTES} bytes is none. Who writes more than {MAX_UNASKED} lines that"
            f" answer nothing, or has been silent for {HANGING_LIMITS} times the limit although asked, is killed with"
            " all that it started; who ended, or was killed, is started again: at once, then after pauses of up to 5 s."
            f" All this is said in warnings, at most every {NOTE_EVERY_S:g} s. At its end the bidder ends the program"
            " with SIGTERM, and after a moment all that is left of its process group with SIGKILL. What has left that"
            " group, as a daemon does, is not found, and lives on: have a strategy start no such thing."
        ),
        Paragraph(
            f"What it writes to stderr is shown as notes of the bidder, without control characters: {MAX_LINES} lines"
            " a second at most, of which the rest is counted."
        ),
    )
