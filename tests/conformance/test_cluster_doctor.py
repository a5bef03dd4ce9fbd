"""``doctor --store`` on a real cluster: what it says of servers and streams, and that it leaves everything as it is."""

from __future__ import annotations

from nats_cluster import Cluster, free_ports

from auctionctl.cli.checks.cluster_checks import check_cluster
from auctionctl.cli.checks.findings import State
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.jetstream import JetStream
from auctionctl.store.log_store import Append
from auctionctl.store.stream_settings import Streams

HOUSE = "d0" * 32


def streams_in(cluster: Cluster) -> list[str]:
    link = JetStream(cluster.address, 10.0)
    names = link.request("STREAM.NAMES").get("streams") or []
    link.close()
    return list(names)


def test_a_sound_cluster_has_nothing_wrong_and_nothing_is_made_there(cluster: Cluster) -> None:
    before = streams_in(cluster)
    found = {each.subject: each for each in check_cluster(cluster.url)}
    assert {each.state for each in found.values()} == {State.OK}, found
    assert {"server n0", "server n1", "server n2", "servers", "cluster"} <= set(found)
    assert "it syncs what it acknowledges" in found["server n1"].message
    assert "there and back" in found["cluster"].message
    assert streams_in(cluster) == before
    store = ClusterStore(cluster.address, HOUSE)
    store.append([Append("registry", 0, (b"r",))], 1)
    store.close()
    found = {each.subject: each for each in check_cluster(cluster.url)}
    said = found[f"stream {Streams(HOUSE).logs}"]
    assert (said.state, said.message.partition(",")[0]) == (State.OK, "2 messages")
    cluster.forget(HOUSE)


def test_a_cluster_whose_servers_cannot_be_asked_is_wrong(cluster: Cluster) -> None:
    (port,) = free_ports(1)
    found = check_cluster(cluster.url.partition("?")[0] + f"?monitor={port}")
    wrongs = [each.subject for each in found if each.state is State.WRONG]
    assert wrongs[:3] == [f"server at 127.0.0.1:{port}"] * 3
    assert all(each.remedy for each in found if each.state is State.WRONG)
