"""``bidders``: whom a house lets in, by its own registry, verified."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_list, write_note

if TYPE_CHECKING:
    from auctionctl.cli.observer import Observer
    from auctionctl.replica.registry import Registry
    from auctionctl.replica.replay import Applied
    from auctionctl.replica.replica import Replica

SCHEMA: Final = "auctionctl.bidders/1"
DEEDS_SCHEMA: Final = "auctionctl.deeds/1"
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
        "standing": "`member`; or, of one whom the house lets in no more, `removed`, `revoked`, or `replaced` by a new"
        " key of its holder.",
        "successor": "The key that took its place, `auc1…`; null if none did.",
        "reputation_ppm": "Its reputation, in parts per million; a stranger has 500000. Recomputed from the registry.",
        "auctions": "Of how many auctions the registry says something about it.",
        "stood": "In how many of them it bid, and stood by that.",
        "won": "How many of the lots it bought.",
        "paid": "For how many of them its payment was settled.",
        "defaulted": "For how many of them it did not pay in time.",
        "left": "How often it left while it led.",
        "invalid": "How many of its bids were refused by its own fault: by the house's word alone.",
        "last_ns": "When the registry last said something of it; null if it never did.",
    },
    DEEDS_SCHEMA: {
        "deeds": "With NAME: what each auction says of it, each with the fields below.",
        "auction": "The id of the auction.",
        "listing": "Its name.",
        "said_ns": "When the registry said it.",
        "stood": "1 if it bid, and stood by that.",
        "won": "1 if it bought the lot.",
        "paid": "1 if its payment was settled.",
        "defaulted": "1 if it did not pay in time.",
        "left": "How often it left while it led.",
        "invalid": "How many of its bids were refused by its own fault: by the house's word alone.",
    },
}

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl bidders --all --key alice")
@with_house
def bidders(
    at: AtHouse,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Of this one, the auctions behind its reputation.")
    ] = None,
    removed_too: Annotated[bool, typer.Option("--all", help="Also whom the house lets in no more.")] = False,
) -> int:
    """List whom a house lets in, in which role, and with which reputation, by its registry."""
    address, secret = at.address(), at.secret()
    from auctionctl.auction.bid import Join  # noqa: PLC0415
    from auctionctl.cli import observer as following  # noqa: PLC0415 - imports zmq

    joined: set[tuple[bytes, bytes]] = set()

    def on_entries(replica: Replica, applied: list[Applied]) -> None:
        facts = [each.fact for each in applied]
        joined.update((fact.bidder, replica.replay.auction_id) for fact in facts if isinstance(fact, Join))

    observer = following.Observer(address, secret, following.everything)
    try:
        observer.read(on_entries)
    finally:
        observer.close()
    if name is not None:
        return _write_deeds(at, observer.registry, name)
    counts = Counter(bidder for bidder, _ in joined)
    return _write_members(at, observer, counts, removed_too)


def _write_members(at: AtHouse, observer: Observer, counts: Counter[bytes], removed_too: bool) -> int:
    from auctionctl.cli.members import MEMBER_COLUMNS, Known, member_record, member_row  # noqa: PLC0415

    registry = observer.registry
    known = registry.members.values()
    shown = [member for member in known if removed_too or member.role]
    if not shown and not at.form.is_json:
        write_note("this house lets nobody in but itself")
    elif len(shown) < len(known) and not at.form.is_json:
        write_note(f"{len(known) - len(shown)} removed; --all shows them too")
    records, rows = [], []
    for member in shown:
        signing = member.identity.signing
        reputation = Known.of(registry, signing, observer.house_now_ns)
        records.append(member_record(member, registry) | {"joined": counts[signing]} | reputation.record)
        rows.append(member_row(member, registry, counts[signing], reputation))
    write_list(at.form, SCHEMA, "bidders", records, columns=MEMBER_COLUMNS, rows=rows)
    return ExitStatus.OK


def _write_deeds(at: AtHouse, registry: Registry, name: str) -> int:
    from auctionctl.cli.members import DEED_COLUMNS, deed_record, deed_row  # noqa: PLC0415
    from auctionctl.errors import NotFoundError  # noqa: PLC0415

    named = [signing for signing, member in registry.members.items() if name in (member.name, signing.hex())]
    if not named:
        raise NotFoundError(f"this house knows nobody called {name!a}", hint="auctionctl bidders --all lists them")
    told = [record for signing in named for record in registry.reputations.records.get(signing, ())]
    if not told and not at.form.is_json:
        write_note(f"no auction says anything of {name} yet")
    listings = [registry.auctions[record.auction].listing for record in told]
    records = [deed_record(record, listing) for record, listing in zip(told, listings, strict=True)]
    rows = [deed_row(record, listing) for record, listing in zip(told, listings, strict=True)]
    write_list(at.form, DEEDS_SCHEMA, "deeds", records, columns=DEED_COLUMNS, rows=rows)
    return ExitStatus.OK
