"""A bad signature counts for whoever's session it came by, and the gateway hears of it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from auctionctl.house.quotas import MAX_FORGERIES, MUTE_NS
from auctionctl.net.forgeries import count_forgery
from auctionctl.net.hops import Misgreeted, Mute


def test_of_a_connection_that_is_nobodys_yet_the_gateway_is_told_at_once(stage: Any) -> None:
    assert count_forgery(stage.house, 99, 0) == [Misgreeted(99)]


def test_of_an_identity_the_gateway_is_told_when_it_is_muted(stage: Any, staging: ModuleType) -> None:
    stage.enter(1, "ann")
    told = [count_forgery(stage.house, 1, number) for number in range(MAX_FORGERIES)]
    assert told == [[]] * (MAX_FORGERIES - 1) + [[Mute(staging.key_of("ann").identity.signing, MUTE_NS)]]
