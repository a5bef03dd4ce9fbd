"""A real house whose logs are in a real cluster: what it acknowledged is kept, whatever is killed (DESIGN.md 9, 10)."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from house_clients import all_join, bid_against_each_other, check_promises
from house_process import HOUSE_KEY, lot
from msgspec.structs import replace
from nats_cluster import Cluster, require_cluster

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ConfigurationError
from auctionctl.house.limits import Limits
from auctionctl.net.house_store import open_store
from auctionctl.net.house_words import StartHouse
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


def test_an_instance_whose_clock_is_far_ahead_is_not_let_in(
    mortal: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be given auctions, and of what it dates in days to come nobody could take over anything before."""
    start = StartHouse(
        HOUSE_KEY.seed_text, str(tmp_path / "state"), "allow", Limits(1, 1), [], store=mortal.url, instance="east"
    )
    real_ns = time.time_ns
    with monkeypatch.context() as context:
        context.setattr("auctionctl.net.house_store.time.time_ns", lambda: real_ns() + 3_600 * SECOND_NS)
        with pytest.raises(ConfigurationError, match=r"the clock of this machine is (3599|3600) s ahead"):
            open_store(start, HOUSE_KEY.identity)
        # A house of one instance takes nothing over from anybody.
        open_store(replace(start, instance=None), HOUSE_KEY.identity).close()
    open_store(start, HOUSE_KEY.identity).close()
