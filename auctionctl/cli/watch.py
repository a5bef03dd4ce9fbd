"""``watch``: a house's auctions, live; a board for people, entries for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.choices import choose_auctions
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import Form, can_redraw, write_document, write_fields, write_table

if TYPE_CHECKING:
    from auctionctl.cli.observer import Observer
    from auctionctl.replica.replay import Applied
    from auctionctl.replica.replica import Replica
    from auctionctl.views.auction_row import Names

SCHEMA: Final = "auctionctl.entry/1"

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl watch --key alice")
@with_house
def watch(
    at: AtHouse,
    auction: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One auction, by listing or first digits; else all.")
    ] = None,
) -> int:
    """Follow auctions until they have ended: a live board on a terminal, a line an entry in a pipe."""
    address, secret = at.address(), at.secret()
    from auctionctl.cli.observer import Observer, everything, local_names  # noqa: PLC0415 - imports zmq

    wanted = auction
    select = everything if wanted is None else lambda catalogue: choose_auctions(catalogue, [wanted])
    observer = Observer(address, secret, select)
    names = local_names(at.paths, secret)
    form = Form.PLAIN if at.form is Form.TABLE and not can_redraw() else at.form
    try:
        if form is Form.TABLE:
            show_board(observer, f"house {address.identity.short}", names)
        else:
            write_entries(observer, form, names)
    finally:
        observer.close()
    if form is Form.TABLE:
        write_results(form, observer, names)
    return ExitStatus.OK


def show_board(observer: Observer, title: str, names: Names) -> None:
    """The live board, until every auction has ended."""
    from rich.console import Console  # noqa: PLC0415

    from auctionctl.cli.live_board import LiveBoard  # noqa: PLC0415

    with LiveBoard(Console()) as live:

        def tick() -> None:
            lost = "" if observer.follower.is_welcome else " — not connected"
            live.show(title + lost, lambda: observer.rows(names))

        observer.run(observer.has_ended, on_tick=tick)


def write_entries(observer: Observer, form: Form, names: Names) -> None:
    """One line an entry, until every auction has ended."""
    from auctionctl.cli.observer import ConnectionNotes  # noqa: PLC0415
    from auctionctl.cli.records import entry_record, entry_words  # noqa: PLC0415
    from auctionctl.cli.streams import check_reader  # noqa: PLC0415

    def on_entries(replica: Replica, applied: list[Applied]) -> None:
        for each in applied:
            if form.is_json:
                write_document(SCHEMA, entry_record(replica.replay.state, each))
            else:
                write_fields(entry_words(replica.replay.state, each, names))

    notes = ConnectionNotes(observer.follower)

    def tick() -> None:
        check_reader()
        notes.tick()

    observer.run(observer.has_ended, on_entries, tick)


def write_results(form: Form, observer: Observer, names: Names) -> None:
    """How every auction ended, as a table."""
    from auctionctl.views.results import RESULT_COLUMNS, result_cells  # noqa: PLC0415

    rows = zip(observer.rows(names), observer.replicas(), strict=True)
    write_table(form, RESULT_COLUMNS, [result_cells(row, replica.size) for row, replica in rows])
