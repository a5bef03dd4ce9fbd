"""A record by whoever has lost a log to another is found, and so is one that is there twice."""

from __future__ import annotations

from pathlib import Path

from nats_cluster import Cluster, require_cluster
from stream_writers import Writers, read_writers

from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.jetstream import Stored
from auctionctl.store.log_store import Append

LOG = "auction/" + "ab" * 32


def told(*headers: str) -> Writers:
    writers = Writers()
    for sequence, header in enumerate(headers, 1):
        writers.take(Stored(sequence, "log", header, "", b""))
    return writers


def test_whoever_writes_to_a_log_that_another_has_claimed_is_found_out() -> None:
    opened = ("opened 1 a wa", "opened 1 b wb")
    assert told(*opened, "entries 5 0 2 wa", "claim 1 b wb", "entries 6 2 1 wb").stale == []
    assert told(*opened, "entries 5 0 2 wa", "claim 1 b wb", "entries 6 2 1 wa").stale == ["5: entries 6 2 1 wa"]
    # One that gives a log away claims it in the other's name.
    assert told(*opened, "claim 1 a wa", "claim 2 b wa", "entries 6 0 1 wb").stale == []


def test_entries_that_are_there_twice_or_missing_are_found_out() -> None:
    assert told("opened 1 a wa", "entries 5 0 2 wa", "entries 6 1 1 wa").repeated == ["3: entries 6 1 1 wa"]
    assert told("opened 1 a wa", "entries 5 0 2 wa", "entries 6 3 1 wa").repeated == ["3: entries 6 3 1 wa"]


def test_the_stream_of_a_store_is_read_from_its_beginning(tmp_path: Path) -> None:
    require_cluster()
    cluster = Cluster(tmp_path)
    try:
        first = ClusterStore(cluster.address, "ce" * 32, instance="first")
        first.append([Append(LOG, 0, (b"x", b"y"))], 1)
        second = ClusterStore(cluster.address, "ce" * 32, instance="second")
        second.claim(LOG, "second")
        second.append([Append(LOG, 2, (b"z",))], 2)
        writers = read_writers(cluster.address, "ce" * 32)
        assert sorted(writers.instances.values()) == ["first", "second"]
        assert (writers.records, writers.claims, writers.stale, writers.repeated) == (2, 1, [], [])
        for store in (first, second):
            store.close()
    finally:
        cluster.stop()
