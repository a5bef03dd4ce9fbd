"""``ls``: every auction of a house, as its replayed log has it."""

from __future__ import annotations

import typer

from auctionctl.cli.choices import choose_house, choose_key
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import HouseOption, JsonOption, KeyOption
from auctionctl.cli.output import Form, choose_form, write_json, write_note, write_table
from auctionctl.cli.paths import find_paths

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl ls --key alice")
def ls(key: KeyOption = None, house: HouseOption = None, as_json: JsonOption = False) -> int:
    """List the auctions of a house: phase, price, leader, bids, time left."""
    paths = find_paths()
    address = choose_house(paths, house)
    secret = choose_key(paths, key)
    from auctionctl.cli.observer import Observer, everything, local_names  # noqa: PLC0415 - imports zmq
    from auctionctl.cli.records import auction_record  # noqa: PLC0415

    observer = Observer(address, secret, everything)
    try:
        observer.read()
    finally:
        observer.close()
    form = choose_form(as_json)
    if form is Form.JSON:
        for replica in observer.replicas():
            write_json(auction_record(replica.replay.state))
        return ExitStatus.OK
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
        for row, replica in zip(observer.rows(local_names(paths, secret)), observer.replicas(), strict=True)
    ]
    if not rows:
        write_note("this house holds no auction")
    columns = ("auction", "listing", "lot", "phase", "price", "leader", "bids", "bidders", "left", "result")
    write_table(form, columns, rows)
    return ExitStatus.OK
