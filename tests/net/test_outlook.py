"""What is still to come is told once, and taken back when it is otherwise."""

from __future__ import annotations

from typing import Any

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.limits import Limits
from auctionctl.net.alone import Alone
from auctionctl.net.house_words import AllClosed, LotsWait, Reopened
from auctionctl.net.outlook import Outlook
from auctionctl.net.own_lots import OwnLots
from auctionctl.wire.listing import LotDescription


def outlook_of(stage: Any) -> tuple[Outlook, OwnLots, list[Any]]:
    told: list[Any] = []
    lots = OwnLots(stage.house, stage.key, lambda effects, now_ns: stage.do(effects))
    part: Any = Alone(None, stage.house)  # type: ignore[arg-type] # its store is not asked here
    return Outlook(told.append, stage.house, lots, part), lots, told


def test_that_everything_is_over_is_told_once_until_it_begins_anew(stage: Any) -> None:
    outlook, _, told = outlook_of(stage)
    for _ in range(2):
        outlook.tell_whether_closed()
    assert told == [AllClosed()]
    stage.announce(start_timeout_ns=10 * SECOND_NS)
    for _ in range(2):
        outlook.tell_whether_closed()
    assert told == [AllClosed(), Reopened()]


def test_lots_that_wait_for_room_are_told_and_warned_of_until_there_is_some(staging: Any) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=1))
    outlook, lots, told = outlook_of(stage)
    stage.announce(listing="sellers", start_timeout_ns=10 * SECOND_NS)
    lots.take_on([LotDescription("vase", "Vase", "EUR", 1_000)])
    for _ in range(2):
        outlook.tell_waiting()
    assert told == [LotsWait(["vase"])]
    assert [code for code, _ in stage.house.warnings.listed()] == ["lots_wait"]
    stage.after(11 * SECOND_NS)
    lots.announce(stage.now_ns)
    outlook.tell_waiting()
    assert told == [LotsWait(["vase"])]
    assert stage.house.warnings.listed() == ()
