"""A house's clock is called off when nothing else can explain what it says, and then once."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.replica.follower import ClockOff
from auctionctl.replica.house_clock import TOLERANCE_NS, HouseClock
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Pong, encode

NOW_NS = 1_767_225_600 * SECOND_NS


@pytest.fixture
def clock() -> HouseClock:
    return HouseClock()


@pytest.mark.parametrize("off_ns", [TOLERANCE_NS, -TOLERANCE_NS, 0])
def test_five_seconds_are_tolerated(clock: HouseClock, off_ns: int) -> None:
    clock.answered(NOW_NS + off_ns, NOW_NS, NOW_NS)
    assert (clock.take_off_ns(), clock.ahead_ns) == (None, off_ns)


@pytest.mark.parametrize("off_ns", [TOLERANCE_NS + 1, -TOLERANCE_NS - 1, 3_600 * SECOND_NS])
def test_more_is_told_once(clock: HouseClock, off_ns: int) -> None:
    clock.answered(NOW_NS + off_ns, NOW_NS, NOW_NS)
    assert clock.take_off_ns() == off_ns
    clock.answered(NOW_NS + off_ns, NOW_NS, NOW_NS)
    assert clock.take_off_ns() is None


@pytest.mark.parametrize("told", ["welcomed", "answered"])
def test_what_a_slow_answer_explains_is_nobodys_fault(clock: HouseClock, told: str) -> None:
    tell = getattr(clock, told)
    for house_ns in (NOW_NS - 14 * SECOND_NS, NOW_NS + 5 * SECOND_NS):
        tell(house_ns, NOW_NS - 10 * SECOND_NS, NOW_NS)
    assert clock.take_off_ns() is None
    tell(NOW_NS - 15 * SECOND_NS - 1, NOW_NS - 10 * SECOND_NS, NOW_NS)
    assert clock.take_off_ns() == -TOLERANCE_NS - 1


def test_what_is_dated_in_our_future_is_ahead_however_long_it_took(clock: HouseClock) -> None:
    clock.dated(NOW_NS - 3_600 * SECOND_NS, NOW_NS)
    clock.dated(NOW_NS + TOLERANCE_NS, NOW_NS)
    assert clock.take_off_ns() is None
    clock.dated(NOW_NS + TOLERANCE_NS + 1, NOW_NS)
    assert clock.take_off_ns() == TOLERANCE_NS + 1


def test_a_stamp_ahead_of_our_clock_counts_though_pings_are_answered_rightly(clock: HouseClock) -> None:
    clock.answered(NOW_NS, NOW_NS, NOW_NS)
    clock.stamped(NOW_NS // SECOND_NS + 6, NOW_NS)
    assert clock.take_off_ns() == 6 * SECOND_NS


def test_stamps_that_lag_behind_for_a_second_are_behind(clock: HouseClock) -> None:
    late_s = NOW_NS // SECOND_NS - 8
    clock.stamped(late_s, NOW_NS)
    clock.stamped(late_s, NOW_NS + SECOND_NS - 1)
    assert clock.take_off_ns() is None
    clock.stamped(late_s + 1, NOW_NS + SECOND_NS)
    assert clock.take_off_ns() == -7 * SECOND_NS


def test_a_backlog_of_old_stamps_read_at_once_is_not(clock: HouseClock) -> None:
    for number in range(21):
        clock.stamped(NOW_NS // SECOND_NS - 20 + number, NOW_NS + number)
    clock.stamped(NOW_NS // SECOND_NS + 1, NOW_NS + SECOND_NS)
    assert clock.take_off_ns() is None


def test_a_lag_that_the_round_trip_explains_is_none(clock: HouseClock) -> None:
    clock.answered(NOW_NS - 3 * SECOND_NS, NOW_NS - 6 * SECOND_NS, NOW_NS)
    for number in range(5):
        clock.stamped(NOW_NS // SECOND_NS - 11 + number, NOW_NS + number * SECOND_NS)
    assert clock.take_off_ns() is None


# Through a follower


@pytest.mark.parametrize("off_s", [-30, 30])
def test_a_follower_says_that_the_clocks_differ_once(line: Any, off_s: int) -> None:
    stage = line.stage
    line.connect()
    line.answers_pings = False
    assert line.told(ClockOff) == []
    for token in (2, 3):
        stage.after(6 * SECOND_NS)
        line.follower.handle_timer(stage.now_ns)
        line.hear(Message(encode(Pong(token, stage.now_ns + off_s * SECOND_NS))))
    assert line.told(ClockOff) == [ClockOff(off_s * SECOND_NS)]


def test_a_follower_of_an_honest_house_hears_nothing_of_it(line: Any) -> None:
    auction = line.stage.opened()
    line.connect()
    line.follower.follow({auction}, line.stage.now_ns)
    line.run_for(30 * SECOND_NS)
    assert line.told(ClockOff) == []


def test_a_house_that_dates_its_entries_ahead_is_noticed_by_who_watches(line: Any) -> None:
    auction = line.stage.opened()
    line.connect()
    line.follower.follow({auction}, line.stage.now_ns)
    line.pump()
    line.stage.now_ns += 10 * SECOND_NS  # the house's clock, and then ours again
    line.stage.handle(line.stage.bid(1, auction, 1_000))
    line.stage.now_ns -= 10 * SECOND_NS
    line.pump()
    (off,) = line.told(ClockOff)
    assert 5 * SECOND_NS < off.ahead_ns <= 10 * SECOND_NS
