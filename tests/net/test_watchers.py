"""Watchers are real sessions: each hears of what is bid, and whoever hears nothing is missed."""

from __future__ import annotations

from typing import Any

import pytest
from house_process import key_of, lot

from auctionctl.errors import AuctionctlError
from auctionctl.net.load import Load
from auctionctl.net.watchers import Watchers
from auctionctl.wire.messages import Entries, decode_reply

BIDDERS = ("ann", "ben")
OTHERS = ("cat", "dan", "eve")
LOT = lot("lot", bid_timeout_ns=3_600 * 10**9, starting_price_minor=1, increment=["fixed", 1])


@pytest.fixture
def house(start_house: Any) -> Any:
    return start_house((*BIDDERS, *OTHERS), [LOT])


def test_each_of_them_hears_of_a_bid_and_nobody_hears_of_none(house: Any, stack: Any) -> None:
    (auction,) = house.auctions.values()
    load = Load(house.address, [auction], [key_of(name) for name in BIDDERS])
    stack.callback(load.close)
    load.greet_and_join()
    watchers = Watchers(house.address, [key_of(name) for name in OTHERS])
    stack.callback(watchers.close)
    watchers.follow(auction, lambda *far: None)
    load.prepare(2)
    for _ in range(2):
        sent_ns = load.send_one()
        arrivals = watchers.await_feed(5.0)
        assert load.await_answers().receipts == 1
    assert len(arrivals) == len(OTHERS)
    assert sent_ns < arrivals[0] <= arrivals[-1]
    heard = [decode_reply(body) for body in watchers.feed]
    assert all(isinstance(each, Entries) and each.auction == auction for each in heard)
    assert watchers.await_feed(0.1) == []


def test_whoever_is_not_let_in_is_an_error(house: Any, stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auctionctl.net.watchers.PATIENCE_S", 1.0)
    watchers = Watchers(house.address, [key_of("zoe")])
    stack.callback(watchers.close)
    with pytest.raises(AuctionctlError):
        watchers.follow(next(iter(house.auctions.values())), lambda *far: None)
