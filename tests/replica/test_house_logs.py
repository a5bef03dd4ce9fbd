"""All logs of a house together: each through its rules with its signatures, and announced by the registry."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.errors import VerificationError
from auctionctl.house.auction_log import log_name
from auctionctl.replica.house_logs import HouseLogs, auction_of, check_house_logs, tree_of
from auctionctl.replica.registry import REGISTRY

OTHER = "auction/" + "0" * 64


def checked(stage: Any, **changes: Any) -> HouseLogs:
    logs = {name: list(stage.store.read(name)) for name, _ in stage.store.logs()} | changes
    return check_house_logs(stage.key.identity.signing, logs, lambda name: logs.get(name, []))


def test_every_log_of_a_house_holds_with_its_signatures(stage: Any) -> None:
    first, second = stage.opened(), stage.announce()
    stage.handle(stage.bid(1, first, 2_000))
    counted: list[int] = []
    logs = check_house_logs(
        stage.key.identity.signing,
        [name for name, _ in stage.store.logs()],
        stage.store.read,
        lambda: counted.append(1),
    )
    assert (logs.failed, logs.missing) == ([], [])
    assert list(logs.auctions) == [log_name(first), log_name(second)]
    assert logs.entry_count == len(counted) == sum(size for _, size in stage.store.logs())
    assert logs.last_time_ns == stage.now_ns
    for name, size in stage.store.logs():
        tree = logs.tree(name)
        assert tree is not None
        assert tree.root() == tree_of(stage.store.read(name)).root()
        assert tree.size == size
    assert logs.tree(OTHER) is None


def test_a_log_that_does_not_hold_is_named_and_the_others_are_there(stage: Any) -> None:
    good, bad = stage.opened(), stage.opened()
    stage.handle(stage.bid(1, bad, 2_000))
    data = stage.data(bad)
    forged = data[-1][:-1] + bytes([data[-1][-1] ^ 1])
    for entries, reason in (
        ([*data[:-1], forged], "not signed by the key in it"),
        ([*data, data[-1]], "entry"),
        ([], "without entries"),
    ):
        logs = checked(stage, **{log_name(bad): entries})
        assert list(logs.auctions) == [log_name(good)]
        ((name, said),) = logs.failed
        assert name == log_name(bad)
        assert reason in said
        assert logs.missing == [], "it is there, in what condition ever"


def test_what_the_registry_does_not_announce_is_no_log_of_this_house(stage: Any) -> None:
    auction = stage.announce()
    logs = checked(stage, registry=stage.registry_data()[:-1])
    assert logs.failed == [(log_name(auction), "log: announcement: the registry does not announce this auction")]
    assert "'strange' is not the log of an auction" in checked(stage, strange=[b"x"]).failed[0][1]


def test_what_is_announced_and_not_there_is_missing(stage: Any) -> None:
    first, second = stage.announce(), stage.announce()
    logs = check_house_logs(stage.key.identity.signing, [REGISTRY, log_name(second)], stage.store.read)
    assert logs.missing == [first]


def test_without_a_registry_that_holds_nothing_is_said(stage: Any) -> None:
    stage.announce()
    data = stage.registry_data()
    with pytest.raises(VerificationError):
        checked(stage, registry=[*data, data[-1]])
    assert checked(stage, registry=[]).entry_count == 0


def test_the_name_of_a_log_is_that_of_its_auction() -> None:
    assert log_name(auction_of(OTHER)) == OTHER
    for name in (REGISTRY, OTHER + "0", OTHER.upper(), ""):
        with pytest.raises(VerificationError):
            auction_of(name)
