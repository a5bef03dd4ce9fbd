"""``top``: how a house works, live: stages, queues, processes, the busiest auctions, and who is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import Form, can_redraw, write_document, write_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from auctionctl.cli.meter import HouseMeter, Warnings
    from auctionctl.views.house_meter import Moment
    from auctionctl.wire.measures import Measures

SCHEMA: Final = "auctionctl.measures/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "time_ns": "When it was so, by the house's clock.",
        "started_ns": "Since when its process runs.",
        "span_ns": "How long `lately` is.",
        "warnings": "What keeps it from its work, the gravest first: objects of `code` and `words`.",
        "stages": "By stage (`check`, `wait`, `decide`, `commit`, `answer`, `total`): `count` of requests lately,"
        " `p50_ns`, `p99_ns` and `longest_ns` of them, and `total_count` and `total_ns` since the process began."
        " Percentiles are at most an eighth too high.",
        "amounts": "By name: `queue`, `queue_limit`, `requests`, `batches`, `commits`, `acknowledged`, `checked`,"
        " `forged`, `sessions`, `connections`, `under_way`, `store_bytes`, `auctions_open`, `auctions_unfinished`."
        " Of auctions those that this instance holds are counted: with several, add up what all of them say.",
        "families": "By family (`auctions` by phase, of which every instance has those that are final, `ended` by"
        " reason, `rejected` and `refused` by code, `reputation` by `good` and `bad`, in points): how many.",
        "processes": "Objects of `name`, `pid`, `cpu_ns`, `rss_bytes`, `descriptors`.",
        "peers": "Sessions, at most 128, those that wait or lose most first: objects of `name`, `role`, `host`,"
        " `since_ns`, `heard_ns`, `round_trip_ns`, `messages`, `lost`, `waiting`.",
        "busiest": "Objects of `auction`, `listing` (null if it is not known) and `count`: commands that became durable"
        " in it lately.",
    }
}

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl top --key olga")
@with_house
def top(
    at: AtHouse,
    *,
    interval: Annotated[
        float, typer.Option("--interval", "-d", metavar="SECONDS", min=0.25, max=3600, help="How often to look.")
    ] = 1.0,
    count: Annotated[
        int | None,
        typer.Option(
            "--count", "-n", metavar="N", min=1, help="How often; else for ever on a terminal, and once else."
        ),
    ] = None,
) -> int:
    """Watch how a house works, as its operator: where requests spend their time, queues, processes, peers.

    It is the house's own word. Under the house's own key it works without being on the allow list. Ends with Ctrl-C.
    """
    from auctionctl.cli.meter import HouseMeter  # noqa: PLC0415 - imports zmq

    form = Form.PLAIN if at.form is Form.TABLE and not can_redraw() else at.form
    meter = HouseMeter(at, interval)
    try:
        if form is Form.TABLE:
            _show(meter, count)
        else:
            _write(meter, form, 1 if count is None else count)
    finally:
        meter.close()
    return ExitStatus.OK


class Looks:
    """What was seen so far, as far as the next screen needs it."""

    def __init__(self) -> None:
        self.count = 0
        self.moment: Moment | None = None

    def look(self, measures: Measures, warnings: Warnings) -> None:
        """Take in what the house says now."""
        from auctionctl.views.house_meter import HISTORY, Moment  # noqa: PLC0415 - imports Rich

        before = None if self.moment is None else self.moment.measures
        rates = () if self.moment is None else self.moment.rates
        if before is not None and measures.time_ns > before.time_ns:
            if measures.started_ns != before.started_ns:
                before, rates = None, ()  # It was started again, and counts from 0.
            else:
                grown = measures.amount("requests") - before.amount("requests")
                rates = (*rates, grown * 1_000_000_000 // (measures.time_ns - before.time_ns))[-HISTORY:]
        self.moment = Moment(measures, warnings, before, rates)
        self.count += 1


def _show(meter: HouseMeter, count: int | None) -> None:
    from rich.console import Console  # noqa: PLC0415

    from auctionctl.cli.live_board import LiveBoard  # noqa: PLC0415
    from auctionctl.views.house_meter import BETWEEN, MeterPicture  # noqa: PLC0415

    looks, name = Looks(), f"house {meter.address.identity.short}"

    def picture(width: int, height: int) -> MeterPicture:
        known, moment = meter.catalogue, looks.moment
        busiest = () if moment is None else moment.measures.busiest
        titles = {each.auction: known[each.auction].lot.title for each in busiest if each.auction in known}
        silent_s = meter.silent_s
        title = f"{name}{BETWEEN}not heard for {silent_s} s" if silent_s else name
        return MeterPicture(title, moment, titles, width, height)

    def on_measures(measures: Measures, warnings: Warnings) -> None:
        looks.look(measures, warnings)
        if any(each.auction not in meter.catalogue for each in measures.busiest):
            meter.list_again()

    with LiveBoard(Console()) as live:
        meter.run(on_measures, lambda: count is not None and looks.count >= count, lambda: live.show_picture(picture))


def _write(meter: HouseMeter, form: Form, count: int) -> None:
    from auctionctl.cli.streams import check_reader  # noqa: PLC0415

    written = 0

    def on_measures(measures: Measures, warnings: Warnings) -> None:
        nonlocal written
        if form.is_json:
            write_document(SCHEMA, record(measures, warnings, _listings(meter)))
        else:
            for fields in lines(measures, warnings, _listings(meter)):
                write_fields(fields)
        written += 1

    meter.run(on_measures, lambda: written >= count, check_reader)


def _listings(meter: HouseMeter) -> Callable[[bytes], str | None]:
    catalogue = meter.catalogue
    return lambda auction: catalogue[auction].listing if auction in catalogue else None


def record(measures: Measures, warnings: Warnings, listing_of: Callable[[bytes], str | None]) -> dict[str, object]:
    """Everything, as JSON says it."""
    families: dict[str, dict[str, int]] = {}
    for each in measures.labelled:
        families.setdefault(each.family, {})[each.label] = each.count
    return {
        "time_ns": measures.time_ns,
        "started_ns": measures.started_ns,
        "span_ns": measures.span_ns,
        "warnings": [{"code": code, "words": words} for code, words in warnings],
        "stages": {each.stage: _fields(each, 1) for each in measures.stages},
        "amounts": dict(measures.amounts),
        "families": families,
        "processes": [_fields(each) for each in measures.processes],
        "peers": [_fields(each) for each in measures.peers],
        "busiest": [
            {"auction": each.auction.hex(), "listing": listing_of(each.auction), "count": each.count}
            for each in measures.busiest
        ],
    }


def _fields(struct: object, start: int = 0) -> dict[str, object]:
    names: tuple[str, ...] = getattr(type(struct), "__struct_fields__")[start:]  # noqa: B009 - of any of three types
    return {name: getattr(struct, name) for name in names}


def lines(measures: Measures, warnings: Warnings, listing_of: Callable[[bytes], str | None]) -> list[tuple[str, ...]]:
    """The same for a pipe: what kind of number, whose, and the number or numbers."""
    return [
        *(("warning", code, words) for code, words in warnings),
        *(("amount", name, str(value)) for name, value in measures.amounts),
        *((each.family, each.label, str(each.count)) for each in measures.labelled),
        *(
            ("stage", each.stage, *map(str, (each.count, each.p50_ns, each.p99_ns, each.longest_ns)))
            for each in measures.stages
        ),
        *(
            ("process", each.name, *map(str, (each.pid, each.cpu_ns, each.rss_bytes, each.descriptors)))
            for each in measures.processes
        ),
        *(("busiest", listing_of(each.auction) or each.auction.hex(), str(each.count)) for each in measures.busiest),
        *(
            ("peer", each.name, each.role, each.host, *map(str, (each.round_trip_ns, each.messages, each.waiting)))
            for each in measures.peers
        ),
    ]
