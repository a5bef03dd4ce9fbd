"""``export``: the log of one auction, or the house's registry, as a file for ``verify``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_document, write_note
from auctionctl.cli.progress import shown_progress
from auctionctl.client.files import PUBLIC_MODE, Existing, write_whole
from auctionctl.errors import ConfigurationError, NotFoundError

SCHEMA: Final = "auctionctl.export/1"
SUFFIX: Final = ".auction"
STDOUT: Final = Path("-")
REGISTRY_NAME: Final = "registry"

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl export gold-watch -o gold-watch.auction")
@with_house
def export(
    at: AtHouse,
    auction: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The auction, by listing or first digits.")
    ] = None,
    registry: Annotated[
        bool, typer.Option("--registry", help="The house's registry: whom it let in, and what it announced.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help=f"Where to; else LISTING{SUFFIX}, here. '-' is stdout."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> int:
    """Write the verified log of an auction, or the registry, to a file that anybody can verify offline."""
    if registry == (auction is not None):
        both = "an auction and --registry are two logs" if registry else "name the auction, or say --registry"
        raise ArgumentError(both, hint="give one of the two; `auctionctl ls` lists the auctions")
    existing = Existing.REPLACE if force else Existing.REFUSE
    if output is not None:
        check_target(output, existing)
    log = _fetch_registry(at) if auction is None else _fetch(at, auction)
    is_stdout = output == STDOUT
    target = output or Path(log.file_name)
    if is_stdout:
        sys.stdout.buffer.write(log.data)
        sys.stdout.buffer.flush()
    else:
        write_whole(target, log.data, PUBLIC_MODE, existing)
    if at.form.is_json and not is_stdout:
        write_document(SCHEMA, {**log.facts, "file": str(target), "entries": log.size, "bytes": len(log.data)})
        return ExitStatus.OK
    where = f" in {target}" if output is None else ""
    write_note(f"{log.size} entries of {log.title}{where}{log.remark}")
    return ExitStatus.OK


class Fetched(NamedTuple):
    """A log as a file of ``size`` entries, with its facts for programs, and its name and a remark for people."""

    data: bytes
    size: int
    file_name: str
    facts: dict[str, object]
    title: str
    remark: str = ""


def _fetch(at: AtHouse, auction: str) -> Fetched:
    from auctionctl.cli.observer import read_auction  # noqa: PLC0415 - imports zmq

    with shown_progress(at.form, "reading the log") as progress:
        observer, replica = read_auction(at, auction, progress)
    state = replica.replay.state
    listing, is_finished = state.terms.listing, state.outcome is not None
    remark = "" if is_finished else "; the auction has not ended, so the file will verify as unfinished"
    facts: dict[str, object] = {"log": "auction", "id": state.id.hex(), "listing": listing, "is_finished": is_finished}
    # A listing is a name of letters, digits, '.', '_' and '-': it cannot lead elsewhere.
    return Fetched(observer.export(state.id), state.size, f"{listing}{SUFFIX}", facts, listing, remark)


def _fetch_registry(at: AtHouse) -> Fetched:
    from auctionctl.cli.observer import Observer  # noqa: PLC0415 - imports zmq

    with shown_progress(at.form, "reading the registry") as progress:
        observer = Observer(at.address(), at.secret(), lambda _: set())
        try:
            observer.read(on_progress=progress)
            observer.settle()
        finally:
            observer.close()
    head = observer.follower.registry.head
    if head is None or not head.size:
        raise NotFoundError("this house has let nobody in and announced nothing: its registry is empty")
    facts: dict[str, object] = {"log": "registry", "id": None, "listing": None, "is_finished": False}
    return Fetched(observer.export_registry(), head.size, f"{REGISTRY_NAME}{SUFFIX}", facts, "the registry")


def check_target(output: Path, existing: Existing) -> None:
    """Before anything is fetched, whether it could be written."""
    if output != STDOUT and existing is Existing.REFUSE and os.path.lexists(output):
        raise ConfigurationError(f"{output} exists already", hint="choose another name, or give --force")
