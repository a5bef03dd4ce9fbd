"""A real house whose logs are in a real cluster: what it acknowledged is kept, whatever is killed (DESIGN.md 9, 10)."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from house_clients import all_join, bid_against_each_other, check_promises
from house_process import HOUSE_KEY, lot
from nats_cluster import Cluster, require_cluster

from auctionctl.store.stream_settings import Streams
from auctionctl.tlog.entry import Kind

NAMES = ("ann", "ben")
LOTS = [lot("vase"), lot("lamp")]


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Cluster]:
    require_cluster()
    (tmp_path / "cluster").mkdir()
    running = Cluster(tmp_path / "cluster")
    yield running
    running.stop()


def bid_on(bidders, auctions, receipts: int) -> None:
    wanted = [len(bidder.kept) + receipts for bidder in bidders]
    bid_against_each_other(
        bidders,
        auctions,
        lambda: all(len(bidder.kept) >= least for bidder, least in zip(bidders, wanted, strict=True)),
        "receipts",
    )


def test_a_house_in_a_cluster_keeps_what_it_acknowledged_whatever_is_killed(
    mortal, start_house, bidder_of, tmp_path: Path
) -> None:
    house = start_house(NAMES, LOTS, store=mortal.url)
    auctions = list(house.auctions.values())
    bidders = [bidder_of(name, house) for name in NAMES]
    all_join(bidders, auctions)
    bid_on(bidders, auctions, 5)
    house.kill("house")
    bid_on(bidders, auctions, 5)
    leader = mortal.leader_of(Streams(HOUSE_KEY.identity.signing.hex()).logs)
    mortal.signal(leader, signal.SIGKILL)
    bid_on(bidders, auctions, 5)
    mortal.start(leader)
    mortal.settle()
    port = house.address.port
    assert house.signal(signal.SIGTERM) == 0
    # On another machine, so to speak: all that was here is gone, and the cluster has the logs.
    shutil.rmtree(tmp_path / "state")
    house = start_house(NAMES, LOTS, store=mortal.url, port=port)
    bid_on(bidders, auctions, 2)
    for auction in auctions:
        assert "restart" in [gap.cause for gap in check_promises(bidders, auction)]
        assert Kind.LEFT not in [entry.kind for entry in bidders[0].log(auction)]
    assert house.signal(signal.SIGTERM) == 0
    assert not house.stderr
    house = start_house(NAMES, LOTS)
    ended = house.await_report("Ended")
    assert ended["error"] == "ConfigurationError"
    assert "are in a cluster" in ended["message"]
