"""``show``: one auction in full, from its replayed log: its terms, where it stands, and who bid what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import Form, write_document, write_facts, write_fields, write_line, write_table

if TYPE_CHECKING:
    from auctionctl.cli.records import PlacedBid
    from auctionctl.replica.replica import Replica
    from auctionctl.views.auction_row import AuctionRow, Names

SCHEMA: Final = "auctionctl.show/1"
SHOWN_BIDS: Final = 10
BID_COLUMNS: Final = ("entry", "time", "bidder", "bid")

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl show gold-watch --bids 20")
@with_house
def show(
    at: AtHouse,
    auction: Annotated[str, typer.Argument(metavar="ID", help="The auction, by listing or first digits.")],
    bids: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help=f"How many bids, newest first; else {SHOWN_BIDS}, and in JSON all."),
    ] = None,
) -> int:
    """Show one auction: its terms, its state, its bids, and the head of its log that the house signed."""
    from auctionctl.cli.observer import names_of, read_auction  # noqa: PLC0415 - imports zmq
    from auctionctl.cli.records import bid_record, newest_bids  # noqa: PLC0415

    observer, replica = read_auction(at, auction)
    entries = observer.entries[replica.replay.auction_id][: replica.size]
    if at.form.is_json:
        ladder = newest_bids(entries, bids)
        write_document(SCHEMA, _record(replica) | {"bid_entries": [bid_record(placed) for placed in ladder]})
        return ExitStatus.OK
    from auctionctl.cli.terms_words import terms_facts  # noqa: PLC0415

    names = names_of(at.paths, at.secret(), observer.registry)
    (row,) = observer.rows(names)
    facts = terms_facts(replica.replay.state, names) + _state_facts(replica, row, names)
    write_ladder(at.form, facts, newest_bids(entries, SHOWN_BIDS if bids is None else bids), names)
    return ExitStatus.OK


def _record(replica: Replica) -> dict[str, object]:
    from auctionctl.cli.records import amount, auction_record  # noqa: PLC0415
    from auctionctl.cli.terms_words import opened_reserve, terms_record  # noqa: PLC0415

    auction = replica.replay.state
    reserve = opened_reserve(auction)
    assert replica.head is not None
    return auction_record(auction) | {
        "terms": terms_record(auction.terms),
        "reserve": None if reserve is None else amount(reserve.minor, auction.terms.rules.currency),
        "present": sorted(bidder.hex() for bidder in auction.present),
        "start_deadline_ns": auction.start_deadline_ns,
        "opened_at_ns": auction.opened_at_ns or None,
        "end_ns": auction.end_ns or None,
        "max_end_ns": auction.max_end_ns or None,
        "head": {"size": replica.head.size, "root": replica.head.root.hex()},
    }


def _state_facts(replica: Replica, row: AuctionRow, names: Names) -> list[tuple[str, str]]:
    from auctionctl.auction.phase import Phase  # noqa: PLC0415
    from auctionctl.auction.price import format_minor  # noqa: PLC0415
    from auctionctl.cli.records import clock_time  # noqa: PLC0415
    from auctionctl.cli.whereabouts import paused_words, settlement_facts  # noqa: PLC0415

    auction = replica.replay.state
    assert replica.head is not None
    facts = [("phase", auction.phase.value)]
    if auction.phase is Phase.PAUSED:
        facts.append(("paused by", "its terms" if auction.pauses.is_by_terms else "an operator"))
    if auction.opened_at_ns:
        facts.append(("opened", clock_time(auction.opened_at_ns)))
    if auction.phase is Phase.CLOSED:
        facts += [("ended", clock_time(auction.ended_ns)), ("result", row.result), *settlement_facts(auction, names)]
    else:
        deadline = {Phase.ANNOUNCED: "starts", Phase.PAUSED: "goes on"}.get(auction.phase, "ends")
        facts.append((f"{deadline} by", f"{clock_time(auction.get_timer() or 0)}, {row.left} left"))
        facts.append(("minimum", format_minor(auction.minimum_minor, auction.terms.rules.currency)))
    if row.price:
        facts += [("price", row.price), ("leader", row.leader)]
    return [
        *facts,
        ("bidders", f"{row.bidder_count} present, {row.min_bidders} needed to open"),
        ("bids", str(row.bid_count)),
        ("extensions", str(row.extensions)),
        ("stood still", paused_words(auction)),
        ("log", f"{replica.head.size} entries, verified"),
        ("root", replica.head.root.hex()),
    ]


def write_ladder(form: Form, facts: list[tuple[str, str]], ladder: list[PlacedBid], names: Names) -> None:
    """Facts, and under them the bids; in a pipe all are tab-separated."""
    from auctionctl.auction.price import format_minor  # noqa: PLC0415
    from auctionctl.cli.records import clock_time  # noqa: PLC0415
    from auctionctl.views.auction_row import name_of  # noqa: PLC0415

    if form is Form.TABLE:
        write_facts(facts)
    else:
        for fact in facts:
            write_fields(fact)
    if not ladder:
        return
    rows = [
        (
            str(placed.entry_index),
            clock_time(placed.time_ns),
            name_of(placed.bid.bidder, names),
            format_minor(placed.bid.amount_minor, placed.bid.currency),
        )
        for placed in ladder
    ]
    if form is Form.TABLE:
        write_line("")
    write_table(form, BID_COLUMNS, rows)
