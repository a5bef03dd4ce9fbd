"""auctionctl-market(5): the files of ``simulate`` and ``replay``, and what is counted how."""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.roff import Code, Definitions, Heading, Page, Paragraph, Subheading

MARKET_EXAMPLE: Final = """\
[market]
auctions = 20000
lots = 4
order = "concurrent"
seed = 1

[lot]
item = "An hour of compute"
starting_price = "1.00EUR"
increment = "1.00EUR"
duration = "5m"

[values]
distribution = "affiliated"
common = ["0EUR", "50EUR"]
private = ["0EUR", "50EUR"]

[[bidder]]
strategy = "truthful"
count = 3

[[bidder]]
name = "late"
strategy = "sniper"
budget = "150EUR"
latency = "20ms"
reaction = ["50ms", "200ms"]

[[bidder]]
name = "cautious"
strategy = "shading"
noise = "10EUR"
"""

TAPE_EXAMPLE: Final = """\
auction,bidder,amount,time
watch,ann,200.00EUR,2026-01-31T12:00:00Z
watch,ben,210.00EUR,2026-01-31T12:00:04.5Z
"""

MARKET_MEANINGS: Final = {
    "auctions": "How many auctions are held in all; 1000 by default. The last market is held to its end.",
    "lots": "How many lots a market has, under one wallet a bidder; 1 by default.",
    "order": "`sequential` (the default): a lot opens when everybody has seen the one before it end; or `concurrent`.",
    "seed": "Of all chance; 1 by default.",
}
BIDDER_MEANINGS: Final = {
    "strategy": "How they bid: a name of `auctionctl strategies ls`, or FILE.py:CLASS. Not `manual` and not `exec:`,"
    " for neither people nor processes live by a virtual clock. Required.",
    "name": "What they are called, the strategy or its class by default; several are numbered.",
    "count": "How many there are; 1 by default.",
    "budget": "What each of them may spend in one market; without bounds by default.",
    "reaction": "How long it takes them to do something about news: a duration, or the shortest and the longest,"
    ' between which it is drawn; `["100ms", "500ms"]` by default. News that come meanwhile are looked at in one go.',
    "latency": "How long a message takes to the house, and as long back; `0ms` by default.",
    "noise": "By how much at the most what they believe a lot to be worth differs from its value; nothing by default.",
    "params": 'Parameters of the strategy, such as `{ margin = "0.2" }`; never `value`, which is drawn.',
    "values": "A table as `[values]`: theirs are drawn apart from those of the others.",
}
VALUE_MEANINGS: Final = {
    "uniform": "Every amount from `low` to `high`, both included.",
    "lognormal": 'Half of the values are below `median`; `sigma`, such as `"0.5"`, is the deviation of the logarithm.',
    "affiliated": "A part that a lot has for everybody, from `common`, and one of each bidder's own, from `private`;"
    " each is a pair of amounts.",
    "recorded": "`file`, beside the market, is a CSV file: the names of the bidders in its first line, then a line of"
    " amounts an auction; after the last comes the first again.",
}


def page() -> Page:
    """The page."""
    return Page(
        name="auctionctl-market",
        section=5,
        title="simulated markets, and tapes of bids",
        parts=(
            Heading("Description"),
            Paragraph(
                "`auctionctl simulate` holds the auctions of a market under a virtual clock, in one process. The rules"
                " are those by which a house judges and a log is verified; the strategies and wallets are those of real"
                " bidders. There are no signatures and no log: a simulation proves nothing to anybody. The same file"
                " and seed give the same output, byte for byte, and other strategies or rules meet the same values."
            ),
            Heading("Markets"),
            Paragraph("A market is a TOML file. In the table `[market]`, which may be left out:"),
            Definitions(tuple((f"`{key}`", meaning) for key, meaning in MARKET_MEANINGS.items())),
            Paragraph(
                "`[lot]` is required, and has the keys of an `[[auction]]`, see auctionctl-house(5); `min_bidders` is 1"
                " by default. Bidding ends when its time is up, however few steps that left room for: with a soft close"
                " it goes on while somebody bids. `[values]` is required, too, and says what lots are worth to bidders,"
                " by its key `distribution`:"
            ),
            Definitions(tuple((f"`{key}`", meaning) for key, meaning in VALUE_MEANINGS.items())),
            Paragraph("Each `[[bidder]]` is one bidder, or several who bid alike:"),
            Definitions(tuple((f"`{key}`", meaning) for key, meaning in BIDDER_MEANINGS.items())),
            Subheading("Tournaments"),
            Paragraph(
                "With `--tournament` every two `[[bidder]]` meet, half of the seats each, twice, in each other's seats"
                " and with the same values; counts and values of their own do not matter. A meeting is won if the 95%"
                " interval of the difference of the surpluses does not hold 0."
            ),
            Heading("Figures"),
            Paragraph(
                "Amounts are summed as integers; means and intervals are floats at the end, with fixed digits."
                " Intervals are of 95%, and count markets as independent, not lots. Efficiency is what the lots are"
                " worth to their winners, over what they are worth to whoever values them most; surplus is value less"
                " price."
            ),
            Heading("Tapes"),
            Paragraph(
                "`auctionctl replay` judges the bids of a CSV file: `bidder`, `amount`, `time`, and `auction` where"
                " there are several. A time is a date of RFC 3339, or seconds with up to nine digits after the point."
                " Bids come before the rules by their times, and of one time by their lines. An auction opens with its"
                " first bid, unless `--opened` says when, and whoever bids in it has joined it by then. The terms are a"
                " lot, as `auctionctl open` takes one."
            ),
            Heading("Examples"),
            Paragraph("A market:"),
            Code(MARKET_EXAMPLE),
            Paragraph("A tape:"),
            Code(TAPE_EXAMPLE),
        ),
        see_also=(
            "auctionctl(1)",
            "auctionctl-simulate(1)",
            "auctionctl-replay(1)",
            "auctionctl-strategies(1)",
            "auctionctl-house(5)",
        ),
    )
