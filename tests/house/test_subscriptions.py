"""A session follows so many logs as may yet grow, and no more; what is complete makes room, and so does an end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auctionctl.house.effects import Follow, Publish
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.wire.messages import Refused, Subscribe

ANN, BEN = 1, 2


@pytest.fixture
def auctions(stage: Any) -> list[bytes]:
    """Three auctions at a house that lets a session follow two logs."""
    stage.house.limits = replace(stage.limits, max_subscriptions=2, max_concurrent_auctions=9)
    return [stage.opened() for _ in range(3)]


def test_what_is_too_much_is_refused_as_a_whole_by_the_name_of_the_limit(
    stage: Any, staging: Any, auctions: list[bytes]
) -> None:
    first, second, third = auctions
    stage.handle(stage.ask(ANN, Subscribe((first,))))
    (refusal,) = staging.replies(stage.handle(stage.ask(ANN, Subscribe((second, third)))), ANN)
    assert isinstance(refusal, Refused)
    assert (refusal.code, refusal.command) == ("quota", b"")
    assert "one session follow 2 logs" in refusal.message
    assert stage.log(second).followers == stage.log(third).followers == set()
    assert [type(each) for each in stage.handle(stage.ask(ANN, Subscribe((second, first))))] == [Follow]
    assert [type(each) for each in stage.handle(stage.ask(BEN, Subscribe((third,))))] == [Follow]


def test_the_same_log_again_counts_once_and_a_lower_limit_takes_nothing_away(stage: Any, auctions: list[bytes]) -> None:
    subscription = stage.ask(ANN, Subscribe((auctions[0], REGISTRY_ID)))
    for _ in range(3):
        assert [type(each) for each in stage.handle(subscription)] == [Follow]
    stage.house.limits = replace(stage.house.limits, max_subscriptions=1)
    assert [type(each) for each in stage.handle(subscription)] == [Follow]


def test_a_log_that_is_complete_is_not_followed_and_makes_room_for_another(
    stage: Any, staging: Any, auctions: list[bytes]
) -> None:
    first, second, third = auctions
    stage.handle(stage.ask(ANN, Subscribe((first, second))))
    begun = len(stage.effects)
    stage.until(stage.log(first).auction.end_ns)
    assert {each.auction for each in stage.effects[begun:] if isinstance(each, Publish)} >= {first, second}
    late = [stage.opened() for _ in range(2)]
    assert stage.handle(stage.ask(ANN, Subscribe((*late, third)))) == [Follow(ANN, tuple(late))]


def test_a_session_that_has_ended_follows_nothing(stage: Any, auctions: list[bytes]) -> None:
    stage.handle(stage.ask(ANN, Subscribe((auctions[0], REGISTRY_ID))), stage.ask(BEN, Subscribe((auctions[0],))))
    stage.house.session_ended(ANN, stage.now_ns)
    assert (stage.log(auctions[0]).followers, stage.house.registry.followers) == ({BEN}, set())
    stage.house.gateway_lost(stage.now_ns)
    assert stage.log(auctions[0]).followers == set()
