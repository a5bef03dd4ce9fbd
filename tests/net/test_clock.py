"""The clock of a house."""

from __future__ import annotations

import time

from auctionctl.net.clock import Clock


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
