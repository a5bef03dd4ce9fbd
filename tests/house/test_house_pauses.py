"""A house whose auctions wait for bidders who left: at once, up to the caps, and through whatever happens to it."""

from __future__ import annotations

import copy
from types import ModuleType
from typing import Any

import pytest

from auctionctl.auction.commands import Cancel, Pause, Resume
from auctionctl.auction.rules import Disconnection, PauseRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.effects import Commit
from auctionctl.house.gaps import RECONNECT_GRACE_NS
from auctionctl.house.presence import PRESENCE_GRACE_NS
from auctionctl.replica.audit import audit
from auctionctl.wire.messages import Bye, ClockHead, Subscribe

ANN, BEN, CLEO, OLGA, OTTO = 1, 2, 3, 6, 9
WAITING = PauseRules(Disconnection.PAUSE, 5, 100 * SECOND_NS, 2, 40 * SECOND_NS)
HOUR_NS = 3_600 * SECOND_NS


def leave(stage: Any, session: int) -> None:
    """The bidder says goodbye, and has the grace to come back."""
    stage.handle(stage.ask(session, Bye()))
    stage.after(PRESENCE_GRACE_NS)


def back(stage: Any, session: int, auction: bytes) -> None:
    stage.enter(session, {ANN: "ann", BEN: "ben", CLEO: "cleo"}[session])
    stage.handle(stage.join(session, auction))


def paused(stage: Any, **changes: Any) -> bytes:
    """An auction that waits for ben."""
    auction: bytes = stage.opened(pauses=WAITING, **changes)
    leave(stage, BEN)
    assert stage.kinds(auction)[4:] == ["left", "paused"]
    return auction


def verified(stage: Any, auction: bytes) -> Any:
    """What the log says, to anybody: the same as the house."""
    found = audit(stage.export(auction), stage.key.identity).auction
    live = stage.log(auction).auction
    for name in type(live).__slots__:
        assert getattr(found, name) == getattr(live, name), name
    return found


def test_a_departure_and_the_pause_that_it_brings_about_become_durable_together(stage: Any) -> None:
    auction = stage.opened(pauses=WAITING)
    stage.handle(stage.ask(BEN, Bye()))
    stage.effects.clear()
    stage.after(PRESENCE_GRACE_NS)
    appended = [append.entries for effect in stage.effects if isinstance(effect, Commit) for append in effect.appends]
    assert [len(entries) for entries in appended] == [2]
    left, pause = stage.entries(auction)[4:]
    assert (left.kind, pause.kind, left.time_ns) == ("left", "paused", pause.time_ns)
    verified(stage, auction)


def test_a_joining_and_the_end_of_the_pause_become_durable_together(stage: Any) -> None:
    auction = paused(stage)
    stage.enter(BEN, "ben")
    stage.effects.clear()
    stage.handle(stage.join(BEN, auction))
    assert stage.kinds(auction)[4:] == ["left", "paused", "joined", "resumed"]
    assert len([effect for effect in stage.effects if isinstance(effect, Commit)]) == 1
    stage.handle(stage.bid(BEN, auction, 1_000))
    assert stage.kinds(auction)[-1] == "bid"
    verified(stage, auction)


def test_a_pause_ends_at_its_cap_by_itself_and_the_auction_then_too(stage: Any) -> None:
    auction = paused(stage)
    by_ns = stage.log(auction).auction.get_timer()
    assert stage.house.get_timer() == by_ns
    stage.until(by_ns)
    assert stage.kinds(auction)[6:] == ["resumed"]
    stage.until(stage.log(auction).auction.end_ns)
    assert stage.kinds(auction)[7:] == ["closed"]
    assert stage.log(auction).auction.ended_ns - stage.log(auction).auction.opened_at_ns == 60 * SECOND_NS
    verified(stage, auction)


def test_several_auctions_wait_for_one_who_left_each_by_its_own_terms(stage: Any) -> None:
    auctions = [stage.opened(pauses=pauses) for pauses in (WAITING, PauseRules())]
    leave(stage, BEN)
    assert [stage.kinds(auction)[4:] for auction in auctions] == [["left", "paused"], ["left"]]


def test_nobody_is_gone_for_a_gateway_that_is_lost(stage: Any) -> None:
    auction = stage.opened(pauses=WAITING)
    stage.house.gateway_lost(stage.now_ns)
    stage.now_ns += 60 * SECOND_NS
    stage.do(stage.house.gateway_back(stage.now_ns))
    for session, name in ((ANN, "ann"), (BEN, "ben")):
        stage.enter(session, name)
    stage.after(PRESENCE_GRACE_NS + SECOND_NS)
    assert stage.kinds(auction)[4:] == ["gap"]
    assert stage.log(auction).auction.phase == "open"


# Through whatever happens to the house


@pytest.mark.parametrize("what", ["stall", "restart", "lose"])
@pytest.mark.parametrize("by", ["terms", "operator"])
def test_a_gap_within_a_pause_moves_its_cap_and_the_end_by_the_pause_as_a_whole(stage: Any, what: str, by: str) -> None:
    if by == "terms":
        auction = paused(stage)
    else:
        auction = stage.opened(pauses=WAITING)
        stage.enter(OTTO, "otto", "operator")
        stage.handle(stage.command(OTTO, Pause, auction, ""))
    live = stage.log(auction).auction
    began_ns, cap_ns, end_ns = live.last_time_ns, live.get_timer(), live.end_ns
    stage.after(5 * SECOND_NS)
    lasted_ns = {"stall": 7 * SECOND_NS, "restart": 7 * SECOND_NS, "lose": 7 * SECOND_NS}[what]
    if what == "stall":
        stage.now_ns += lasted_ns
        stage.handle()
    elif what == "restart":
        stage.store.alive(stage.now_ns)
        stage.restart(lasted_ns)
    else:
        stage.house.gateway_lost(stage.now_ns)
        stage.now_ns += lasted_ns
        stage.do(stage.house.gateway_back(stage.now_ns))
    live = stage.log(auction).auction
    grace_ns = 0 if what == "stall" else RECONNECT_GRACE_NS
    assert stage.kinds(auction)[-1] == "gap"
    assert live.get_timer() == cap_ns + lasted_ns + grace_ns
    assert live.end_ns == end_ns
    stage.enter(ANN, "ann")
    stage.after(2 * SECOND_NS)
    if by == "terms":
        back(stage, BEN, auction)
    else:
        stage.enter(OTTO, "otto", "operator")
        stage.handle(stage.command(OTTO, Resume, auction, ""))
    live = stage.log(auction).auction
    assert live.phase == "open"
    assert live.end_ns == end_ns + live.last_time_ns - began_ns
    assert live.pauses.spent_ns == 7 * SECOND_NS - grace_ns
    verified(stage, auction)


def test_a_house_that_starts_again_waits_for_the_same_ones_as_before(stage: Any) -> None:
    auction = paused(stage, duration_ns=HOUR_NS)
    before = copy.deepcopy(stage.log(auction).auction.pauses)
    stage.restart(0)
    # The gap that every restart leaves is the grace for coming back.
    before.add_gap(stage.now_ns, stage.now_ns + RECONNECT_GRACE_NS)
    assert stage.log(auction).auction.pauses == before
    stage.enter(ANN, "ann")
    stage.after(PRESENCE_GRACE_NS + SECOND_NS)
    assert stage.kinds(auction)[4:] == ["left", "paused", "gap"]
    back(stage, BEN, auction)
    assert stage.kinds(auction)[7:] == ["joined", "resumed"]


def test_whoever_does_not_come_back_after_a_restart_is_waited_for_too(stage: Any) -> None:
    auction = stage.opened(pauses=WAITING, duration_ns=HOUR_NS)
    stage.restart(SECOND_NS)
    stage.enter(ANN, "ann")
    stage.after(PRESENCE_GRACE_NS)
    assert stage.kinds(auction)[4:] == ["gap", "left", "paused"]
    verified(stage, auction)


def test_what_was_rolled_back_is_paused_resumed_and_cancelled_anew(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened(pauses=WAITING, duration_ns=HOUR_NS)
    stage.enter(OTTO, "otto", "operator")
    pause = stage.command(OTTO, Pause, auction, "", not_after_ns=stage.now_ns + 200 * SECOND_NS)
    size = stage.log(auction).tree.size
    stage.is_full = True
    stage.handle(pause)
    assert (stage.log(auction).auction.phase, stage.log(auction).tree.size) == ("open", size)
    leave(stage, BEN)
    assert stage.kinds(auction)[4:] == []
    stage.is_full = False
    stage.after(2 * PRESENCE_GRACE_NS)
    assert stage.kinds(auction)[-2:] == ["left", "paused"]
    assert stage.log(auction).auction.pauses.count == 1
    effects = stage.handle(pause)
    assert staging.codes(effects, OTTO) == ["paused"]
    verified(stage, auction)


def test_what_is_called_off_is_over_for_everybody_at_once(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened(pauses=WAITING)
    stage.enter(OTTO, "otto", "operator")
    stage.enter(OLGA, "olga", "observer")
    stage.handle(stage.ask(OLGA, Subscribe((auction,))))
    stage.house.take_turned()
    assert (stage.house.live_count, stage.house.unfinished_count) == (1, 1)
    effects = stage.handle(stage.command(OTTO, Cancel, auction, "stolen"))
    assert (stage.house.live_count, stage.house.unfinished_count) == (0, 0)
    assert [log.id for log in stage.house.take_turned()] == [auction]
    assert stage.house._held.next_ns() is None
    assert [type(each) for each in staging.published(effects)].count(ClockHead) == 1, "the close is stamped"
    leave(stage, BEN)
    assert stage.kinds(auction)[4:] == ["cancelled"]
    stage.house.forget(stage.log(auction))
    assert list(stage.house.logs) == []


def test_a_pause_turns_an_auction_and_so_does_its_end(stage: Any) -> None:
    auction = paused(stage)
    assert [log.auction.phase for log in stage.house.take_turned()] == ["paused"]
    back(stage, BEN, auction)
    assert [log.auction.phase for log in stage.house.take_turned()] == ["open"]
