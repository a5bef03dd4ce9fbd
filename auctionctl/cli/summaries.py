"""``events --summaries``: what came of each auction of a house whose state is on this machine, one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auctionctl.cli.output import Form, write_document, write_fields, write_note
from auctionctl.cli.records import clock_time

if TYPE_CHECKING:
    from pathlib import Path

    from auctionctl.net.summaries import Summary

SCHEMA: Final = "auctionctl.summary/1"
COLUMNS: Final = ("ended", "listing", "end", "price", "bids", "bidders", "refused", "99% answered within")


def show_summaries(state: Path, form: Form) -> None:
    """Write what the house in ``state`` has noted. Raises StoreError where its file cannot be read."""
    from auctionctl.net.summaries import read_summaries  # noqa: PLC0415 - commands that connect do without

    summaries = read_summaries(state)
    if not summaries:
        write_note(f"no auction of this house has ended yet: {state}")
    if form.is_json:
        for each in summaries:
            write_document(SCHEMA, record(each))
        return
    write_fields(COLUMNS)
    for each in summaries:
        write_fields(_words(each))


def record(summary: Summary) -> dict[str, object]:
    """One line of JSON; an amount as everywhere."""
    fields = {name: getattr(summary, name) for name in type(summary).__struct_fields__}
    minor, currency = fields.pop("price_minor"), fields.pop("currency")
    price = None if minor is None else {"minor": minor, "currency": currency}
    return fields | {"end_reason": summary.end_reason.value, "winner": summary.winner or None, "price": price}


def _words(summary: Summary) -> tuple[str, ...]:
    from auctionctl.auction.price import format_minor  # noqa: PLC0415
    from auctionctl.views.figures import duration_text  # noqa: PLC0415

    return (
        clock_time(summary.ended_ns),
        summary.listing,
        summary.end_reason.value,
        "" if summary.price_minor is None else format_minor(summary.price_minor, summary.currency),
        str(summary.bids),
        str(summary.bidders),
        str(summary.invalid),
        duration_text(summary.answered_p99_ns),
    )
