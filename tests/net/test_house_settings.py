"""How a house is run: what its process is told of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from auctionctl.house.limits import Limits
from auctionctl.keys.access import Access
from auctionctl.keys.signing import SecretKey
from auctionctl.net.door import DoorLimits
from auctionctl.net.house_settings import HouseSettings
from auctionctl.net.house_words import StartHouse
from auctionctl.net.strangers import StrangerLimits
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.store.cluster_address import Durability
from auctionctl.wire.listing import LotDescription


def test_the_houses_process_is_told_all_that_it_is_to_keep_to() -> None:
    key, lots = SecretKey(b"h" * 32), (LotDescription("vase", "A vase", "credits", 1),)
    settings = HouseSettings("h", "127.0.0.1", 0, 2, Limits(3, 4), Path("/state"), Path("/allow"), 5)
    assert settings.start(key, lots, b"before", 77) == StartHouse(
        key.seed_text,
        "/state",
        "/allow",
        Limits(3, 4),
        list(lots),
        5,
        Access.LISTED,
        b"before",
        advertised="127.0.0.1:77",
    )
    clustered = replace(settings, store="nats://a", durability=Durability.LOSSY).start(key, lots, None, 77)
    assert (clustered.store, clustered.durability) == ("nats://a", Durability.LOSSY)
    by_file = replace(settings, store="nats://a", store_access=ClusterAccess("/login"))
    assert by_file.start(key, lots, None, 77).store_access == ClusterAccess("/login")
    is_open = replace(settings, door=DoorLimits(strangers=StrangerLimits()))
    assert is_open.start(key, lots, b"before", 77).access is Access.OPEN
    one = replace(settings, instance="east", advertise="auction.example:9000").start(key, lots, None, 77)
    assert (one.instance, one.advertised) == ("east", "auction.example:9000")
