"""``peers``: who is connected to a house now, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import Form, write_document, write_list, write_note

if TYPE_CHECKING:
    from auctionctl.cli.meter import Warnings
    from auctionctl.wire.measures import Measures

SCHEMA: Final = "auctionctl.peers/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "sessions": "How many sessions there are at all; not with `--output jsonl`.",
        "peers": "Of these at most 128, those that wait or lose most first, each with the fields below. With"
        " `--output jsonl` each is a line of its own, under the same schema.",
        "name": "What the house calls it.",
        "role": "The role of this session.",
        "host": "The address that it comes from; empty where nobody can tell.",
        "since_ns": "When its connection said something for the first time.",
        "heard_ns": "When it last did.",
        "round_trip_ns": "As TCP has measured it on the connection; 0 where nobody can tell.",
        "messages": "How many messages have come.",
        "lost": "How many messages to it were lost because it did not read.",
        "waiting": "How many of its requests are not answered yet.",
    }
}
FIELDS: Final = ("name", "role", "host", "since_ns", "heard_ns", "round_trip_ns", "messages", "lost", "waiting")

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl peers --key olga")
@with_house
def peers(at: AtHouse) -> int:
    """List who is connected to a house, as its operator: address, round trip, how long silent, what was lost.

    Those that wait or lose most come first, at most 128. It is the house's own word.
    """
    from auctionctl.cli.meter import HouseMeter  # noqa: PLC0415 - imports zmq
    from auctionctl.views.house_meter import PEER_COLUMNS, peer_cells  # noqa: PLC0415 - imports Rich

    found: list[Measures] = []

    def on_measures(measures: Measures, _warnings: Warnings) -> None:
        # What the gateway has counted comes once a second; with nobody connected there would not even be ourselves.
        if measures.peers:
            found.append(measures)

    meter = HouseMeter(at, 0.5)
    try:
        meter.run(on_measures, lambda: bool(found), lambda: None)
    finally:
        meter.close()
    measures = found[0]
    rows = [peer_cells(each, measures.time_ns) for each in measures.peers]
    records = [{name: getattr(each, name) for name in FIELDS} for each in measures.peers]
    sessions = measures.amount("sessions")
    if at.form is Form.JSON:
        write_document(SCHEMA, {"sessions": sessions, "peers": records})
    else:
        write_list(at.form, SCHEMA, "peers", records, columns=PEER_COLUMNS, rows=rows)
    if sessions > len(rows):
        write_note(f"{len(rows)} of {sessions} sessions; those that wait or lose most are shown")
    return ExitStatus.OK
