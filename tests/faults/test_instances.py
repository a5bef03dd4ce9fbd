"""Several instances of one house, in a real cluster: each auction has one, and another when that one dies."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from house_clients import HonestBidder, all_join, message_auction
from house_of_several import Several, Wanderer
from house_process import HOUSE_KEY, lot, until
from nats_cluster import Cluster, require_cluster

from auctionctl.errors import NotAuthorisedError
from auctionctl.house.auction_log import log_name
from auctionctl.replica.registry import REGISTRY
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.address import HouseAddress, Place

NAMES = ("ann", "ben")
INSTANCES = ("east", "north", "west")
LOTS = [lot(f"lot-{number}") for number in range(6)]
BACK_S = 10.0
"""How soon service has to be back after any single fault."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    require_cluster()
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()


@pytest.fixture
def several(stack: ExitStack, tmp_path: Path, cluster: Cluster) -> Iterator[Several]:
    yield Several(stack, tmp_path, cluster, LOTS)
    stack.close()
    cluster.forget(HOUSE_KEY.identity.signing.hex())


def holders(several: Several) -> dict[str, str]:
    store = several.store()
    found = {name: holder[1] for name, _ in store.logs() if (holder := store.holder_of(name)) is not None}
    store.close()
    return found


def check_acknowledged(several: Several, bidders: list[Wanderer]) -> dict[bytes, Any]:
    """What was acknowledged is in its log, at its index, once; every log verifies."""
    audits = several.audited()
    entries = {auction: list(found.entries) for auction, found in audits.items()}
    for bidder in bidders:
        for auction, kept in bidder.receipts():
            assert entries[auction][kept.receipt.index] == kept.entry
    for found in entries.values():
        bodies = [entry.body for entry in map(decode, found) if entry.kind in (Kind.BID, Kind.JOINED)]
        assert len(set(bodies)) == len(bodies)
    return audits


def kinds(audit: Any) -> list[Kind]:
    return [decode(data).kind for data in audit.entries]


def test_instances_share_the_auctions_out_take_over_from_one_that_is_killed_and_give_theirs_away_when_they_end(
    several: Several, stack: ExitStack
) -> None:
    for name in INSTANCES:
        several.start(name, NAMES)
    for name in INSTANCES:
        several.running[name].await_report("Serving")
    until(
        lambda: len(found := holders(several)) == len(LOTS) + 1 and len(set(found.values())) > 1, "all to be shared out"
    )
    auctions = sorted(bytes.fromhex(name.partition("/")[2]) for name in holders(several) if name != REGISTRY)
    bidders = [Wanderer(stack, name, several) for name in NAMES]
    for auction in auctions:
        for bidder in bidders:
            bidder.join(auction)
    amount = 0
    for amount in range(1, 4):
        for auction in auctions:
            bidders[amount % 2].bid(auction, 1_000 * amount)
    before = holders(several)
    # The one that announces, and has auctions besides.
    dead = before[REGISTRY]
    several.kill(dead)
    waits_s = [bidders[0].bid(auction, 5_000) for auction in auctions]
    assert max(waits_s) < BACK_S
    until(lambda: dead not in holders(several).values(), "the registry to be taken over")
    after = holders(several)
    assert all(after[log] == holder for log, holder in before.items() if holder != dead), "nothing else moves"
    audits = check_acknowledged(several, bidders)
    for auction, audit in audits.items():
        taken = kinds(audit).count(Kind.TAKEOVER)
        if before[log_name(auction)] == dead:
            assert Kind.GAP in kinds(audit)
        assert taken
    # One that ends gives what it has away, and nobody loses time by it.
    ending, staying = sorted(several.running)
    gaps = {auction: kinds(audit).count(Kind.GAP) for auction, audit in audits.items()}
    assert several.running.pop(ending).signal(signal.SIGTERM) == 0
    assert set(holders(several).values()) == {staying}
    for auction in auctions:
        bidders[1].bid(auction, 6_000)
    audits = check_acknowledged(several, bidders)
    assert gaps == {auction: kinds(audit).count(Kind.GAP) for auction, audit in audits.items()}


def test_a_bidder_whose_address_names_all_instances_goes_on_where_the_log_is_when_its_holder_is_killed(
    several: Several, stack: ExitStack
) -> None:
    for name in INSTANCES:
        several.start(name, NAMES)
    for name in INSTANCES:
        several.running[name].await_report("Serving")
    until(lambda: len(set(holders(several).values())) > 1, "auctions at more than one instance")
    places = [Place("127.0.0.1", several.running[name].address.port) for name in INSTANCES]
    address = HouseAddress(HOUSE_KEY.identity, *places[0], tuple(places[1:]))
    bidders = [HonestBidder(name, address) for name in NAMES]
    for bidder in bidders:
        stack.callback(bidder.close)
    until(lambda: len(found := holders(several)) == len(LOTS) + 1 and "" not in found.values(), "all to be held")
    auctions = sorted(bytes.fromhex(name.partition("/")[2]) for name in holders(several) if name != REGISTRY)
    all_join(bidders, auctions)
    seqs = {auction: bidders[0].bid(auction, 1_000) for auction in auctions}
    assert {bidders[0].settle(seqs[auction]) for auction in auctions} == {"receipted"}
    assert len(bidders[0].dealer._lines) > 1, "some of it is taken elsewhere than at home"
    before = holders(several)
    dead = before[log_name(auctions[0])]
    several.kill(dead)
    begun_s = time.monotonic()
    bids = {auction: bidders[1].bid(auction, 2_000) for auction in auctions}
    assert {bidders[1].settle(bids[auction]) for auction in auctions} == {"receipted"}
    assert time.monotonic() - begun_s < BACK_S
    # Subscriptions follow: whoever bid before sees all of that without having asked for it.
    for auction in auctions:
        bidders[0].run_until(lambda a=auction: bidders[0].auction(a).standing.price_minor == 2_000, "the other's bid")
    audits = several.audited()
    for bidder in bidders:
        for kept in bidder.kept.values():
            assert list(audits[message_auction(kept.entry)].entries)[kept.receipt.index] == kept.entry


def test_the_allow_list_and_the_limits_that_are_changed_at_one_instance_hold_at_all_of_them(
    several: Several, stack: ExitStack
) -> None:
    for name in INSTANCES[:2]:
        several.start(name, NAMES)
    for name in INSTANCES[:2]:
        several.running[name].await_report("Serving")
    several.running["east"].allow(*NAMES, "cyd")
    text = several.running["east"].allow_list.read_text()

    def change_again() -> None:
        several.running["east"].hear(0.1)
        if several.running["east"].allow_list.read_text() != text:
            # At the very first start each of them shares what it has: a change at the same time may come second.
            several.running["east"].write_allow_list(text)

    until(lambda: several.running["north"].allow_list.read_text() == text, "the list to be everywhere", change_again)

    def is_let_in() -> bool:
        try:
            Wanderer(stack, "cyd", several).session("north")
        except NotAuthorisedError:
            return False
        return True

    # It is in the file first, and a moment later in force.
    until(is_let_in, "the new one to be let in")
    several.running["east"].change_limits(bids_per_s=2, bids_burst=2)
    told = several.running["north"].await_report("LimitsDiffer")
    assert told["house"] == {"bids_per_s": 2, "bids_burst": 2}
    # Of a burst of two it takes a part, or, should it miss the other one for a moment, both.
    session = Wanderer(stack, "cyd", several).session("north")
    bids = [session.bid(bytes(32), 1_000 * number) for number in range(1, 9)]
    assert session.settle(bids[-1]) == "rate"
    # And nobody serves this house as if there were no instances.
    alone = several.start_alone(NAMES)
    ended = alone.await_report("Ended")
    assert ended["error"] == "ConfigurationError"
    assert "is served by instances" in ended["message"]
    assert alone.wait() == 1
