"""A house to measure: its files in a directory of its own, and ``serve`` as a process there for as long as it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auctionctl.client.paths import HOME_VARIABLE, Paths, find_paths

if TYPE_CHECKING:
    from auctionctl.keys.signing import SecretKey

HOUSE: Final = "house"
"""The name of the house, and of its key."""
LOTS_FILE: Final = "AUCTIONS.toml"
CONNECTIONS: Final = 256


@dataclass(frozen=True, slots=True)
class Served:
    """A house that runs: where it is, its auctions, which processes it consists of, and the logs in quarantine."""

    address: str
    auctions: list[bytes]
    processes: dict[str, list[int]]
    quarantined: list[str]


def paths_of(home: Path) -> Paths:
    """Where everything is when all of it is under ``home``."""
    return find_paths({HOME_VARIABLE: str(home)})


def lots(count: int) -> str:
    """The text of a file of so many auctions, which two bidders open and which end long after everything."""
    # A file of lots has its bound in bytes: what is the same of all of them is said once.
    shared = '[defaults]\nincrement = "1credits"\nduration = "1h"\nmin_bidders = 2\nbid_timeout = "1h"\n'
    lot = '[[auction]]\nitem = "Lot {}"\nstarting_price = "1credits"\n'
    return shared + "".join(lot.format(number) for number in range(count))


def prepare_house(
    home: Path, lots: str, bidders: int, max_concurrent: int, *, gateways: int = 1, under_way: int = 0
) -> list[SecretKey]:
    """Keys, allow list and settings in ``home``, and a file of ``lots`` if any; returns the keys of so many bidders.

    There is room for as many bids as are to be ``under_way``.
    """
    from auctionctl.cli.demo import free_port  # noqa: PLC0415
    from auctionctl.cli.settings.house_file import HOUSE_FILE  # noqa: PLC0415
    from auctionctl.house.limits import Limits  # noqa: PLC0415
    from auctionctl.keys.allowlist import Entry, render  # noqa: PLC0415 - imports libsodium
    from auctionctl.keys.keyfile import generate, key_path, write_key  # noqa: PLC0415

    paths = paths_of(home)
    write_key(key_path(paths.keys, HOUSE), generate(), created="2026-01-01T00:00:00Z")
    keys = [generate() for _ in range(bidders)]
    lines = [render(Entry(key.identity, f"bidder-{number}", "bidder")) for number, key in enumerate(keys)]
    paths.allow_list.write_text("\n".join(lines) + "\n")
    section = f"port = {free_port()}\nmax_concurrent_auctions = {max_concurrent}\ngateways = {gateways}\n"
    # What is measured is the house, not its limits.
    section += "bids_per_s = 1000000\nbids_burst = 1000000\nall_bids_per_s = 1000000\n"
    section += f"queue = {max(Limits().queue, under_way)}\n"
    section += "max_bids_an_auction = 1000000000\nmax_subscriptions = 1000000\n"
    section += f"max_connections = {max(CONNECTIONS, 2 * bidders)}\n"
    section += "read_bytes_per_s = 1000000000\nread_bytes_burst = 1000000000000\n"
    (paths.config / HOUSE_FILE).write_text(section)
    if lots:
        (home / LOTS_FILE).write_text(lots)
    return keys


@contextmanager
def running_house(home: Path, patience_s: float, options: Sequence[str] = ()) -> Iterator[Served]:
    """``auctionctl serve OPTIONS`` as a process of its own, from when it serves until the block is left."""
    from auctionctl.cli.demo_stage import Stage  # noqa: PLC0415

    with Stage(home) as stage:
        file = home / LOTS_FILE
        stage.start(HOUSE, ["serve", *([str(file)] if file.exists() else []), *options, "--json"], frozenset())
        stage.wait_for_output(HOUSE, b'"serving"', patience_s)
        yield _read_reports(stage.output_of(HOUSE))


def _read_reports(lines: Sequence[bytes]) -> Served:
    reports = [json.loads(line) for line in lines]
    by_event = {report["event"]: report for report in reports}
    processes, serving = by_event["processes"], by_event["serving"]
    return Served(
        serving["address"],
        [bytes.fromhex(auction["id"]) for auction in serving["auctions"]],
        {
            "gateway": processes["gateways"],
            "verifiers": processes["verifiers"],
            "house": [processes["house"]],
        },
        [f"{report['log']}: {report['reason']}" for report in reports if report["event"] == "quarantined"],
    )
