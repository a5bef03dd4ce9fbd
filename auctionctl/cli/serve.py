"""``serve``: runs a house from a file of lots, until it is stopped or every auction has ended.

Rule: everything that can be wrong with the file, the key or the allow list is found out before anything starts. That
nobody reads what this writes does not stop an auction.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from auctionctl.cli.address_file import published_address
from auctionctl.cli.allow import read_allow_list
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import JsonOption
from auctionctl.cli.output import write_json, write_line, write_note
from auctionctl.cli.paths import Paths, find_paths
from auctionctl.cli.streams import stop_writing
from auctionctl.views.peer_text import safe_text

if TYPE_CHECKING:
    from auctionctl.cli.house_file import HouseSection
    from auctionctl.cli.lots import AuctionsFile
    from auctionctl.net.supervisor import HouseSettings, Report, Serving

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl serve AUCTIONS.toml --until-closed")
def serve(
    file: Annotated[
        Path | None, typer.Argument(metavar="[AUCTIONS.toml]", readable=False, help="The lots to sell.")
    ] = None,
    *,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The house's settings, in place of the usual house.toml.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The name of the house's state.")] = None,
    key: Annotated[str | None, typer.Option(metavar="NAME", help="The house's key.")] = None,
    bind: Annotated[str | None, typer.Option(metavar="HOST", help="Listen on this address.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Listen on this port.")] = None,
    verifiers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes that check signatures.")] = None,
    until_closed: Annotated[bool, typer.Option("--until-closed", help="End once every auction has ended.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Run a house: announce the lots of a file, take bids, sign receipts; resumes what it ran before."""
    given = {"name": name, "key": key, "bind": bind, "port": port, "verifiers": verifiers}
    options = {name: value for name, value in given.items() if value is not None}
    paths = find_paths()

    def read() -> AuctionsFile:
        return read_plan(paths, file, config, options)

    content = read()
    from auctionctl.keys.keyfile import key_path, read_key  # noqa: PLC0415 - imports libsodium
    from auctionctl.net.supervisor import Finish, Serving  # noqa: PLC0415
    from auctionctl.net.supervisor import serve as run_house  # noqa: PLC0415

    section = content.house
    secret = read_key(key_path(paths.keys, section.key))
    _, allowed = read_allow_list(paths.allow_list)
    if not allowed:
        write_note(f"nobody is on the allow list {paths.allow_list}; let bidders in: auctionctl allow add KEY NAME")
    settings = settings_of(section, paths)
    report = write_report_json if as_json else write_report
    with published_address(paths, section.name) as address_file:

        def on_report(news: Report) -> None:
            if isinstance(news, Serving):
                address_file.publish(news.address)
            try:
                report(news)
            except OSError:
                stop_writing()

        run_house(settings, secret, content.lots, on_report, Finish.WHEN_CLOSED if until_closed else Finish.NEVER)
    return ExitStatus.OK


def read_plan(paths: Paths, file: Path | None, config: Path | None, options: Mapping[str, str | int]) -> AuctionsFile:
    """The settings and lots that ``file``, the house file and the ``options`` say together, checked."""
    from auctionctl.cli.house_file import combine, find_house_layers, option_layer  # noqa: PLC0415
    from auctionctl.cli.lots import AuctionsFile, read_auctions  # noqa: PLC0415 - imports libsodium

    above = [option_layer(options)]
    below = find_house_layers(paths.config, config)
    if file is None:
        return AuctionsFile(combine(below + above), ())
    return read_auctions(file, below, above)


def settings_of(section: HouseSection, paths: Paths) -> HouseSettings:
    """What the processes of a house are started with."""
    from auctionctl.house.house import Limits  # noqa: PLC0415
    from auctionctl.net.supervisor import HouseSettings  # noqa: PLC0415

    return HouseSettings(
        section.name,
        section.bind,
        section.port,
        section.verifiers,
        Limits(section.max_concurrent_auctions, section.queue),
        paths.house_state(section.name),
        paths.allow_list,
    )


def write_report(report: Report) -> None:
    """What the house reports, in lines for people."""
    from auctionctl.net import hops, supervisor  # noqa: PLC0415

    match report:
        case supervisor.Serving():
            _write_serving(report)
        case supervisor.Restarted():
            write_line(f"restarted {report.process} (process {report.pid})")
        case supervisor.Quarantined():
            write_line(f"quarantined {report.log}: {safe_text(report.reason, 500)}")
        case hops.AllowListKept():
            write_line(f"the new allow list is wrong, the one before stays in force: {safe_text(report.reason, 500)}")
        case hops.StoreFull():
            write_line(f"the store is full, nothing is accepted: {safe_text(report.reason, 500)}")
        case hops.AllClosed():
            write_line("every auction has ended")
        case supervisor.Processes():
            pass
        case _:
            assert_never(report)


def _write_serving(serving: Serving) -> None:
    for announced in serving.auctions:
        news = "resumed" if announced.is_resumed else "new"
        title = safe_text(announced.title)
        write_line(f"auction {announced.auction.hex()[:12]}  {announced.listing}  {news}  {title}")
        if announced.differs:
            write_note(
                f"{announced.listing}: the file says otherwise in {', '.join(announced.differs)};"
                " what was announced holds, and a new listing name would make a new auction"
            )
    write_line(f"serving at {serving.address.text}")


def write_report_json(report: Report) -> None:
    """What the house reports, one object a line."""
    from auctionctl.net import hops, supervisor  # noqa: PLC0415

    match report:
        case supervisor.Serving():
            auctions = [
                {
                    "id": each.auction.hex(),
                    "listing": each.listing,
                    "item": each.title,
                    "is_resumed": each.is_resumed,
                    "differs": list(each.differs),
                }
                for each in report.auctions
            ]
            write_json({"event": "serving", "address": report.address.text, "auctions": auctions})
        case supervisor.Restarted():
            write_json({"event": "restarted", "process": report.process, "pid": report.pid})
        case supervisor.Quarantined():
            write_json({"event": "quarantined", "log": report.log, "reason": report.reason})
        case hops.AllowListKept():
            write_json({"event": "allow_list_kept", "reason": report.reason})
        case hops.StoreFull():
            write_json({"event": "store_full", "reason": report.reason})
        case hops.AllClosed():
            write_json({"event": "all_closed"})
        case supervisor.Processes():
            pids = {"house": report.house, "gateway": report.gateway, "verifiers": list(report.verifiers)}
            write_json({"event": "processes", **pids})
        case _:
            assert_never(report)
