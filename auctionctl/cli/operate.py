"""``pause``, ``resume``, ``cancel``: what an operator of the house does to an auction, signed and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from auctionctl.cli.command_arguments import DryRun, ListingOrId, Reason
from auctionctl.cli.command_schema import JSON_SCHEMA
from auctionctl.cli.options import AtHouse, with_house

if TYPE_CHECKING:
    from auctionctl.auction.auction import Auction
    from auctionctl.auction.commands import Cancel, Pause, Resume
    from auctionctl.bidding.commanding import Stamp

__all__ = ["JSON_SCHEMA", "app"]

app = typer.Typer(rich_markup_mode=None)

ROLE: Final = "operator"


@app.command(epilog="Example: auctionctl pause gold-watch --reason 'a power cut at the venue' --key olga")
@with_house
def pause(at: AtHouse, auction: ListingOrId, *, reason: Reason = "", dry_run: DryRun = False) -> int:
    """Have an open auction stand still, as its operator; its end moves by as long as that lasts.

    The terms say how often and for how long at most: then it goes on by itself. 9 if the rules refuse it.
    """
    return _operate(at, auction, "Pause", reason, is_dry=dry_run)


@app.command(epilog="Example: auctionctl resume gold-watch --key olga")
@with_house
def resume(at: AtHouse, auction: ListingOrId, *, reason: Reason = "", dry_run: DryRun = False) -> int:
    """Have an auction go on that an operator paused. 9 if the rules refuse it."""
    return _operate(at, auction, "Resume", reason, is_dry=dry_run)


@app.command(epilog="Example: auctionctl cancel gold-watch --reason 'the lot was broken' --key olga")
@with_house
def cancel(at: AtHouse, auction: ListingOrId, *, reason: Reason = "", dry_run: DryRun = False) -> int:
    """Call an auction off, as its operator: before the first bid, or where its terms allow it later.

    9 if the rules refuse it.
    """
    return _operate(at, auction, "Cancel", reason, is_dry=dry_run)


def _operate(at: AtHouse, auction: str, name: str, reason: str, *, is_dry: bool) -> int:
    from auctionctl.auction import commands  # noqa: PLC0415 - takes long to import
    from auctionctl.cli.giving import Order, always, give  # noqa: PLC0415
    from auctionctl.cli.words import check_words  # noqa: PLC0415

    check_words("--reason", reason)
    kind: type[Pause | Resume | Cancel] = getattr(commands, name)

    def make(_auction: Auction, stamp: Stamp) -> Pause | Resume | Cancel:
        return kind(*stamp.fields, reason)

    return give(at, auction, Order(make, always(ROLE), "an operator"), is_dry=is_dry)
