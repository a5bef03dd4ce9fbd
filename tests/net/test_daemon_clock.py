"""The house's process stamps on the second, after the time is durable, and does its chores meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import daemon_run
import pytest
from daemon_run import HOUSE_KEY, SESSION, Run, TroubledStore

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.hops import ToFollowers
from auctionctl.tlog.checkpoint import origin_of
from auctionctl.tlog.cosignature import TimedCheckpoint, open_timed
from auctionctl.wire.messages import ClockHead, Subscribe, decode_reply
from auctionctl.wire.messages import encode as encode_message


@pytest.fixture
def stamping(prepare: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A house with an open auction in its last minute, which ann follows."""
    monkeypatch.setattr(daemon_run, "LOT", replace(daemon_run.LOT, min_bidders=1, duration_ns=50 * SECOND_NS))
    run = prepare().begin()
    run.greet()
    run.send((SESSION, b"", encode_message(Subscribe((run.auction,))), b"", b""), run.join())
    return run


def next_stamp(run: Run) -> TimedCheckpoint:
    while True:
        reply: Any = decode_reply(run.next(ToFollowers).body)
        if isinstance(reply, ClockHead):
            origin = origin_of(HOUSE_KEY.identity.text, f"auction/{run.auction.hex()}")
            return open_timed(reply.note, origin, HOUSE_KEY.identity.text, HOUSE_KEY.identity.signing)


def test_every_second_is_stamped_when_it_begins_and_not_before_the_store_has_it(stamping: Run) -> None:
    first = next_stamp(stamping)
    second = next_stamp(stamping)
    assert second.time_s > first.time_s
    assert second.time_ns <= time.time_ns()
    assert stamping.process is not None
    last_alive_ns = stamping.process._store.last_alive_ns()
    assert last_alive_ns is not None
    assert second.time_ns <= last_alive_ns


def test_what_is_done_now_and_then_is_done_all_the_same(stamping: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    next_stamp(stamping)
    chores: list[int] = []
    honest = TroubledStore.maintain
    monkeypatch.setattr(TroubledStore, "maintain", lambda store: (chores.append(1), honest(store)))
    for _ in range(3):
        next_stamp(stamping)
    assert chores
