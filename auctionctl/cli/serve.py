"""``serve``: runs a house from a file of lots, until it is stopped or every auction has ended.

Rule: everything that can be wrong with the file, the key or the allow list is found out before anything starts. That
nobody reads what this writes does not stop an auction.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from auctionctl.cli.allow import read_allow_list
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.files import PRIVATE_MODE, Existing, make_private_directories, write_whole
from auctionctl.cli.options import JsonOption
from auctionctl.cli.output import write_json, write_line, write_note
from auctionctl.cli.paths import Paths, find_paths
from auctionctl.views.peer_text import safe_text

if TYPE_CHECKING:
    from auctionctl.net.supervisor import Report, Serving

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl serve AUCTIONS.toml --until-closed")
def serve(
    file: Annotated[Path, typer.Argument(metavar="AUCTIONS.toml", help="The house's settings and its lots.")],
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Listen here instead of where FILE says.")] = None,
    until_closed: Annotated[bool, typer.Option("--until-closed", help="End once every auction has ended.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Run a house: announce the lots of a file, take bids, sign receipts; resumes what it ran before."""
    from auctionctl.cli.lots import read_auctions  # noqa: PLC0415 - imports libsodium

    content = read_auctions(file)
    section = content.house if port is None else replace(content.house, port=port)
    paths = find_paths()
    from auctionctl.house.house import Limits  # noqa: PLC0415
    from auctionctl.keys.keyfile import key_path, read_key  # noqa: PLC0415
    from auctionctl.net.supervisor import Finish, HouseSettings  # noqa: PLC0415
    from auctionctl.net.supervisor import serve as run_house  # noqa: PLC0415

    key = read_key(key_path(paths.keys, section.key))
    _, allowed = read_allow_list(paths.allow_list)
    if not allowed:
        write_note(f"nobody is on the allow list {paths.allow_list}; let bidders in: auctionctl allow add KEY NAME")
    settings = HouseSettings(
        section.name,
        section.bind,
        section.port,
        section.verifiers,
        Limits(section.max_concurrent_auctions, section.queue),
        paths.house_state(section.name),
        paths.allow_list,
    )
    report = write_report_json if as_json else write_report
    with published_address(paths, section.name) as publish:

        def on_report(news: Report) -> None:
            publish(news)
            try:
                report(news)
            except BrokenPipeError:
                _stop_writing()

        run_house(settings, key, content.lots, on_report, Finish.WHEN_CLOSED if until_closed else Finish.NEVER)
    return ExitStatus.OK


class _Publish:
    """Writes the address file when the house serves."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.text = b""

    def __call__(self, news: Report) -> None:
        from auctionctl.net.supervisor import Serving  # noqa: PLC0415

        if isinstance(news, Serving):
            self.text = news.address.text.encode() + b"\n"
            make_private_directories(self._path.parent)
            write_whole(self._path, self.text, PRIVATE_MODE, Existing.REPLACE)


@contextmanager
def published_address(paths: Paths, house: str) -> Iterator[_Publish]:
    """While the house serves, ``run/<house>.address`` says where; afterwards the file is gone."""
    path = paths.address_file(house)
    publish = _Publish(path)
    try:
        yield publish
    finally:
        # Another house may have taken the name over meanwhile: only what we wrote is ours to take away.
        if publish.text and path.exists() and path.read_bytes() == publish.text:
            path.unlink()


def _stop_writing() -> None:
    """Nobody reads stdout any more: from now on it leads nowhere, and the auctions go on."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


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
