"""``demo``: a house and three bidders as real processes on loopback, followed live and verified afterwards.

The house is one process, or with ``--cluster`` three instances on three servers: see :mod:`auctionctl.cli.demo_venue`.

Rule: everything lives in one directory, which is gone at the end unless ``--keep`` is given; no process stays either.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, can_redraw, write_document, write_note, write_table
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError, UnreachableError

if TYPE_CHECKING:
    from auctionctl.cli.demo_stage import Stage
    from auctionctl.cli.demo_venue import Venue
    from auctionctl.cli.observer import Observer
    from auctionctl.keys.signing import SecretKey
    from auctionctl.replica.replica import Replica
    from auctionctl.views.auction_row import Names
    from auctionctl.wire.address import HouseAddress

SCHEMA: Final = "auctionctl.demo/1"
START_PATIENCE_S: Final = 20.0
END_PATIENCE_S: Final = 20.0
VERIFY_PATIENCE_S: Final = 60.0
PROGRESS_S: Final = 1.0
Check = Callable[[], None]
"""Raises if a process has failed, or time is up."""
Show = Callable[["Observer", Check], None]

COLUMNS: Final = ("lot", "end", "winner", "price", "bids", "extended", "entries", "log")

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl demo --duration 20s --keep demo-files")
@with_form
def demo(
    form: Form,
    duration: Annotated[str, typer.Option(metavar="TIME", help="How long each auction runs, from 3s to 1h.")] = "8s",
    seed: Annotated[int, typer.Option(help="For the chances that the strategies take.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep everything here: keys, receipts, logs, output.")
    ] = None,
    cluster: Annotated[
        bool,
        typer.Option("--cluster", help="Three instances on three NATS servers, of which an instance is killed."),
    ] = False,
) -> int:
    """Watch a house and three bidders sell three lots at once; every log is then verified by another process."""
    from auctionctl.cli.demo_story import MAX_DURATION_NS, MIN_DURATION_NS  # noqa: PLC0415
    from auctionctl.cli.settings.durations import parse_duration  # noqa: PLC0415

    with argument("--duration"):
        duration_ns = parse_duration(duration)
    if not MIN_DURATION_NS <= duration_ns <= MAX_DURATION_NS:
        raise ArgumentError("--duration: the demo runs for 3s to 1h")
    from auctionctl.cli.demo_venue import MIN_CLUSTER_NS, Clustered, OneHouse  # noqa: PLC0415
    from auctionctl.cli.local_cluster import find_server  # noqa: PLC0415

    if cluster and duration_ns < MIN_CLUSTER_NS:
        raise ArgumentError("--duration: with --cluster the demo runs for 8s to 1h, to outlast an instance")
    venue: Venue = Clustered(find_server()) if cluster else OneHouse()
    started_s = time.monotonic()
    with _home(keep) as home:
        sales = _play(home, form, duration_ns, seed, venue)
        _write_results(form, sales, time.monotonic() - started_s, venue.killed)
        if keep is not None:
            write_note(f"everything is kept in {home}")
    return ExitStatus.OK if all(sale.is_verified for sale in sales) else ExitStatus.VERIFICATION_FAILED


@dataclass(frozen=True, slots=True)
class Sale:
    """How one auction of the demo ended, by the observer's replica; ``is_verified`` is another process's word."""

    replica: Replica
    winner: str | None
    is_verified: bool


@contextmanager
def _home(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        home = Path(tempfile.mkdtemp(prefix="auctionctl-demo-"))
        try:
            yield home
        finally:
            shutil.rmtree(home, ignore_errors=True)
        return
    from auctionctl.client.files import make_private_directories  # noqa: PLC0415

    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise ConfigurationError(f"--keep: {keep} is there already", hint="choose a directory that is new or empty")
    make_private_directories(keep)
    yield keep.absolute()


def _play(home: Path, form: Form, duration_ns: int, seed: int, venue: Venue) -> list[Sale]:
    from auctionctl.cli.demo_stage import Stage  # noqa: PLC0415
    from auctionctl.cli.demo_story import INTRODUCTION, OBSERVER, PLAYERS  # noqa: PLC0415
    from auctionctl.cli.settings.choices import choose_key  # noqa: PLC0415

    paths = Paths(home / "config", home / "state", home / "run")
    names = _prepare(paths)
    venue.prepare(home, duration_ns)
    for line in (*INTRODUCTION, *venue.introduction) if not form.is_json else ():
        write_note(line)
    bidders = [player.name for player in PLAYERS]
    with Stage(home) as stage:
        address = venue.open(stage, home)
        for number, player in enumerate(PLAYERS):
            params = [word for param in player.params for word in ("--param", param)]
            options = ["--strategy", player.strategy, "--budget", player.budget, *params, "--key", player.name]
            options += ["--seed", str(seed + number), "--house", address.text, "--json"]
            stage.start(player.name, ["bid", "--all", *options], frozenset({ExitStatus.OK, ExitStatus.BID_LOST}))
        show = _show_board if form is Form.TABLE and can_redraw() else _write_progress
        observer = _follow(stage, address, choose_key(paths, OBSERVER), partial(show, names), duration_ns, venue)
        stage.wait_for(bidders, END_PATIENCE_S)
        return [_verify(home, address, observer, replica, names) for replica in observer.replicas()]


def _prepare(paths: Paths) -> dict[bytes, str]:
    """Keys and allow list; returns who is who."""
    from auctionctl.cli.demo_story import HOUSE, OBSERVER, PLAYERS  # noqa: PLC0415
    from auctionctl.client.files import PRIVATE_MODE, Existing, write_whole  # noqa: PLC0415
    from auctionctl.keys.allowlist import Entry, add_line  # noqa: PLC0415
    from auctionctl.keys.keyfile import generate, key_path, write_key  # noqa: PLC0415

    names: dict[bytes, str] = {}
    allowed = ""
    for name in (HOUSE, OBSERVER, *(player.name for player in PLAYERS)):
        key = generate()
        write_key(key_path(paths.keys, name), key, created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        names[key.identity.signing] = name
        if name != HOUSE:
            allowed = add_line(allowed, Entry(key.identity, name, "observer" if name == OBSERVER else "bidder"))
    write_whole(paths.allow_list, allowed.encode(), PRIVATE_MODE, Existing.REPLACE)
    return names


def free_port() -> int:
    """A port on loopback that nobody listens on at the moment."""
    from auctionctl.cli.local_cluster import free_ports  # noqa: PLC0415

    return free_ports(1)[0]


def _follow(  # noqa: PLR0917 - all of it is needed at once
    stage: Stage, address: HouseAddress, key: SecretKey, show: Show, duration_ns: int, venue: Venue
) -> Observer:
    """Follow every auction to its end."""
    from auctionctl.cli.observer import Observer, everything, keep_nothing  # noqa: PLC0415
    from auctionctl.cli.seen_logs import Forgetful  # noqa: PLC0415

    observer = Observer(address, key, everything, keep_nothing, Forgetful())
    # Extensions included, an auction cannot run for more than seven times its duration.
    deadline_s = time.monotonic() + 8 * duration_ns / 1e9 + START_PATIENCE_S

    def check() -> None:
        stage.check()
        venue.look(stage, observer.replicas())
        if time.monotonic() > deadline_s:
            raise UnreachableError("the demo's auctions did not end in time")

    try:
        show(observer, check)
        observer.settle()
    finally:
        observer.close()
    return observer


def _show_board(names: Names, observer: Observer, check: Check) -> None:
    from rich.console import Console  # noqa: PLC0415

    from auctionctl.cli.live_board import LiveBoard  # noqa: PLC0415

    with LiveBoard(Console()) as live:

        def tick() -> None:
            check()
            live.show("the demo's auctions", lambda: observer.rows(names))

        observer.run(observer.has_ended, on_tick=tick)


def _write_progress(names: Names, observer: Observer, check: Check) -> None:
    written_s = time.monotonic()

    def tick() -> None:
        nonlocal written_s
        check()
        if time.monotonic() - written_s < PROGRESS_S or not (rows := observer.rows(names)):
            return
        written_s = time.monotonic()
        write_note("; ".join(f"{row.title}: {row.price or '-'} {row.leader} {row.result or row.left}" for row in rows))

    observer.run(observer.has_ended, on_tick=tick)


def _verify(home: Path, address: HouseAddress, observer: Observer, replica: Replica, names: Names) -> Sale:
    """Export a log, and have another process verify the file with nothing but the house's public key."""
    from auctionctl.cli.demo_stage import run_once  # noqa: PLC0415
    from auctionctl.client.files import PUBLIC_MODE, Existing, write_whole  # noqa: PLC0415

    auction = replica.replay.state
    path = home / f"{auction.id.hex()}.auction"
    write_whole(path, observer.export(auction.id), PUBLIC_MODE, Existing.REPLACE)
    finished = run_once(home, ["verify", str(path), "--house", address.text, "--json"], VERIFY_PATIENCE_S)
    if finished.returncode:
        write_note(f"verify: {finished.stderr.decode(errors='replace')}")
    winner = getattr(auction.outcome, "winner", None)
    return Sale(replica, None if winner is None else names[winner], finished.returncode == 0)


def _write_results(form: Form, sales: Sequence[Sale], seconds: float, killed: str | None) -> None:
    from auctionctl.cli.records import auction_record  # noqa: PLC0415

    if form.is_json:
        wanted = ("id", "item", "end_reason", "price", "bids", "extensions", "log_size")
        auctions = []
        for sale in sales:
            record = auction_record(sale.replica.replay.state)
            auctions.append({name: record[name] for name in wanted} | _verdict(sale))
        write_document(SCHEMA, {"auctions": auctions, "seconds": round(seconds, 1), "killed": killed})
        return
    from auctionctl.views.auction_row import END_WORDS, row_of  # noqa: PLC0415

    rows = []
    for sale in sales:
        auction = sale.replica.replay.state
        row = row_of(auction, auction.last_time_ns, {}, is_current=True)
        end = "" if row.end_reason is None else END_WORDS[row.end_reason]
        counts = (str(row.bid_count), str(row.extensions), str(auction.size))
        log = "verified" if sale.is_verified else "NOT VERIFIED"
        rows.append((row.title, end, sale.winner or "", row.price, *counts, log))
    write_table(form, COLUMNS, rows)


def _verdict(sale: Sale) -> dict[str, object]:
    return {"winner": sale.winner, "verified": sale.is_verified}
