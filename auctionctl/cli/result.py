"""``result``: who won, at what price, and why it ended so, from the verified log; the exit status says which it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_document, write_facts
from auctionctl.client.choosing import choose_auctions

if TYPE_CHECKING:
    from auctionctl.auction.auction import Auction
    from auctionctl.replica.replica import Replica
    from auctionctl.views.auction_row import AuctionRow, Names

SCHEMA: Final = "auctionctl.result/1"

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl result gold-watch --wait && ship-it")
@with_house
def result(
    at: AtHouse,
    auction: Annotated[str, typer.Argument(metavar="ID", help="The auction, by listing or first digits.")],
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it has ended.")] = False,
) -> int:
    """Say how an auction ended: exit status 0 if it was sold, 11 if it ended unsold, 10 if it has not ended.

    A sale that was not paid for, or was reverted, is none.
    """
    from auctionctl.cli.observer import ConnectionNotes, Observer, names_of  # noqa: PLC0415 - imports zmq

    secret = at.secret()
    observer = Observer(at.address(), secret, lambda catalogue: choose_auctions(catalogue, [auction]))
    try:
        if wait:
            observer.run(observer.has_ended, on_tick=ConnectionNotes(observer.follower).tick)
        else:
            observer.read()
    finally:
        observer.close()
    (replica,) = observer.replicas()
    names = names_of(at.paths, secret, observer.registry)
    (row,) = observer.rows(names)
    if at.form.is_json:
        write_document(SCHEMA, _record(replica))
    else:
        write_facts(_facts(replica, row, names))
    return _status(replica.replay.state)


def _status(auction: Auction) -> ExitStatus:
    if auction.end_reason is None:
        return ExitStatus.UNFINISHED
    return ExitStatus.NO_SALE if auction.sale is None else ExitStatus.OK


def _record(replica: Replica) -> dict[str, object]:
    from auctionctl.auction.events import Closed  # noqa: PLC0415
    from auctionctl.cli.records import auction_record  # noqa: PLC0415

    auction = replica.replay.state
    assert replica.head is not None
    is_finished = auction.outcome is not None
    return auction_record(auction) | {
        "is_finished": is_finished,
        "ended_at_ns": auction.ended_ns if is_finished else None,
        "bid_index": auction.outcome.bid_index if isinstance(auction.outcome, Closed) else None,
        "head": {"size": replica.head.size, "root": replica.head.root.hex()},
    }


def _facts(replica: Replica, row: AuctionRow, names: Names) -> list[tuple[str, str]]:
    from auctionctl.auction.phase import EndReason  # noqa: PLC0415
    from auctionctl.auction.price import format_minor  # noqa: PLC0415
    from auctionctl.cli.records import clock_time  # noqa: PLC0415
    from auctionctl.cli.whereabouts import settlement_facts, where_words  # noqa: PLC0415
    from auctionctl.views.auction_row import END_WORDS  # noqa: PLC0415

    auction = replica.replay.state
    facts = [("item", row.title), ("auction", auction.id.hex())]
    if row.end_reason is None:
        left = f", {row.left} left" if row.left else ""
        facts.append(("result", f"none yet: it is {where_words(auction, names)}{left}"))
        best = [("best bid", row.price), ("leader", row.leader)] if row.price else []
        return [*facts, *best]
    is_undecided = row.end_reason is EndReason.COMPLETED and auction.sale is None
    facts.append(("result", row.result if is_undecided else END_WORDS[row.end_reason]))
    if auction.sale is not None:
        facts += [("winner", row.leader), ("price", row.price)]
    elif auction.standing is not None:
        facts.append(("best bid", format_minor(auction.standing.price_minor, auction.terms.rules.currency)))
    facts += settlement_facts(auction, names)
    return [*facts, ("ended", clock_time(auction.ended_ns)), ("log", f"{auction.size} entries, verified")]
