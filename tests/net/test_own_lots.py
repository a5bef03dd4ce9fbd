"""The house's own lots: each is announced once, when there is room for it, and never a second time."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import TermsError
from auctionctl.house.limits import Limits
from auctionctl.net.own_lots import OwnLots
from auctionctl.wire.listing import LotDescription


def lot(name: str, **changes: Any) -> LotDescription:
    fields: dict[str, Any] = {"start_timeout_ns": 30 * SECOND_NS} | changes
    return LotDescription(name, name.title(), "EUR", 1_000, **fields)


def lots_of(stage: Any) -> OwnLots:
    return OwnLots(stage.house, stage.key, lambda effects, now_ns: stage.do(effects))


def held(stage: Any) -> list[str]:
    return [log.auction.terms.listing for log in stage.house.logs]


def test_new_lots_are_announced_in_the_order_of_the_file(stage: Any) -> None:
    own = lots_of(stage)
    assert own.take_on([lot("vase"), lot("lamp")]) == {}
    own.announce(stage.now_ns)
    assert (held(stage), own.waiting) == (["vase", "lamp"], [])


def test_what_was_announced_before_is_compared_and_not_announced_again(stage: Any) -> None:
    own = lots_of(stage)
    own.take_on([lot("vase"), lot("lamp")])
    own.announce(stage.now_ns)
    stage.after(31 * SECOND_NS)
    assert own.take_on([lot("vase"), lot("lamp", min_bidders=9)]) == {"vase": (), "lamp": ("min_bidders",)}
    own.announce(stage.now_ns)
    assert held(stage) == ["vase", "lamp"]


def test_a_lot_whose_log_is_elsewhere_is_not_sold_again(stage: Any) -> None:
    own = lots_of(stage)
    own.take_on([lot("vase")])
    own.announce(stage.now_ns)
    stage.after(31 * SECOND_NS)
    stage.house.forget(stage.house.logs[0])
    assert own.take_on([lot("vase")]) == {}
    own.announce(stage.now_ns)
    assert (held(stage), own.waiting) == ([], [])


def test_what_does_not_fit_waits_for_its_turn(staging: Any) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=2))
    stage.announce(listing="sellers", start_timeout_ns=10 * SECOND_NS)
    own = lots_of(stage)
    own.take_on([lot("vase"), lot("lamp")])
    own.announce(stage.now_ns)
    assert (held(stage), [each.listing for each in own.waiting]) == (["sellers", "vase"], ["lamp"])
    own.announce(stage.now_ns)
    assert held(stage) == ["sellers", "vase"]
    stage.after(10 * SECOND_NS)
    own.announce(stage.now_ns)
    assert (held(stage), own.waiting) == (["sellers", "vase", "lamp"], [])


def test_what_a_full_disk_rolled_back_waits_too(stage: Any) -> None:
    own = lots_of(stage)
    own.take_on([lot("vase"), lot("lamp")])
    stage.is_full = True
    own.announce(stage.now_ns)
    assert (held(stage), len(own.waiting)) == ([], 2)
    stage.is_full = False
    own.announce(stage.now_ns)
    assert (held(stage), own.waiting) == (["vase", "lamp"], [])


def test_one_lot_that_cannot_be_announced_changes_nothing(stage: Any) -> None:
    own = lots_of(stage)
    own.take_on([lot("vase")])
    with pytest.raises(TermsError, match="duration"):
        own.take_on([lot("lamp"), lot("rug", duration_ns=0)])
    assert [each.listing for each in own.waiting] == ["vase"]


def test_what_another_instance_has_announced_meanwhile_is_not_announced_again(stage: Any) -> None:
    one, other = lots_of(stage), lots_of(stage)
    for own in (one, other):
        own.take_on([lot("vase"), lot("lamp")])
    one.announce(stage.now_ns)
    other.announce(stage.now_ns)
    assert (held(stage), other.waiting) == (["vase", "lamp"], [])
