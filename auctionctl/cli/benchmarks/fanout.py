"""From one bid to the last of many watchers: how long a commit takes to reach everybody who follows the auction.

Timed from when the bid is sent, so that its check, its decision and its commit are part of it: what the house says to
the last watcher takes no longer. Every watcher is a session of its own; what they were told is held against the log
after the runs, as every receipt is.
"""

from __future__ import annotations

import statistics
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auctionctl.cli.benchmarks.aftermath import Checked, check_logs
from auctionctl.cli.benchmarks.bench_house import lots, prepare_house, running_house
from auctionctl.cli.benchmarks.rows import Row, at_most
from auctionctl.cli.benchmarks.throughput import START_PATIENCE_S
from auctionctl.cli.progress import Progress, tell_nobody
from auctionctl.errors import UnreachableError, VerificationError

if TYPE_CHECKING:
    from auctionctl.keys.signing import Identity
    from auctionctl.net.load import Load
    from auctionctl.net.watchers import Watchers

FEED_PATIENCE_S: Final = 10.0
WARM_UPS: Final = 5
MICROSECONDS: Final = 1_000_000
LAST: Final = at_most(100.0)


def measure_fanout(
    home: Path, watchers: int, runs: int, *, progress: Progress = tell_nobody
) -> tuple[dict[str, Any], Checked]:
    """One bid at a time, ``runs`` times, before so many ``watchers``; returns the figures by name."""
    from auctionctl.net.load import Load  # noqa: PLC0415 - imports zmq
    from auctionctl.net.own_limits import raise_descriptor_limit  # noqa: PLC0415
    from auctionctl.net.watchers import Watchers  # noqa: PLC0415
    from auctionctl.wire.address import parse_address  # noqa: PLC0415

    raise_descriptor_limit(watchers)
    home.mkdir(parents=True, exist_ok=True)
    keys = prepare_house(home, lots(1), watchers + 2, 1)
    with running_house(home, START_PATIENCE_S) as served:
        address = parse_address(served.address)
        with closing(Load(address, served.auctions, keys[:2])) as load, closing(Watchers(address, keys[2:])) as crowd:
            load.greet_and_join()
            crowd.follow(served.auctions[0], progress)
            _warm_up(load, crowd, watchers)
            lasts_ns, spreads_ns = [], []
            for _ in range(runs):
                sent_ns, arrivals = _bid_once(load, crowd)
                if len(arrivals) < watchers:
                    raise UnreachableError(f"{watchers - len(arrivals)} of {watchers} watchers were told nothing")
                lasts_ns.append(arrivals[-1] - sent_ns)
                spreads_ns.append(arrivals[-1] - arrivals[0])
    receipts = load.verify(progress)
    told = _leaves(crowd.feed, address.identity)
    if len(told) < runs:
        raise VerificationError(f"watchers were told of {len(told)} entries, in {runs} rounds", rule="feed")
    checked = check_logs(home, load.proven | told, progress)
    figures = {
        "watchers": watchers,
        "runs": runs,
        "last_ms": statistics.median(lasts_ns) / MICROSECONDS,
        "slowest_ms": max(lasts_ns) / MICROSECONDS,
        "first_to_last_ms": statistics.median(spreads_ns) / MICROSECONDS,
    }
    return figures, Checked(receipts, checked.entries)


def rows_of_fanout(figures: dict[str, Any]) -> list[Row]:
    """When the last watcher knew, and how much later than the first."""
    count = figures["watchers"]
    return [
        Row(f"bid → last of {count} watchers", figures["last_ms"], "ms", target=LAST),
        Row("first watcher → last", figures["first_to_last_ms"], "ms"),
    ]


def _warm_up(load: Load, crowd: Watchers, watchers: int) -> None:
    """A subscription has no answer: everybody follows once a bid has reached everybody."""
    for _ in range(WARM_UPS):
        _, arrivals = _bid_once(load, crowd)
        if len(arrivals) == watchers:
            return
    raise UnreachableError(f"{watchers - len(arrivals)} of {watchers} watchers are told nothing")


def _bid_once(load: Load, crowd: Watchers) -> tuple[int, list[int]]:
    crowd.keep()
    load.prepare(1)
    sent_ns = load.send_one()
    arrivals = crowd.await_feed(FEED_PATIENCE_S)
    load.await_answers()
    return sent_ns, arrivals


def _leaves(feed: set[bytes], house: Identity) -> dict[tuple[bytes, int], bytes]:
    """(auction, index) → leaf of all that was told, under checkpoints that are the house's."""
    from auctionctl.tlog.checkpoint import open_checkpoint, origin_of  # noqa: PLC0415
    from auctionctl.tlog.merkle import leaf_hash  # noqa: PLC0415
    from auctionctl.wire.messages import Entries, decode_reply  # noqa: PLC0415

    leaves: dict[tuple[bytes, int], bytes] = {}
    for body in feed:
        told = decode_reply(body)
        if not isinstance(told, Entries):
            raise VerificationError("watchers were told what is no entry", rule="feed")
        origin = origin_of(house.text, f"auction/{told.auction.hex()}")
        checkpoint = open_checkpoint(told.checkpoint, origin, house.signing)
        for index, entry in enumerate(told.entries, told.start):
            if index >= checkpoint.size:
                raise VerificationError("an entry beyond its checkpoint", rule="feed", index=index)
            leaves[told.auction, index] = leaf_hash(entry)
    return leaves
