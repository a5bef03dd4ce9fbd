"""A cluster is taken for a store only if it keeps what it acknowledges, and is this house's, whole, not rolled back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nats_cluster import Cluster, free_ports, require_cluster

from auctionctl.errors import ConfigurationError, RolledBackError, StoreAwayError, StoreError
from auctionctl.store.cluster_address import Durability, parse_cluster_address
from auctionctl.store.cluster_mark import ClusterMark
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.jetstream import JetStream
from auctionctl.store.log_store import Append
from auctionctl.store.stream_records import Entries, Message, write_header
from auctionctl.store.stream_settings import HOUSE, Streams

A = "auction/" + "a" * 64
_numbers = itertools.count()


@pytest.fixture
def house(cluster: Cluster) -> Iterator[str]:
    name = sha256(b"a house %d" % next(_numbers)).hexdigest()
    yield name
    cluster.forget(name)


@pytest.fixture
def link(cluster: Cluster) -> Iterator[JetStream]:
    opened = JetStream(cluster.address, 10.0)
    yield opened
    opened.close()


@pytest.fixture
def change(link: JetStream, house: str) -> Callable[..., None]:
    """Make the stream of the logs with other settings."""

    def make(**settings: Any) -> None:
        streams = Streams(house)
        answer = link.request(f"STREAM.CREATE.{streams.logs}", {**streams.settings(streams.logs, 3), **settings})
        assert "error" not in answer, answer

    return make


def test_no_server_that_answers_is_said_with_where_it_was_sought() -> None:
    require_cluster()
    (port,) = free_ports(1)
    with pytest.raises(StoreAwayError, match=f"nats://127.0.0.1:{port} does not answer: no server answers") as caught:
        ClusterStore(parse_cluster_address(f"nats://127.0.0.1:{port}"), "ab" * 32, patience_s=0.2)
    assert "what was acknowledged is kept" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"num_replicas": 1}, "has 1 replica, not 3"),
        ({"storage": "memory"}, "has storage memory, not file"),
        ({"deny_purge": False}, "has deny_purge off, not on"),
    ],
)
def test_a_stream_that_can_lose_is_refused_unless_that_is_allowed(
    cluster: Cluster, house: str, change: Callable[..., None], settings: dict[str, Any], reason: str
) -> None:
    change(**settings)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        ClusterStore(cluster.address, house)
    assert "--allow-lossy" in caught.value.hint
    store = ClusterStore(cluster.address, house, durability=Durability.LOSSY)
    store.append([Append(A, 0, (b"a",))], 1)
    assert [reason in fault.reason for fault in store.accepted] == [True]
    store.close()


@pytest.mark.parametrize(
    "wrong",
    [
        ({"max_msgs": 1000}, "has max_msgs 1000, not -1"),
        ({"allow_atomic": False}, "has allow_atomic off, not on"),
        ({"metadata": {HOUSE: "cd" * 32}}, "that of another house"),
        ({"metadata": {}}, "of no house"),
    ],
)
@pytest.mark.parametrize("durability", [Durability.LOSSY])
def test_a_stream_on_which_no_log_can_be_kept_is_refused_in_any_case(
    cluster: Cluster,
    house: str,
    change: Callable[..., None],
    durability: Durability,
    wrong: tuple[dict[str, Any], str],
) -> None:
    settings, reason = wrong
    change(**settings)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        ClusterStore(cluster.address, house, durability=durability)
    assert caught.value.hint
    assert "--allow-lossy" not in caught.value.hint


def test_servers_whose_durability_nobody_can_see_are_refused_unless_that_is_allowed(
    cluster: Cluster, house: str
) -> None:
    (port,) = free_ports(1)
    unseen = parse_cluster_address(cluster.url.partition("?")[0] + f"?monitor={port}")
    with pytest.raises(ConfigurationError, match="nobody can see whether what is acknowledged is synced by n0, n1, n2"):
        ClusterStore(unseen, house)
    store = ClusterStore(unseen, house, durability=Durability.LOSSY)
    assert len(store.accepted) == 1
    store.close()


def test_one_server_that_syncs_now_and_then_is_no_cluster_unless_that_is_allowed(tmp_path: Path) -> None:
    require_cluster()
    single = Cluster(tmp_path, nodes=1, sync=["2m"])
    try:
        with pytest.raises(ConfigurationError, match="has no 3 servers for 3 replicas") as caught:
            ClusterStore(single.address, "ab" * 32)
        assert "--allow-lossy" in caught.value.hint
        store = ClusterStore(single.address, "ab" * 32, durability=Durability.LOSSY)
        store.append([Append(A, 0, (b"a",)), Append("registry", 0, (b"r",))], 1)
        assert any("does not sync what it acknowledges" in fault.reason for fault in store.accepted)
        store.close()
        with pytest.raises(ConfigurationError, match="has 1 replica, not 3"):
            ClusterStore(single.address, "ab" * 32)
    finally:
        single.stop()


def test_a_stream_that_was_rolled_back_is_not_written_to(cluster: Cluster, house: str, tmp_path: Path) -> None:
    mark = ClusterMark(tmp_path)
    store = ClusterStore(cluster.address, house, mark=mark)
    store.append([Append(A, 0, (b"a",))], 1)
    store.maintain()
    first = mark.read()
    store.append([Append(A, 1, (b"b",))], 2)
    store.close()
    last = mark.read()
    assert first != last
    store = ClusterStore(cluster.address, house, mark=ClusterMark(tmp_path))
    assert store.size(A) == 2
    store.close()
    # An older stream: it begins as this one did, and goes on in another way.
    cluster.forget(house)
    store = ClusterStore(cluster.address, house)
    for size in range(4):
        store.append([Append(A, size, (b"another",))], 3)
    store.close()
    for _ in range(2):
        with pytest.raises(RolledBackError, match="it has been rolled back") as caught:
            ClusterStore(cluster.address, house, mark=ClusterMark(tmp_path))
        assert str(mark.path) in caught.value.hint
    store = ClusterStore(cluster.address, house)
    assert store.size(A) == 4
    store.close()


def test_a_stream_with_a_hole_is_no_store(cluster: Cluster, house: str, link: JetStream) -> None:
    ClusterStore(cluster.address, house).close()
    logs = Streams(house).logs
    link.commit(logs, [Message(f"{logs}.log.registry", 0, write_header(Entries(1, 5, 1), "w"), b"\x91\xc4\x01x")])
    with pytest.raises(StoreError, match="has entry 5 of log registry, behind 0 entries") as caught:
        ClusterStore(cluster.address, house)
    assert "restore the stream" in caught.value.hint


def test_what_is_no_record_is_no_store(cluster: Cluster, house: str, link: JetStream) -> None:
    ClusterStore(cluster.address, house).close()
    logs = Streams(house).logs
    link.commit(logs, [Message(f"{logs}.log.registry", 0, "merged 1 w")])
    with pytest.raises(StoreError, match="is no record"):
        ClusterStore(cluster.address, house)


def test_a_group_of_more_messages_than_a_batch_takes_is_refused_whole(cluster: Cluster, house: str) -> None:
    store = ClusterStore(cluster.address, house)
    store.append([Append(f"log{number}", 0, (b"x",)) for number in range(1_000)], 1)
    with pytest.raises(StoreError, match="1001 messages are to be stored at once"):
        store.append([Append(f"log{number}", 0, (b"x",)) for number in range(1_000, 2_001)], 2)
    assert len(store.logs()) == 1_000
    store.close()


def test_a_log_of_many_messages_comes_back_whole_from_any_index_on(cluster: Cluster, house: str) -> None:
    store = ClusterStore(cluster.address, house)
    entries = [b"%d" % index for index in range(400)]
    for size in range(0, 400, 2):
        store.append([Append(A, size, tuple(entries[size : size + 2])), Append("registry", size // 2, (b"r",))], size)
    for start, limit in ((0, None), (1, None), (3, 1), (131, 200), (399, 5), (0, 399)):
        stop = None if limit is None else start + limit
        assert list(store.read(A, start, limit)) == entries[start:stop]
    store.close()
