"""What it costs to append to a cluster of three servers on this machine, as a ratio to SQLite, timed in turns.

Only ratios, and none is held to: how well three servers and their client share two cores, and what else a machine does,
is not tested. What is: that each append is there, whatever it cost.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.append(str(Path(__file__).parents[1] / "conformance"))

import pytest
from nats_cluster import Cluster, require_cluster

from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.log_store import Append, LogStore
from auctionctl.store.sqlite import SqliteStore

ENTRY = b"x" * 380
ROUNDS = 5
COMMITS = 5
SHAPES = ((1, 1), (64, 1), (64, 16))
"""Entries a commit, and logs that they go to."""


def seconds_a_commit(store: LogStore, name: str, shape: tuple[int, int], round_number: int) -> float:
    entries, logs = shape
    share = (ENTRY,) * (entries // logs)
    started_s = time.perf_counter()
    for number in range(round_number * COMMITS, (round_number + 1) * COMMITS):
        store.append([Append(f"{name}/{log}", number * len(share), share) for log in range(logs)], number)
    return (time.perf_counter() - started_s) / COMMITS


@pytest.mark.soak
def test_appending_to_a_cluster_is_measured_beside_appending_to_a_file(
    tmp_path: Path, say_at_the_end: Callable[[str], None]
) -> None:
    require_cluster()
    cluster = Cluster(tmp_path)
    try:
        file = SqliteStore(tmp_path / "state", ballast_target_bytes=0)
        remote = ClusterStore(cluster.address, "be" * 32)
        for shape in SHAPES:
            name = f"{shape[0]}-{shape[1]}"
            times = [
                [seconds_a_commit(store, name, shape, number) for store in (file, remote)] for number in range(ROUNDS)
            ]
            file_s, remote_s = (median(each) for each in zip(*times, strict=True))
            say_at_the_end(
                f"append {shape[0]} entries to {shape[1]} logs: JetStream R3 {1000 * remote_s:.1f} ms,"
                f" SQLite {1000 * file_s:.1f} ms, throughput ratio {file_s / remote_s:.2f}"
            )
        assert remote.logs() == file.logs()
        assert sum(size for _, size in remote.logs()) == ROUNDS * COMMITS * sum(entries for entries, _ in SHAPES)
        file.close()
        remote.close()
    finally:
        cluster.stop()
