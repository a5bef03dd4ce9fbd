"""``export``: the log of one auction as a file, for ``verify``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from auctionctl.cli.choices import choose_auctions
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.files import PUBLIC_MODE, Existing, write_whole
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_document, write_note
from auctionctl.errors import ConfigurationError

SCHEMA: Final = "auctionctl.export/1"

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl export gold-watch -o gold-watch.auction")
@with_house
def export(
    at: AtHouse,
    auction: Annotated[str, typer.Argument(metavar="ID", help="The auction, by listing or first digits.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to; '-' is stdout.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> int:
    """Write the verified log of an auction to a file that anybody can verify offline."""
    is_stdout = str(output) == "-"
    if not (is_stdout or force) and os.path.lexists(output):
        raise ConfigurationError(f"{output} exists already", hint="choose another name, or give --force")
    address, secret = at.address(), at.secret()
    from auctionctl.cli.observer import Observer  # noqa: PLC0415 - imports zmq

    observer = Observer(address, secret, lambda catalogue: choose_auctions(catalogue, [auction]))
    try:
        observer.read()
        observer.settle()
    finally:
        observer.close()
    (replica,) = observer.replicas()
    data = observer.export(replica.replay.auction_id)
    if is_stdout:
        sys.stdout.buffer.write(data)
    else:
        write_whole(output, data, PUBLIC_MODE, Existing.REPLACE if force else Existing.REFUSE)
    state = replica.replay.state
    if at.form.is_json and not is_stdout:
        sizes = {"file": str(output), "entries": state.size, "bytes": len(data)}
        facts = {"id": state.id.hex(), "listing": state.terms.listing, "is_finished": state.outcome is not None}
        write_document(SCHEMA, facts | sizes)
        return ExitStatus.OK
    ending = "" if state.outcome is not None else "; the auction has not ended, so the file will verify as unfinished"
    write_note(f"{state.size} entries of {state.terms.listing}{ending}")
    return ExitStatus.OK
