"""Which auctions are in another phase is told once, and never of what did not become durable."""

from __future__ import annotations

from typing import Any

from auctionctl.house.room import LONGEST_PAUSE_NS


def test_an_opening_and_an_end_are_told_once_each(stage: Any) -> None:
    auction = stage.announce()
    assert stage.house.take_turned() == [], "whoever announced it knows"
    for session, name in ((1, "ann"), (2, "ben")):
        stage.enter(session, name)
        stage.handle(stage.join(session, auction))
    assert [(log.id, log.auction.phase) for log in stage.house.take_turned()] == [(auction, "open")]
    assert stage.house.take_turned() == []
    stage.after(60 * 10**9)
    assert [(log.id, log.auction.phase) for log in stage.house.take_turned()] == [(auction, "closed")]


def test_what_was_rolled_back_is_told_when_it_has_happened(stage: Any) -> None:
    auction = stage.announce()
    stage.is_full = True
    stage.after(40 * 10**9)
    assert stage.house.take_turned() == []
    stage.is_full = False
    stage.after(LONGEST_PAUSE_NS)
    assert [(log.id, log.auction.phase) for log in stage.house.take_turned()] == [(auction, "closed")]
