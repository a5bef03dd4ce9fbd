"""The clock of a house."""

from __future__ import annotations

import time

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ClockBackError, ConfigurationError
from auctionctl.net.clock import MAX_CLOCK_AHEAD_NS, MAX_CLOCK_BACK_NS, Clock, check_clock, check_not_ahead


def test_the_clock_never_goes_back():
    clock = Clock()
    times_ns = [clock.now_ns() for _ in range(10_000)]
    assert times_ns == sorted(times_ns)


def test_the_clock_is_wall_time_at_the_start_and_does_not_follow_it_after(monkeypatch):
    clock = Clock()
    assert abs(clock.now_ns() - time.time_ns()) < 60 * 10**9
    before_ns = clock.now_ns()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert before_ns <= clock.now_ns() < before_ns + 60 * 10**9


def test_a_house_does_not_start_far_before_its_last_sign_of_life_and_never_before_it() -> None:
    last_ns = 1_767_225_600 * SECOND_NS
    assert check_clock(last_ns + 7, last_ns) == last_ns + 7
    assert check_clock(last_ns - MAX_CLOCK_BACK_NS, last_ns) == last_ns
    with pytest.raises(ClockBackError, match="6 s before the house's last entry") as raised:
        check_clock(last_ns - 6 * SECOND_NS, last_ns)
    assert raised.value.hint == "set the clock, then start again"


def test_an_instance_does_not_begin_far_ahead_of_the_servers_that_keep_its_logs() -> None:
    servers_ns = 1_767_225_600 * SECOND_NS
    for ahead_ns in (-SECOND_NS, 0, MAX_CLOCK_AHEAD_NS):
        check_not_ahead(servers_ns + ahead_ns, servers_ns)
    with pytest.raises(ConfigurationError, match="the clock of this machine is 5 s ahead of the cluster's") as raised:
        check_not_ahead(servers_ns + MAX_CLOCK_AHEAD_NS + 1, servers_ns)
    assert "auctionctl doctor --store shows each" in raised.value.hint
