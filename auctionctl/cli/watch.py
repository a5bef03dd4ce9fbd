"""``watch``: a house's auctions, live; a board for people, entries for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import Form, can_redraw, write_document, write_fields, write_note, write_table
from auctionctl.client.choosing import chosen_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auctionctl.cli.observer import Observer
    from auctionctl.replica.replay import Applied
    from auctionctl.replica.replica import Replica
    from auctionctl.views.auction_row import Names

SCHEMA: Final = "auctionctl.entry/1"
CLOCK_SCHEMA: Final = "auctionctl.clock/1"
TICK_S: Final = 0.25
KEYS_TICK_S: Final = 0.1
"""How long a key may go unheeded."""
RECENT_NS: Final = 3_600 * 1_000_000_000
"""What ended longer ago is left out, unless it is asked for."""

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl watch --key alice")
@with_house
def watch(
    at: AtHouse,
    auction: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One auction, by listing or first digits; else all.")
    ] = None,
    match: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="The auctions whose listing fits: 'gpu-*'.")
    ] = None,
    ended_too: Annotated[bool, typer.Option("--all", help="Also what ended more than an hour ago.")] = False,
) -> int:
    """Follow auctions until they have ended: a live board on a terminal, a line an entry in a pipe.

    On the board, arrows choose a lot, Enter shows its ladder of bids, / filters, s sorts, ? tells of all keys, and q
    quits.
    """
    address, secret = at.address(), at.secret()
    from auctionctl.cli.observer import Observer, everything, names_of  # noqa: PLC0415 - imports zmq

    wanted, patterns = [] if auction is None else [auction], match or []
    select = everything if not wanted + patterns else chosen_by(wanted, patterns)
    observer = Observer(address, secret, select)
    recent = Recent(None if wanted or patterns or ended_too else RECENT_NS, lambda: observer.house_now_ns)
    names = names_of(at.paths, secret, observer.registry)
    form = Form.PLAIN if at.form is Form.TABLE and not can_redraw() else at.form
    try:
        if form is Form.TABLE:
            show_board(observer, f"house {address.identity.short}", names, recent)
        else:
            write_entries(observer, form, names, recent)
    finally:
        observer.close()
    if form is Form.TABLE:
        if observer.clock_off_ns:
            write_clock_off(observer.clock_off_ns, form)
        write_results(form, observer, names, recent)
    if recent.words and not form.is_json:
        write_note(f"{recent.words}; --all shows them too")
    return ExitStatus.OK


class Recent:
    """Which auctions are shown: all but those that ended more than ``within_ns`` before ``now_ns()``; None: all."""

    def __init__(self, within_ns: int | None, now_ns: Callable[[], int]) -> None:
        self._within_ns = within_ns
        self._now_ns = now_ns
        self._left_out: set[bytes] = set()
        self._shown: set[bytes] = set()

    def is_decided(self, replica: Replica) -> bool:
        """Whether it is known if this auction is shown: of a log that is still coming in, the end is not."""
        auction = replica.replay.auction_id
        return self._within_ns is None or not replica.is_behind or auction in self._shown | self._left_out

    def is_shown(self, replica: Replica) -> bool:
        """Whether this auction, of which that is decided, is shown; what was once shown remains."""
        auction = replica.replay.state
        if self._within_ns is None or auction.id in self._shown:
            return True
        if auction.id in self._left_out:
            return False
        is_old = auction.outcome is not None and auction.last_time_ns < self._now_ns() - self._within_ns
        (self._left_out if is_old else self._shown).add(auction.id)
        return not is_old

    def among(self, replicas: Sequence[Replica]) -> list[Replica]:
        """Those of ``replicas`` that are shown, as far as that is decided."""
        return [each for each in replicas if self.is_decided(each) and self.is_shown(each)]

    @property
    def words(self) -> str:
        """What was left out, or nothing."""
        count = len(self._left_out)
        ended = "1 auction that ended" if count == 1 else f"{count} auctions that ended"
        return f"{ended} more than an hour ago left out" if count else ""


def show_board(observer: Observer, title: str, names: Names, recent: Recent) -> None:
    """The live board, until every auction has ended, or whoever is at the keys has seen enough."""
    from rich.console import Console  # noqa: PLC0415

    from auctionctl.cli.keyboard import open_keyboard  # noqa: PLC0415
    from auctionctl.cli.live_board import LiveBoard  # noqa: PLC0415
    from auctionctl.cli.watch_board import WatchBoard  # noqa: PLC0415

    def words() -> str:
        lost = "" if observer.follower.is_welcome else " — not connected"
        off = f" — its clock is {observer.clock_off_ns / 1e9:+.0f} s off ours" if observer.clock_off_ns else ""
        left_out = f" — {recent.words}" if recent.words else ""
        return title + lost + off + left_out

    keyboard = open_keyboard()
    shown = WatchBoard(observer, names, lambda: recent.among(observer.replicas()), words, keyboard)
    with LiveBoard(Console(), keyboard=keyboard) as live:
        observer.run(
            lambda: shown.has_quit or observer.has_ended(),
            shown.take,
            lambda: shown.tick(live),
            tick_s=TICK_S if keyboard is None else KEYS_TICK_S,
        )


def write_entries(observer: Observer, form: Form, names: Names, recent: Recent) -> None:
    """One line an entry, until every auction has ended."""
    from auctionctl.cli.observer import ConnectionNotes  # noqa: PLC0415
    from auctionctl.cli.records import entry_record, entry_words  # noqa: PLC0415
    from auctionctl.cli.streams import check_reader  # noqa: PLC0415

    waiting: dict[bytes, list[Applied]] = {}

    def on_entries(replica: Replica, applied: list[Applied]) -> None:
        held = waiting.setdefault(replica.replay.auction_id, [])
        held += applied
        if not recent.is_decided(replica):
            return
        entries, held[:] = list(held), []
        for each in entries if recent.is_shown(replica) else ():
            if form.is_json:
                write_document(SCHEMA, entry_record(replica.replay.state, each))
            else:
                write_fields(entry_words(replica.replay.state, each, names))

    notes = ConnectionNotes(observer.follower)
    is_clock_told = False

    def tick() -> None:
        nonlocal is_clock_told
        check_reader()
        notes.tick()
        if observer.clock_off_ns and not is_clock_told:
            is_clock_told = True
            write_clock_off(observer.clock_off_ns, form)

    observer.run(observer.has_ended, on_entries, tick)


def write_clock_off(ahead_ns: int, form: Form) -> None:
    """Tell people on stderr, and programs where they read, that the clocks differ too much."""
    from auctionctl.cli.clock_heads import clock_words  # noqa: PLC0415

    write_note(clock_words(ahead_ns))
    if form.is_json:
        write_document(CLOCK_SCHEMA, {"event": "clock_off", "ahead_ns": ahead_ns})


def write_results(form: Form, observer: Observer, names: Names, recent: Recent) -> None:
    """How every auction ended, as a table."""
    from auctionctl.views.results import RESULT_COLUMNS, result_cells  # noqa: PLC0415

    shown = recent.among(observer.replicas())
    rows = zip(observer.rows(names, shown), shown, strict=True)
    write_table(form, RESULT_COLUMNS, [result_cells(row, replica.size) for row, replica in rows])
