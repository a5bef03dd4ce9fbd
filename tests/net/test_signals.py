"""A signal is something to read, once for each time that it was sent, and nothing else happens."""

from __future__ import annotations

import os
import selectors
import signal

from auctionctl.net.signals import Signals


def test_what_was_sent_is_read_in_order_and_nothing_else_happens():
    with Signals([signal.SIGTERM, signal.SIGHUP]) as signals, selectors.DefaultSelector() as selector:
        selector.register(signals, selectors.EVENT_READ)
        assert signals.take() == []
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert selector.select(30)
        assert signals.take() == [signal.SIGTERM, signal.SIGHUP, signal.SIGTERM]
        assert signals.take() == []


def test_a_signal_wakes_whoever_waits():
    with Signals([signal.SIGALRM]) as signals, selectors.DefaultSelector() as selector:
        selector.register(signals, selectors.EVENT_READ)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert selector.select(30)
        assert signals.take() == [signal.SIGALRM]


def test_signals_that_are_not_ours_are_not_told():
    heard = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        with Signals([signal.SIGTERM]) as signals:
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGTERM)
            assert signals.take() == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1]


def test_afterwards_everything_is_as_it_was():
    before = signal.getsignal(signal.SIGTERM)
    with Signals([signal.SIGTERM]):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(-1) == -1
