"""``replay``: a recorded tape of bids through the rules, under terms of one's choice: what would have happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import argument
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_facts, write_fields, write_line, write_list, write_note, write_table
from auctionctl.cli.progress import shown_progress

if TYPE_CHECKING:
    from auctionctl.market.floor import MarketTerms
    from auctionctl.market.tape import JudgedBid, ReplayedAuction

SCHEMA: Final = "auctionctl.replay/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "auctions": "Every auction on the tape, each with the fields below. With `--output jsonl` each is a line of its"
        " own, under the same schema.",
        "auction": "What the tape calls it; without a column `auction`, the name of the file.",
        "end_reason": "`completed`, `reserve_not_met`, `no_bids`, or `cancelled`, if too few bidders are on the tape.",
        "winner": "Who would have bought it; null without a sale.",
        "price": "The price of the sale; null without one.",
        "opened_at_ns": "When it opened; null if it did not.",
        "ended_at_ns": "When it ended.",
        "extensions": "How often the end was moved by late bids.",
        "accepted": "How many bids the rules take.",
        "rejected": "Code → how many bids the rules refuse by it.",
        "bids": "Every bid, as it was judged: `line` of the file, `time_ns`, `bidder`, `amount`, `verdict` (`accepted`"
        " or `rejected`), and if rejected its `code`, the `rule` in words, and what was `observed`.",
        "price_path": "How the price rose: `time_ns` and `price`.",
    }
}
AUCTION_COLUMNS: Final = ("auction", "result", "winner", "price", "accepted", "rejected")
BID_COLUMNS: Final = ("line", "time", "bidder", "bid", "verdict", "price")
LOT_COLUMNS: Final = ("auction", *BID_COLUMNS)

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl replay bids.csv --terms other-rules.toml --json")
@with_form
def replay(
    form: Form,
    tape: Annotated[Path, typer.Argument(metavar="BIDS.csv", readable=False, help="bidder,amount,time[,auction]")],
    *,
    terms: Annotated[
        Path, typer.Option(metavar="TERMS.toml", readable=False, help="A lot, with the keys of an [[auction]].")
    ],
    opened: Annotated[
        str | None, typer.Option(metavar="TIME", help="When bidding began; else with the first bid of each auction.")
    ] = None,
    bids: Annotated[bool, typer.Option("--bids", help="Show every bid, also of several auctions.")] = False,
) -> int:
    """Put a recorded tape of bids through the rules under other terms: accepted, rejected, price, winner.

    A tape is a CSV file: bidder,amount,time a line, and auction where there are several; times are dates of RFC 3339 or
    seconds. Nobody bids otherwise than on the tape. Whoever bids on it takes part from the opening.
    """
    from auctionctl.cli.settings.offered_lot import read_offered_lot  # noqa: PLC0415
    from auctionctl.cli.settings.tape_file import parse_time, read_tape  # noqa: PLC0415
    from auctionctl.market.floor import terms_of  # noqa: PLC0415
    from auctionctl.market.tape import replay as put_through  # noqa: PLC0415

    with argument("--opened"):
        opens_ns = None if opened is None else parse_time(opened)
    market_terms = terms_of(read_offered_lot(terms, {}))
    rows = read_tape(tape, market_terms.terms.rules.currency)
    replayed = []
    with shown_progress(form, "auctions") as tell:
        for name, taped in rows.items():
            replayed.append(put_through(name, taped, market_terms, opens_ns))
            tell(len(replayed), len(rows))
    _note_unopened(replayed, market_terms)
    if form.is_json:
        records = [_record(auction, market_terms) for auction in replayed]
        write_list(form, SCHEMA, "auctions", records, columns=(), rows=())
    elif len(replayed) == 1:
        _write_one(form, replayed[0], market_terms)
    else:
        _write_several(form, replayed, market_terms, bids)
    return ExitStatus.OK


def _note_unopened(replayed: list[ReplayedAuction], terms: MarketTerms) -> None:
    """Say on stderr why an auction did not open: a tape says nothing of those who were there and did not bid."""
    needed = terms.terms.rules.min_bidders
    unopened = [auction.name for auction in replayed if auction.opened_at_ns is None]
    if unopened:
        which = "" if len(replayed) == 1 else f" ({', '.join(unopened)})"
        write_note(
            f"not opened{which}: fewer bidders are on the tape than min_bidders = {needed} asks for; the terms may ask"
            " for 1"
        )


def _record(auction: ReplayedAuction, terms: MarketTerms) -> dict[str, object]:
    from auctionctl.cli.records import amount  # noqa: PLC0415

    currency = terms.terms.rules.currency
    return {
        "auction": auction.name,
        "end_reason": auction.end_reason.value,
        "winner": auction.winner,
        "price": amount(auction.price_minor, currency),
        "opened_at_ns": auction.opened_at_ns,
        "ended_at_ns": auction.ended_at_ns,
        "extensions": auction.extensions,
        "accepted": len(auction.accepted),
        "rejected": {code.value: count for code, count in auction.rejections.items()},
        "bids": [_bid_record(judged) for judged in auction.bids],
        "price_path": [
            {"time_ns": judged.bid.time_ns, "price": amount(judged.price_minor, currency)}
            for judged in auction.accepted
        ],
    }


def _bid_record(judged: JudgedBid) -> dict[str, object]:
    from auctionctl.cli.records import amount  # noqa: PLC0415

    bid, refusal = judged.bid, judged.refusal
    record: dict[str, object] = {
        "line": bid.line,
        "time_ns": bid.time_ns,
        "bidder": bid.bidder,
        "amount": amount(bid.amount_minor, bid.currency),
        "verdict": "accepted" if refusal is None else "rejected",
    }
    if refusal is not None:
        record |= {"code": refusal.code.value, "rule": refusal.rule, "observed": dict(refusal.observed)}
    return record


def _write_one(form: Form, auction: ReplayedAuction, terms: MarketTerms) -> None:
    rejected = ", ".join(f"{count} {code.value}" for code, count in auction.rejections.items())
    facts = [
        ("auction", auction.name),
        ("result", _result(auction)),
        ("winner", auction.winner or ""),
        ("price", _money(auction.price_minor, terms)),
        ("accepted", str(len(auction.accepted))),
        ("rejected", rejected or "0"),
        ("extensions", str(auction.extensions)),
    ]
    if form is Form.TABLE:
        write_facts([fact for fact in facts if fact[1]])
        write_line("")
    else:
        for fact in facts:
            write_fields(fact)
    write_table(form, BID_COLUMNS, [_bid_row(auction, judged, terms) for judged in auction.bids])


def _write_several(form: Form, replayed: list[ReplayedAuction], terms: MarketTerms, bids: bool) -> None:
    rows = [
        (
            auction.name,
            _result(auction),
            auction.winner or "",
            _money(auction.price_minor, terms),
            str(len(auction.accepted)),
            str(sum(auction.rejections.values())),
        )
        for auction in replayed
    ]
    write_table(form, AUCTION_COLUMNS, rows)
    if bids:
        write_line("")
        judged = [(auction, bid) for auction in replayed for bid in auction.bids]
        write_table(form, LOT_COLUMNS, [(auction.name, *_bid_row(auction, bid, terms)) for auction, bid in judged])


def _bid_row(auction: ReplayedAuction, judged: JudgedBid, terms: MarketTerms) -> tuple[str, ...]:
    from auctionctl.auction.price import format_minor  # noqa: PLC0415

    bid, refusal = judged.bid, judged.refusal
    return (
        str(bid.line),
        _clock(bid.time_ns, auction.opened_at_ns),
        bid.bidder,
        format_minor(bid.amount_minor, bid.currency),
        "accepted" if refusal is None else refusal.code.value,
        _money(judged.price_minor, terms),
    )


def _clock(time_ns: int, opened_at_ns: int | None) -> str:
    """Seconds since the opening: what the rules count by; of an auction that did not open, the time of the tape."""
    from auctionctl.auction.terms import SECOND_NS  # noqa: PLC0415

    since_ns = time_ns - (opened_at_ns or 0)
    sign = "-" if since_ns < 0 else ""
    seconds, rest_ns = divmod(abs(since_ns), SECOND_NS)
    return f"{sign}{seconds}.{rest_ns:09}".rstrip("0").rstrip(".") + "s"


def _money(minor: int | None, terms: MarketTerms) -> str:
    from auctionctl.auction.price import format_minor  # noqa: PLC0415

    return "" if minor is None else format_minor(minor, terms.terms.rules.currency)


def _result(auction: ReplayedAuction) -> str:
    from auctionctl.views.auction_row import END_WORDS  # noqa: PLC0415

    return END_WORDS[auction.end_reason]
