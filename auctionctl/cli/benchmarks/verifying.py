"""How fast ``verify`` checks an exported log offline: every signature, time and rule, the tree, and the checkpoint.

The command as anybody runs it, a process of its own from its start to its end, on the file of a log of bids that name
the head they answer. What one core verifies bare is timed between the runs.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, Final

from auctionctl.cli.benchmarks.aftermath import Checked
from auctionctl.cli.benchmarks.rows import Row, at_least
from auctionctl.cli.benchmarks.yardstick import BareVerification
from auctionctl.cli.demo_stage import run_once
from auctionctl.cli.progress import Progress, tell_nobody
from auctionctl.errors import VerificationError

if TYPE_CHECKING:
    from auctionctl.keys.signing import SecretKey

PATIENCE_S: Final = 600.0
STEP: Final = 1_000
VERIFY: Final = at_least(1.5)
FILE: Final = "bids.auction"


def measure_verify(
    home: Path, entries: int, runs: int, bare: BareVerification, *, progress: Progress = tell_nobody
) -> tuple[dict[str, Any], Checked]:
    """``runs`` times ``verify`` on a log of ``entries``; returns the figures by name."""
    from auctionctl.keys.keyfile import generate  # noqa: PLC0415 - imports libsodium

    home.mkdir(parents=True, exist_ok=True)
    house = generate()
    entries = _write_log(home / FILE, house, entries, progress)
    rates, ratios = [], []
    for number in range(runs):
        progress(number, runs)
        base = bare.measure()
        started_s = time.perf_counter()
        done = run_once(home, ["verify", str(home / FILE), "--house", house.identity.text, "--json"], PATIENCE_S)
        rates.append(entries / (time.perf_counter() - started_s))
        ratios.append(rates[-1] / base.per_s)
        if done.returncode:
            raise VerificationError(f"verify ended with status {done.returncode}", rule="bench")
    figures = {
        "entries": entries,
        "runs": runs,
        "entries_per_s": statistics.median(rates),
        "ratio": statistics.median(ratios),
    }
    return figures, Checked(0, entries * runs)


def rows_of_verify(figures: dict[str, Any]) -> list[Row]:
    """Entries a second."""
    what = f"entries verified, of {figures['entries']}"
    return [Row(what, figures["entries_per_s"], "entries/s", figures["ratio"], "× bare", VERIFY)]


def _write_log(file: Path, house: SecretKey, entries: int, progress: Progress) -> int:
    """An unfinished log of one bid an entry, nearly, and its announcement, as ``export`` writes them; its size."""
    from auctionctl.auction.terms import auction_id, decode_terms  # noqa: PLC0415
    from auctionctl.house.auction_log import log_name  # noqa: PLC0415
    from auctionctl.house.registry import RegistryLog  # noqa: PLC0415
    from auctionctl.keys.signing import SecretKey  # noqa: PLC0415
    from auctionctl.net.filling import STEP_NS, plan_logs, write_log  # noqa: PLC0415
    from auctionctl.replica.export import encode_export  # noqa: PLC0415
    from auctionctl.replica.registry import Announced  # noqa: PLC0415
    from auctionctl.tlog.checkpoint import Checkpoint, origin_of, sign_checkpoint  # noqa: PLC0415
    from auctionctl.tlog.merkle import Tree, leaf_hash  # noqa: PLC0415

    bidders = [SecretKey(token_bytes(32)) for _ in range(2)]
    start_ns = time.time_ns() - entries * STEP_NS
    # The first of them holds half.
    plan, *_ = plan_logs(house, bidders, 2 * entries, start_ns)
    tree, written = Tree(), []
    for data, _ in write_log(plan):
        written.append(data)
        tree.append(leaf_hash(data))
        if not len(written) % STEP:
            progress(len(written), entries)
    auction, terms = auction_id(plan.terms.body), decode_terms(plan.terms.body)
    registry = RegistryLog(house)
    registry.add(Announced(auction, terms.seller, terms.listing), start_ns)
    registry.release_feed()  # All of it is as good as durable.
    announcement = registry.announcement(auction)
    note = sign_checkpoint(Checkpoint(origin_of(house.identity.text, log_name(auction)), tree.size, tree.root()), house)
    file.write_bytes(encode_export(written, note, announcement))
    return tree.size
