"""auctionctl-api(7): the library, with examples that tests run against a real house, and the brief's names in a table.

Rule: every name that ``auctionctl`` exports stands here; a test compares them.
"""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.roff import Code, Definitions, Heading, Page, Paragraph, Part, Table

EXAMPLES: Final = {
    "Look at what a house holds, and listen": """\
import asyncio, sys
from auctionctl import connect

async def main(address, key):
    async with connect(address, key) as house:
        for auction in await house.list():
            print(auction.listing, auction.phase, auction.price or "no bid yet")
        async for applied in house.subscribe("vase"):
            print(applied.entry_index, applied.entry.kind, applied.fact)

asyncio.run(main(*sys.argv[1:]))""",
    "Bid once, and prove it": """\
import asyncio, sys
from auctionctl import Accepted, connect, verify

async def main(address, key):
    async with connect(address, key) as house:
        ending = await house.bid("vase", "12.50EUR")
        if isinstance(ending, Accepted):
            print(ending.notice.evidence.text)
        ended = await house.wait_for_end("vase")
        log = await house.export("vase")
        print("won" if ended.is_ours else "lost", verify(log, house.address).auction.outcome)

asyncio.run(main(*sys.argv[1:]))""",
    "Let a strategy bid, one of your own": """\
import asyncio, sys
from auctionctl import Offer, Wait, connect

class Patient:
    def decide(self, view, purse, now_ns, rng):
        begin_ns = view.end_ns - view.duration_ns // 2
        if now_ns < begin_ns:
            return Wait(begin_ns)
        if view.is_leading or view.minimum_minor > purse.available_minor:
            return Wait()
        return Offer(view.minimum_minor)

async def main(address, key):
    async with connect(address, key) as house:
        report = await house.run(lambda terms: Patient(), budget="100.00EUR", match=["gpu-*"], max_per_auction="20EUR")
        print(report.totals.won, report.totals.spent_minor, report.totals.saved_minor)

asyncio.run(main(*sys.argv[1:]))""",
}
"""What an example shows → a program that takes the address of a house and the name of a key."""

NAMES: Final = {
    "connect": "`connect(address, key, home=None)`: a `Connection`, to be entered with `async with`. `key` is the name"
    " of a key, its file, or a `SecretKey`; `home` is what AUCTIONCTL_HOME is for commands.",
    "Connection": "`list()`, `auction(name)`, `subscribe(name, start=0)`, `wait_for_end(name)`, `export(name)`;"
    " `bid(name, amount, wait_s=30, max_per_auction=…)`; `run(strategy, budget=…, auctions=…, match=…,"
    " max_per_auction=…, params=…, seed=…, on_notice=…)`. Both keep to `[caps]` in config.toml, too.",
    "Snapshot": "An auction at one moment, computed from its verified log.",
    "Applied": "An entry that passed the rules and is covered by a checkpoint: `entry`, `entry_index`, `fact`.",
    "Accepted": "What `bid` returns with its proof: `notice.evidence`, `is_leading`. Its other ends are those of a"
    " single bid, see `auctionctl-bid`(1).",
    "Rejected": "A bid that the rules refused: `notice.rejection` is signed, with code and observed values.",
    "Report": "What `run` returns: `outcomes` by auction, and `totals`.",
    "Outcome": "How an auction ended: a `Result`, the price, our bids.",
    "Result": "`WON`, `LOST`, `NO_SALE`, and what else `auctionctl-bid`(1) says of `result`.",
    "AgentNotice": "What `on_notice` is told, as it happens: placed, accepted, rejected, outbid, ended….",
    "Strategy": "A method `decide(view, purse, now_ns, rng)`: see `auctionctl-strategies`(7). What yours raises, or"
    " says wrongly, is no bid and a warning of the logger `auctionctl`. By name, `run` takes all that come along but"
    " `manual`.",
    "AuctionView": "What a strategy sees of an auction.",
    "Purse": "The money that a strategy may bid.",
    "Offer": "A strategy's answer: bid this now.",
    "Wait": "A strategy's answer: do nothing before this time.",
    "STRATEGIES": "The strategies that come along, by name, each with its parameters.",
    "verify": "`verify(log, house)`: an `Audit`, offline, or VerificationError with the rule and the entry.",
    "Audit": "What a verified log shows: `auction`, `checkpoint`, `is_finished`.",
    "Bid": "A bid as its bidder signed it.",
    "Lot": "What is sold: title, description, estimate.",
    "Terms": "Lot and rules of one auction.",
    "Opened": "The fact of an entry by which bidding begins.",
    "Closed": "The fact of an entry by which bidding ends.",
    "Money": "An amount in minor units with its currency.",
    "parse_money": "`12.50EUR` as `Money`.",
    "SecretKey": "A key; it never shows itself.",
    "AuctionctlError": "What everything here raises is one of these; `hint` says what to do.",
}

COUNTERPARTS: Final = (
    ("Item", "`Lot`, in `Terms.lot`"),
    ("Bid", "`Bid`"),
    ("AuctionConfig", "`Terms`, and its `rules`"),
    ("AuctionStart", "`Opened`, from `subscribe`"),
    ("AuctionEnd", "`Closed`, from `subscribe`"),
    ("AuctionResult", "`Outcome`; of any auction `Snapshot`, once it has ended"),
    ("Bidder", "`Connection.run`, around a `Strategy`"),
    ("SmartBidder", '`Connection.run("smart", …)`'),
)


def page() -> Page:
    """The page."""
    parts: list[Part] = [
        Heading("Description"),
        Paragraph(
            "A program does at a house what the commands do, under the same rules: what it is told was verified; a bid"
            " is on disk before it is sent; receipts are kept; one bidder at a time runs under a key. Everything is"
            " typed and asynchronous, and names are loaded when asked for. Warnings go to the logger `auctionctl`."
        ),
        Heading("Examples"),
    ]
    for title, code in EXAMPLES.items():
        parts += [Paragraph(f"{title}:"), Code(code)]
    parts += [
        Heading("Names"),
        Paragraph("All of them are imported from `auctionctl`."),
        Definitions(tuple((f"`{name}`", meaning) for name, meaning in NAMES.items())),
        Heading("Other words for the same"),
        Paragraph("Other programs, and some users, call these things:"),
        Table(("they say", "here"), COUNTERPARTS),
    ]
    return Page(
        name="auctionctl-api",
        section=7,
        title="the Python library: connect, list, subscribe, bid, run strategies, verify",
        parts=tuple(parts),
        see_also=("auctionctl(1)", "auctionctl-bid(1)", "auctionctl-strategies(7)", "auctionctl-verify(1)"),
    )
