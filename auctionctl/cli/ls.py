"""``ls``: every auction of a house, as its replayed log has it."""

from __future__ import annotations

from typing import Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_list, write_note

SCHEMA: Final = "auctionctl.ls/1"

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl ls --key alice")
@with_house
def ls(at: AtHouse) -> int:
    """List the auctions of a house: phase, price, leader, bids, time left."""
    address, secret = at.address(), at.secret()
    from auctionctl.cli.observer import Observer, everything, local_names  # noqa: PLC0415 - imports zmq
    from auctionctl.cli.records import auction_record  # noqa: PLC0415

    observer = Observer(address, secret, everything)
    try:
        observer.read()
    finally:
        observer.close()
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
        for row, replica in zip(observer.rows(local_names(at.paths, secret)), observer.replicas(), strict=True)
    ]
    if not rows and not at.form.is_json:
        write_note("this house holds no auction")
    columns = ("auction", "listing", "lot", "phase", "price", "leader", "bids", "bidders", "left", "result")
    records = [auction_record(replica.replay.state) for replica in observer.replicas()]
    write_list(at.form, SCHEMA, "auctions", records, columns=columns, rows=rows)
    return ExitStatus.OK
