"""Bids, offers and looks at a house that are wrong in themselves: each is refused before any house is asked."""

from __future__ import annotations

from typing import Final

from hostile_arguments import ADDRESS, ADDRESSES, BIDI, BUDGETS, CONTROLS, LONG, NAMES
from hostile_case import Case, Fifo, Lying
from hostile_files import LOT, ODD_FILES, TOMLS

AT: Final = ("--house", ADDRESS, "--key", "alice")
ONE_BID: Final = ("bid", "x", *AT)
OFFER: Final = ("open", *AT)
LAMP: Final = (*OFFER, "--item", "Lamp", "--starting-price", "10EUR")

AMOUNTS: Final = {name: text for name, text in BUDGETS.items() if name != "plus"} | {
    "nothing": "0EUR",
    "nothing more": "+0EUR",
    "plus twice": "++1EUR",
    "plus alone": "+",
    "plus and controls": f"+{CONTROLS}",
    "plus more than there is": "+10000000000000.01EUR",
    "least in words": "minimum",
    "very long": LONG,
}

BIDS: Final = [
    *(Case(f"bid --amount: {name}", (*ONE_BID, "--amount", text), 2, "--amount: ") for name, text in AMOUNTS.items()),
    *(
        Case(f"bid --amount, JSON: {name}", (*ONE_BID, "--amount", text, "--dry-run", "--json"), 2, "--amount: ")
        for name, text in AMOUNTS.items()
    ),
    Case("bid --amount without an amount", (*ONE_BID, "--amount"), 2, "--amount"),
    Case("bid --amount without an auction", ("bid", *AT, "--amount", "1EUR"), 2, "--all"),
    Case("bid --amount in all", ("bid", "--all", *AT, "--amount", "1EUR"), 2, "one auction"),
    Case("bid --amount in two", (*ONE_BID, "y", "--amount", "1EUR"), 2, "one auction"),
    Case("bid --amount in ten thousand", (*ONE_BID, *["y"] * 10_000, "--amount", "1EUR"), 2, "one auction"),
    Case("bid --amount by a strategy", (*ONE_BID, "--amount", "1EUR", "--strategy", "smart"), 2, "is for many"),
    Case("bid --amount within a budget", (*ONE_BID, "--amount", "1EUR", "--budget", "1EUR"), 2, "is for many"),
    Case("bid --amount with parameters", (*ONE_BID, "--amount", "1EUR", "--param", CONTROLS), 2, "is for many"),
    Case("bid --dry-run without an amount", (*ONE_BID, "--dry-run"), 2, "single bid"),
    Case("bid --wait without an amount", (*ONE_BID, "--wait", "1s"), 2, "single bid"),
    Case("bid --amount where no state can be", (*ONE_BID, "--amount", "1EUR"), 78, "cannot", {"home/state": b"mine"}),
    *(
        Case(f"bid --wait: {name}", (*ONE_BID, "--amount", "1EUR", "--wait", text), 2, "--wait: ")
        for name, text in {
            "NaN": "NaN",
            "negative": "-5s",
            "huge": "9" * 19 + "d",
            "very long": "9" * 100_000,
            "unicode digits": "\u0665s",
            "controls": "5s" + CONTROLS,
            "empty": "",
        }.items()
    ),
]

OFFERS: Final = [
    Case("open nothing", OFFER, 2, "say what is sold"),
    Case("open without a price", (*OFFER, "--item", "x"), 2, "starting_price is missing"),
    Case("open without an item", (*OFFER, "--starting-price", "1EUR"), 2, "item is missing"),
    Case("open quietly, for nothing", (*LAMP, "--quiet", "--dry-run"), 2, "--dry-run makes none"),
    Case("open two files", (*OFFER, "a", "b"), 2, "unexpected extra argument"),
    Case("open an unknown option", (*LAMP, "--frobnicate"), 2, "no such option"),
    Case("open with a key that is missing", (*LAMP, "--key", "zed"), 3, "there is no key file"),
    *(
        Case(f"open --listing: {name}", (*LAMP, "--listing", text), 2, "listing")
        for name, text in NAMES.items()
        if text and name not in ("300 characters", "33 characters", "begins with a point", "per cent", "capital")
    ),
    *(
        Case(f"open {option}: {name}", (*OFFER, "--item", "Lamp", option, text), 2, option.strip("-").replace("-", "_"))
        for option in ("--starting-price",)
        for name, text in BUDGETS.items()
    ),
    *(
        Case(f"open {option}: {name}", (*LAMP, option, text), 2, option.strip("-").replace("-", "_"))
        for option in ("--reserve-price", "--estimate", "--increment")
        for name, text in BUDGETS.items()
        if name != "no currency"
    ),
    *(
        Case(f"open {option}: {name}", (*LAMP, option, text), 2, option.strip("-").replace("-", "_"))
        for option in ("--duration", "--start-timeout", "--bid-timeout", "--soft-close", "--max-extension")
        for name, text in {
            "negative": "-5s",
            "NaN": "NaN",
            "huge": "9" * 19 + "d",
            "very long": "9" * 100_000,
            "controls": CONTROLS,
            "bidi": BIDI,
        }.items()
    ),
    *(
        Case(f"open --min-bidders: {name}", (*LAMP, "--min-bidders", text), 2, "min")
        for name, text in {"none": "0", "negative": "-1", "huge": "9" * 4_000, "NaN": "NaN", "many": "10001"}.items()
    ),
    Case("open an item that is very long", (*OFFER, "--item", LONG, "--starting-price", "1EUR"), 2, "characters"),
    Case("open an item of nothing", (*OFFER, "--item", "", "--starting-price", "1EUR"), 2, "lot"),
    Case("open a description that is very long", (*LAMP, "--description", LONG), 2, "characters"),
    Case("open under unknown rules", (*LAMP, "--format", CONTROLS), 2, "unknown format"),
]


def _offered(name: str, odd: Lying, status: int, says: str = "") -> Case:
    return Case(f"open a file: {name}", (*OFFER, "odd"), status, says, {"odd": odd})


def _is_of_a_house(odd: Lying) -> bool:
    return isinstance(odd, str) and odd.startswith(("[house]", "house ="))


OFFERED_FILES: Final = [
    # What no house can serve, no seller can offer either; but the settings of a house are no business of a seller's.
    *(
        Case(
            each.name.replace("AUCTIONS.toml", "open a file"),
            (*OFFER, *each.arguments[1:]),
            each.status,
            "",
            each.files,
        )
        for each in TOMLS
        if each.files.get("odd") not in (None, *ODD_FILES.values()) and not _is_of_a_house(each.files["odd"])
    ),
    *(_offered(name, odd, 3 if "dangling" in name else 78) for name, odd in ODD_FILES.items()),
    _offered("a pipe with two lots", Fifo(), 78),
    _offered("two lots", LOT * 2, 78, "2 auctions, where one is needed"),
    _offered("an auction that is a number", "auction = 5\n", 78, "auction is no table"),
    Case("open a file that is missing", (*OFFER, "odd"), 3, "there is no file odd"),
    Case("open a file of controls", (*OFFER, CONTROLS), 3, "there is no file"),
    Case("open a file of a very long name", (*OFFER, LONG), 78, "name too long"),
]

LOOKS: Final = [
    Case("bidders of something", ("bidders", "x", "y", *AT), 2, "unexpected extra argument"),
    Case("bidders, unknown option", ("bidders", *AT, f"--{CONTROLS}"), 2, "no such option"),
    Case("bidders, unknown form", ("bidders", *AT, "-o", BIDI), 2, "--output"),
    Case("bidders, two forms", ("bidders", *AT, "--json", "-o", "table"), 2, "two forms"),
    Case("bidders, key that is missing", ("bidders", "--house", ADDRESS, "--key", "zed"), 3, "there is no key file"),
    *(
        Case(f"{command}, address: {name}", (command, *more, "--key", "alice", "--house", text), 2, says)
        for command, more in {
            "bidders": (),
            "open": ("--item", "Lamp", "--starting-price", "1EUR"),
            "bid": ("x", "--amount", "1EUR"),
        }.items()
        for name, (text, says) in ADDRESSES.items()
    ),
]

TRADING: Final = [*BIDS, *OFFERS, *OFFERED_FILES, *LOOKS]
