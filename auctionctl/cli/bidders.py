"""``bidders``: whom a house lets in, by its own registry, verified."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_list, write_note

if TYPE_CHECKING:
    from auctionctl.replica.replay import Applied
    from auctionctl.replica.replica import Replica

SCHEMA: Final = "auctionctl.bidders/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "bidders": "All of them, each with the fields below. With `--output jsonl` each is a line of its own, under"
        " the same schema.",
        "name": "What the house calls the holder of the key.",
        "role": "The role, or several joined by `+`; null for one who was removed.",
        "public_key": "The key, `auc1…`.",
        "bidder": "The signing key in it, as other commands give it.",
        "since_ns": "When the house let it in for the first time.",
        "joined": "How many auctions of this house it has joined.",
        "standing": "`member`, or `removed` if the house lets it in no more.",
    }
}

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl bidders --all --key alice")
@with_house
def bidders(
    at: AtHouse,
    removed_too: Annotated[bool, typer.Option("--all", help="Also whom the house lets in no more.")] = False,
) -> int:
    """List whom a house lets in, and in which role, by its registry."""
    address, secret = at.address(), at.secret()
    from auctionctl.auction.bid import Join  # noqa: PLC0415
    from auctionctl.cli import observer as following  # noqa: PLC0415 - imports zmq
    from auctionctl.cli.members import MEMBER_COLUMNS, member_record, member_row  # noqa: PLC0415

    joined: set[tuple[bytes, bytes]] = set()

    def on_entries(replica: Replica, applied: list[Applied]) -> None:
        facts = [each.fact for each in applied]
        joined.update((fact.bidder, replica.replay.auction_id) for fact in facts if isinstance(fact, Join))

    observer = following.Observer(address, secret, following.everything)
    try:
        observer.read(on_entries)
    finally:
        observer.close()
    counts = Counter(bidder for bidder, _ in joined)
    known = observer.registry.members.values()
    shown = [member for member in known if removed_too or member.role]
    if not shown and not at.form.is_json:
        write_note("this house lets nobody in but itself")
    elif len(shown) < len(known) and not at.form.is_json:
        write_note(f"{len(known) - len(shown)} removed; --all shows them too")
    records = [member_record(member) | {"joined": counts[member.identity.signing]} for member in shown]
    rows = [member_row(member, counts[member.identity.signing]) for member in shown]
    write_list(at.form, SCHEMA, "bidders", records, columns=MEMBER_COLUMNS, rows=rows)
    return ExitStatus.OK
