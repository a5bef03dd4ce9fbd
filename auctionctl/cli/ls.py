"""``ls``: every auction of a house, as its replayed log has it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from auctionctl.auction.phase import Phase
from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import Form, write_list, write_note
from auctionctl.client.choosing import match_auctions

SCHEMA: Final = "auctionctl.ls/1"
Row = tuple[str, ...]

COLUMNS: Final = ("auction", "listing", "lot", "phase", "price", "leader", "bids", "bidders", "left", "result")
DROPPED: Final = ("bidders", "bids", "auction", "leader")
"""What a narrow terminal does without, the least important first."""
SEPARATOR_CHARACTERS: Final = 3
FOLDED_CHARACTERS: Final = 24
"""Longer texts stand in several lines before a column goes for them."""

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl ls --key alice")
@with_house
def ls(
    at: AtHouse,
    phase: Annotated[Phase | None, typer.Option("--phase", help="Only auctions in this phase.")] = None,
    match: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Only auctions whose listing fits: 'gpu-*'.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Auctions in every phase, as without --phase.")] = False,
) -> int:
    """List the auctions of a house: phase, price, leader, bids, time left."""
    if everything and phase is not None:
        raise ArgumentError("--all and --phase contradict each other", hint="give one of the two")
    address, secret = at.address(), at.secret()
    from auctionctl.cli import observer as following  # noqa: PLC0415 - imports zmq
    from auctionctl.cli.records import auction_record  # noqa: PLC0415

    patterns = match or []
    select = (lambda catalogue: match_auctions(catalogue, patterns)) if patterns else following.everything
    observer = following.Observer(address, secret, select)
    try:
        observer.read()
    finally:
        observer.close()
    shown = [replica for replica in observer.replicas() if phase in (None, replica.replay.state.phase)]
    names = following.names_of(at.paths, secret, observer.registry)
    rows: Sequence[Row] = [
        (
            row.short_id,
            replica.replay.state.terms.listing,
            row.title,
            row.phase.value,
            row.price,
            row.leader,
            str(row.bid_count),
            str(row.bidder_count),
            row.left,
            row.result,
        )
        for row, replica in zip(observer.rows(names, shown), shown, strict=True)
    ]
    if not rows and not at.form.is_json:
        write_note("this house holds no auction" if phase is None else f"no auction of this house is {phase}")
    columns: Sequence[str] = COLUMNS
    if at.form is Form.TABLE:
        columns, rows = fitting(columns, rows, shutil.get_terminal_size().columns)
    records = [auction_record(replica.replay.state) for replica in shown]
    write_list(at.form, SCHEMA, "auctions", records, columns=columns, rows=rows)
    return ExitStatus.OK


def fitting(columns: Sequence[str], rows: Sequence[Row], width: int) -> tuple[Sequence[str], Sequence[Row]]:
    """``columns`` and ``rows`` without as many of DROPPED as it takes to be at most ``width`` characters wide."""
    for name in ("", *DROPPED):
        kept = [index for index, column in enumerate(columns) if column != name]
        columns, rows = [columns[index] for index in kept], [tuple(row[index] for index in kept) for row in rows]
        widths = [min(max(map(len, column)), FOLDED_CHARACTERS) for column in zip(columns, *rows, strict=True)]
        if sum(widths) + SEPARATOR_CHARACTERS * (len(widths) - 1) <= width:
            break
    return columns, rows
