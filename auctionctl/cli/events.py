"""``events``: the verified entries of one log, or a house's journal of security events: one a line, as they come."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, JsonOption, OutputOption, with_house
from auctionctl.cli.output import Form, write_document, write_fields
from auctionctl.cli.security_events import show_security
from auctionctl.cli.summaries import show_summaries
from auctionctl.client.choosing import choose_auctions

if TYPE_CHECKING:
    from collections.abc import Callable

    from auctionctl.replica.replay import Applied
    from auctionctl.replica.replica import Replica
    from auctionctl.views.auction_row import Names

SCHEMA: Final = "auctionctl.entry/1"

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="Example: auctionctl events gold-watch | jq 'select(.kind == \"bid\")'; auctionctl events --security"
)
@with_house
def events(
    at: AtHouse,
    *,
    auction: Annotated[
        str | None, typer.Argument(metavar="ID", help="The auction, by listing or first digits.")
    ] = None,
    security: Annotated[
        bool, typer.Option("--security", help="The journal of a house of this machine: refusals, cuts, restarts.")
    ] = False,
    summaries: Annotated[
        bool, typer.Option("--summaries", help="What came of each auction of a house of this machine that has ended.")
    ] = False,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="With --security and --summaries: the name of the house's state."),
    ] = None,
    since: Annotated[int, typer.Option(min=0, metavar="N", help="Begin with entry N of the log; the first is 0.")] = 0,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until the auction has ended; with --security, on and on.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Add body and signature in hex, for a program that checks for itself.")
    ] = False,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write the entries of an auction's log, verified, or a house's own security events, as JSON lines or as words."""
    if as_json and output not in (None, Form.JSON):
        raise ArgumentError(f"--json and --output {output} ask for two forms", hint="give one of the two")
    form = output or Form.JSONL
    if raw and not form.is_json:
        raise ArgumentError("--raw is for JSON alone", hint="leave --output out")
    if security or summaries:
        option = "--security" if security else "--summaries"
        if auction is not None or raw or since:
            raise ArgumentError(f"{option} is about a house, not an auction", hint="leave ID, --since and --raw out")
        if summaries and (security or follow):
            raise ArgumentError("--summaries goes with neither --security nor --follow", hint="ask for one thing")
        _show_house(at, name, form, Kept.SECURITY if security else Kept.SUMMARIES, follow=follow)
        return ExitStatus.OK
    if auction is None:
        raise ArgumentError("which auction is not said", hint="give its ID, or --security for a house's own events")
    if name is not None:
        raise ArgumentError("--name goes with --security and --summaries", hint="say --house for another house")
    _show_auction(at, auction, form, Showing(since, follow, raw))
    return ExitStatus.OK


class Kept(enum.Enum):
    """What a house keeps on its own machine."""

    SECURITY = "security"
    SUMMARIES = "summaries"


def _show_house(at: AtHouse, name: str | None, form: Form, kept: Kept, *, follow: bool) -> None:
    from auctionctl.cli.backup import house_section  # noqa: PLC0415 - other than this, no state is looked at

    state = at.paths.house_state(house_section(at.paths, name, None).name)
    if kept is Kept.SECURITY:
        show_security(state, form, follow=follow)
    else:
        show_summaries(state, form)


@dataclass(frozen=True, slots=True)
class Showing:
    """What is shown of a log: from which entry on, for how long, and in full."""

    since: int
    follow: bool
    raw: bool


def _show_auction(at: AtHouse, auction: str, form: Form, showing: Showing) -> None:
    from auctionctl.cli.observer import ConnectionNotes, Observer, names_of  # noqa: PLC0415 - imports zmq
    from auctionctl.cli.streams import check_reader  # noqa: PLC0415

    secret = at.secret()
    observer = Observer(at.address(), secret, lambda catalogue: choose_auctions(catalogue, [auction]))
    write = _writer(form, showing.raw, names_of(at.paths, secret, observer.registry))

    def on_entries(replica: Replica, applied: list[Applied]) -> None:
        for each in applied:
            if each.entry_index >= showing.since:
                write(replica, each)

    notes = ConnectionNotes(observer.follower)

    def tick() -> None:
        check_reader()
        notes.tick()

    try:
        if showing.follow:
            observer.run(observer.has_ended, on_entries, tick)
        else:
            observer.read(on_entries)
    finally:
        observer.close()


def _writer(form: Form, raw: bool, names: Names) -> Callable[[Replica, Applied], None]:
    from auctionctl.cli.records import entry_record, entry_words, raw_entry_record  # noqa: PLC0415

    if not form.is_json:
        return lambda replica, applied: write_fields(entry_words(replica.replay.state, applied, names))
    record = raw_entry_record if raw else entry_record
    return lambda replica, applied: write_document(SCHEMA, record(replica.replay.state, applied))
