"""An outage is entered in every log whose deadline ran meanwhile, once, and is not forgotten if nothing was written."""

from __future__ import annotations

from typing import Any

from auctionctl.auction.events import GapCause, decode_event
from auctionctl.auction.rules import Disconnection, PauseRules, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.gaps import Gaps, Outage

HOUR_NS = 3_600 * SECOND_NS


def outage_of(stage: Any, seconds: int = 2) -> Outage:
    return Outage(stage.now_ns, stage.now_ns + seconds * SECOND_NS, GapCause.GATEWAY_LOST)


def test_an_outage_moves_every_auction_that_runs_and_no_other(stage: Any) -> None:
    running = stage.opened(duration_ns=HOUR_NS)
    waiting = stage.announce(start_timeout_ns=HOUR_NS)
    over = stage.opened(duration_ns=SECOND_NS)
    stage.after(2 * SECOND_NS)
    logs = [stage.log(auction) for auction in (running, waiting, over)]
    before = [log.auction.get_timer() for log in logs]
    moved = list(Gaps().say(outage_of(stage), logs, stage.now_ns))
    assert moved == logs[:2]
    assert [log.auction.get_timer() for log in logs[:2]] == [each + 2 * SECOND_NS for each in before[:2]]
    assert logs[2].to_append() is None


def test_an_auction_whose_pause_nobody_could_end_loses_no_time(stage: Any) -> None:
    pauses = PauseRules(Disconnection.PAUSE, max_pause_a_bidder_ns=5 * SECOND_NS)
    auction = stage.opened(duration_ns=60 * SECOND_NS, pauses=pauses)
    opened_ns = stage.now_ns
    stage.house.session_ended(2, stage.now_ns)
    stage.after(12 * SECOND_NS)
    assert stage.kinds(auction)[-2:] == ["left", "paused"]
    stage.is_full = True
    stage.after(8 * SECOND_NS)
    stage.is_full = False
    stage.after(8 * SECOND_NS)
    assert stage.kinds(auction)[-3:] == ["paused", "gap", "resumed"]
    _, paused, _, resumed = stage.entries(auction)[-4:]
    assert resumed.time_ns - paused.time_ns > 10 * SECOND_NS
    assert stage.log(auction).auction.end_ns == opened_ns + 60 * SECOND_NS + resumed.time_ns - paused.time_ns


def test_a_payment_that_runs_is_moved_and_one_that_was_made_is_not(stage: Any) -> None:
    auction = stage.opened(duration_ns=SECOND_NS, payment=PaymentRules(HOUR_NS))
    stage.handle(stage.bid(1, auction, 1_000))
    stage.after(2 * SECOND_NS)
    log = stage.log(auction)
    due_ns = log.auction.settlement.due_ns
    assert list(Gaps().say(outage_of(stage), [log], stage.now_ns)) == [log]
    assert log.auction.settlement.due_ns == due_ns + 2 * SECOND_NS


def test_what_overlaps_a_sign_of_life_is_cut_and_what_is_covered_already_is_not_said_again(stage: Any) -> None:
    auction = stage.opened(duration_ns=HOUR_NS)
    log = stage.log(auction)
    joined_ns = stage.now_ns
    stage.after(SECOND_NS)
    gaps = Gaps()
    outage = Outage(joined_ns - SECOND_NS, stage.now_ns, GapCause.STALLED)
    assert list(gaps.say(outage, [log], stage.now_ns)) == [log]
    (append,) = [log.to_append()]
    (data,) = append.entries
    gap = decode_event("gap", stage_entry(data).body)
    assert (gap.since_ns, gap.until_ns) == (joined_ns, stage.now_ns)
    assert list(gaps.say(outage, [log], stage.now_ns)) == []


def stage_entry(data: bytes) -> Any:
    from auctionctl.tlog.entry import decode

    return decode(data)


def test_what_was_not_written_is_owed_and_what_was_written_is_not(stage: Any) -> None:
    auction = stage.opened(duration_ns=HOUR_NS)
    gaps, outage = Gaps(), outage_of(stage)
    assert list(gaps.say(outage, [stage.log(auction)], stage.now_ns))
    gaps.rolled_back()
    assert gaps.take_owed() == [outage]
    assert gaps.take_owed() == []
    other = stage.opened(duration_ns=HOUR_NS)
    assert list(gaps.say(outage, [stage.log(other)], stage.now_ns))
    gaps.committed()
    gaps.rolled_back()
    assert gaps.take_owed() == []


def test_an_outage_of_some_logs_that_was_not_written_is_owed_to_these_alone(stage: Any) -> None:
    mine, other = (stage.log(stage.opened(duration_ns=HOUR_NS)) for _ in range(2))
    gaps, outage = Gaps(), outage_of(stage)._replace(logs=(mine.id,))
    assert list(gaps.say(outage, [mine, other], stage.now_ns)) == [mine]
    gaps.rolled_back()
    of_all = outage._replace(logs=(), until_ns=outage.until_ns + 1)
    assert gaps.take_owed([of_all]) == [outage, of_all]
    assert list(gaps.say(outage, [other], stage.now_ns)) == []
    assert other.to_append() is None


def test_an_outage_that_moved_nothing_is_not_owed(stage: Any) -> None:
    gaps = Gaps()
    assert list(gaps.say(outage_of(stage), [], stage.now_ns)) == []
    gaps.rolled_back()
    assert gaps.take_owed() == []
