"""``export``: the log of one auction as a file, for ``verify``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.files import PUBLIC_MODE, Existing, write_whole
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_document, write_note
from auctionctl.cli.progress import shown_progress
from auctionctl.errors import ConfigurationError

SCHEMA: Final = "auctionctl.export/1"
SUFFIX: Final = ".auction"
STDOUT: Final = Path("-")

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl export gold-watch -o gold-watch.auction")
@with_house
def export(
    at: AtHouse,
    auction: Annotated[str, typer.Argument(metavar="ID", help="The auction, by listing or first digits.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help=f"Where to; else LISTING{SUFFIX}, here. '-' is stdout."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> int:
    """Write the verified log of an auction to a file that anybody can verify offline."""
    existing = Existing.REPLACE if force else Existing.REFUSE
    _check_target(output, existing)
    from auctionctl.cli.observer import read_auction  # noqa: PLC0415 - imports zmq

    with shown_progress(at.form, "reading the log") as progress:
        observer, replica = read_auction(at, auction, progress)
    data = observer.export(replica.replay.auction_id)
    state = replica.replay.state
    is_stdout = output == STDOUT
    # A listing is a name of letters, digits, '.', '_' and '-': it cannot lead elsewhere.
    target = output or Path(f"{state.terms.listing}{SUFFIX}")
    if is_stdout:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_whole(target, data, PUBLIC_MODE, existing)
    if at.form.is_json and not is_stdout:
        sizes = {"file": str(target), "entries": state.size, "bytes": len(data)}
        facts = {"id": state.id.hex(), "listing": state.terms.listing, "is_finished": state.outcome is not None}
        write_document(SCHEMA, facts | sizes)
        return ExitStatus.OK
    where = f" in {target}" if output is None else ""
    ending = "" if state.outcome is not None else "; the auction has not ended, so the file will verify as unfinished"
    write_note(f"{state.size} entries of {state.terms.listing}{where}{ending}")
    return ExitStatus.OK


def _check_target(output: Path | None, existing: Existing) -> None:
    """Before anything is fetched, whether it could be written."""
    if output not in (None, STDOUT) and existing is Existing.REFUSE and os.path.lexists(output):
        raise ConfigurationError(f"{output} exists already", hint="choose another name, or give --force")
