"""How long a house takes from the start of its process to the first bid that it accepts, on a store that is full.

The store is filled beforehand (:mod:`auctionctl.net.filling`); then ``serve`` is started as anybody starts it, and a
bidder bids as soon as it says that it serves. What it costs merely to read and to hash the same entries is timed in the
same minute: the ratio is what compares. The receipt is verified, and no log may have been set aside (DESIGN.md 11).
"""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auctionctl.cli.benchmarks.bench_house import HOUSE, paths_of, prepare_house, running_house
from auctionctl.cli.benchmarks.processes import peak_memory
from auctionctl.cli.benchmarks.rows import Row, at_most
from auctionctl.cli.output import Form, write_line
from auctionctl.cli.progress import shown_progress
from auctionctl.errors import VerificationError

if TYPE_CHECKING:
    from auctionctl.net.filling import Filled

BIDDERS: Final = 4
START_PATIENCE_S: Final = 600.0
MEBIBYTE: Final = 1_024 * 1_024
MEGABYTE: Final = 1_000_000
RESTART: Final = at_most(10.0)
MEMORY: Final = at_most(500.0)
MILLION: Final = 1_000_000
"""Entries, for which the targets are."""


def measure_restart(home: Path, form: Form, entries: int) -> dict[str, Any]:
    """Fill a store in ``home`` with ``entries`` entries and start a house on it; returns the figures by name."""
    from auctionctl.net.placing import place_one  # noqa: PLC0415 - imports zmq
    from auctionctl.wire.address import parse_address  # noqa: PLC0415

    filled = _fill(home, form, entries)
    bare_s = _read_and_hash(home)
    started_s = time.perf_counter()
    with running_house(home, START_PATIENCE_S) as served:
        listening_s = time.perf_counter() - started_s
        if served.quarantined:
            raise VerificationError(f"a log was set aside: {served.quarantined[0]}", rule="quarantine")
        address = parse_address(served.address)
        placed = place_one(address, filled.bidder, filled.next_bid(time.time_ns()))
        first_receipt_s = time.perf_counter() - started_s
        peak_bytes = peak_memory(served.processes["house"][0])
        placed.verify(address.identity)
    return {
        "entries": filled.entries,
        "logs": filled.logs,
        "entries_of_largest": placed.receipt.index,
        "listening_s": listening_s,
        "first_receipt_s": first_receipt_s,
        "bare_s": bare_s,
        "ratio": first_receipt_s / bare_s,
        "peak_bytes": peak_bytes,
        "peak_bytes_per_entry": None if peak_bytes is None else peak_bytes / filled.entries,
    }


def write_restart(result: dict[str, Any]) -> None:
    """The figures in words."""
    write_line(
        f"{result['entries']} entries in {result['logs']} logs, {result['entries_of_largest']} of them in the largest"
    )
    write_line(f"{result['listening_s']:.2f} s from the start of the process until the house serves")
    write_line(f"{result['first_receipt_s']:.2f} s until the receipt of the first bid")
    write_line(f"{result['bare_s']:.2f} s to read and hash the same entries, and nothing else")
    write_line(f"{result['ratio']:.1f} ratio")
    if result["peak_bytes"] is not None:
        write_line(f"{result['peak_bytes'] / MEBIBYTE:.0f} MiB of memory at the most, in the house's process")


def rows_of_restart(result: dict[str, Any]) -> list[Row]:
    """How long until the first bid is taken, and the memory of the house's process."""
    is_whole = result["entries"] >= MILLION
    what = f"start → receipt of the first bid, {result['entries']} entries"
    ratio = f"{result['ratio']:.1f} × reading and hashing them"
    rows = [Row(f"{what} ({ratio})", result["first_receipt_s"], "s", target=RESTART if is_whole else None)]
    if result["peak_bytes"] is not None:
        peak_mb = result["peak_bytes"] / MEGABYTE
        rows.append(Row("memory of the house at the most", peak_mb, "MB", target=MEMORY if is_whole else None))
    return rows


def _fill(home: Path, form: Form, entries: int) -> Filled:
    from auctionctl.cli.allow import read_allow_list  # noqa: PLC0415
    from auctionctl.keys.keyfile import key_path, read_key  # noqa: PLC0415 - imports libsodium
    from auctionctl.net.filling import LOGS, fill  # noqa: PLC0415
    from auctionctl.store.sqlite import SqliteStore  # noqa: PLC0415

    bidders = prepare_house(home, "", BIDDERS, LOGS)
    paths = paths_of(home)
    _, allowed = read_allow_list(paths.allow_list)
    house = read_key(key_path(paths.keys, HOUSE))
    store = SqliteStore(paths.house_state(HOUSE))
    try:
        with shown_progress(form, "filling the store") as tell:
            return fill(
                store, house, bidders, allowed=allowed, entries=entries, now_ns=time.time_ns(), on_progress=tell
            )
    finally:
        store.close()


def _read_and_hash(home: Path) -> float:
    """Seconds to open the store, and to read and hash each of its entries once."""
    from auctionctl.store.sqlite import SqliteStore  # noqa: PLC0415

    started_s = time.perf_counter()
    store = SqliteStore(paths_of(home).house_state(HOUSE))
    try:
        for name, _ in store.logs():
            for data in store.read(name):
                sha256(data).digest()
        return time.perf_counter() - started_s
    finally:
        store.close()
