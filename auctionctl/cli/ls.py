"""``ls``: every auction of a house, as its replayed log has it."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from auctionctl.auction.phase import Phase
from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_list, write_note

SCHEMA: Final = "auctionctl.ls/1"

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl ls --key alice")
@with_house
def ls(
    at: AtHouse,
    phase: Annotated[Phase | None, typer.Option("--phase", help="Only auctions in this phase.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Auctions in every phase, as without --phase.")] = False,
) -> int:
    """List the auctions of a house: phase, price, leader, bids, time left."""
    if everything and phase is not None:
        raise ArgumentError("--all and --phase contradict each other", hint="give one of the two")
    address, secret = at.address(), at.secret()
    from auctionctl.cli import observer as following  # noqa: PLC0415 - imports zmq
    from auctionctl.cli.records import auction_record  # noqa: PLC0415

    observer = following.Observer(address, secret, following.everything)
    try:
        observer.read()
    finally:
        observer.close()
    shown = [replica for replica in observer.replicas() if phase in (None, replica.replay.state.phase)]
    rows = [
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
        for row, replica in zip(observer.rows(following.local_names(at.paths, secret), shown), shown, strict=True)
    ]
    if not rows and not at.form.is_json:
        write_note("this house holds no auction" if phase is None else f"no auction of this house is {phase}")
    columns = ("auction", "listing", "lot", "phase", "price", "leader", "bids", "bidders", "left", "result")
    records = [auction_record(replica.replay.state) for replica in shown]
    write_list(at.form, SCHEMA, "auctions", records, columns=columns, rows=rows)
    return ExitStatus.OK
