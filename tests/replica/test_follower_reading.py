"""A house that gives so many bytes a second is read to the end all the same, later, and asked no more than needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.effects import Fetch, Page
from auctionctl.house.quotas import MAX_FORGERIES, MUTE_NS
from auctionctl.net.reading import Reading
from auctionctl.replica.follower import SILENCE_NS, Listed
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import List, Read, Refused

RATE, BURST = 10_000, 4_000


@pytest.fixture
def auction(stage: Any) -> bytes:
    """A log of more than one answer, at a house that gives little at a time."""
    auction: bytes = stage.opened(duration_ns=600 * SECOND_NS)
    stage.handle(*(stage.bid(1 + number % 2, auction, 1_000 + 100 * number) for number in range(300)))
    stage.house.limits = replace(stage.limits, read_bytes_per_s=RATE, read_bytes_burst=BURST)
    return auction


@pytest.fixture
def line(line_to: Any, stage: Any) -> Any:
    """A line whose questions are answered as the house's process does it."""
    line = line_to(stage)
    reading = Reading(stage.store, stage.house.quotas, stage.house.presence.peers)
    perform = line.perform

    def answer(effect: Any) -> None:
        if not isinstance(effect, Fetch | Page):
            perform(effect)
        elif effect.session == line.session:
            reading.ask(effect)
            for each in reading.answer(lambda _: 0, stage.now_ns):
                line.hear(Message(each.body))

    line.perform = answer
    return line


def test_a_log_is_read_to_its_end_at_the_rate_that_the_house_allows(stage: Any, line: Any, auction: bytes) -> None:
    begun_ns = stage.now_ns
    line.follower.follow({auction}, begun_ns)
    line.connect()
    while not (auction in line.follower.replicas and line.agrees(auction)):
        line.run_for(SECOND_NS // 10)
        assert stage.now_ns < begun_ns + 60 * SECOND_NS
    last_bytes = 50 * 300  # of the answer that ended it, for which nobody had to wait
    size_bytes = sum(map(len, stage.data(auction)))
    assert stage.now_ns - begun_ns > (size_bytes - BURST - last_bytes) * SECOND_NS // RATE
    refusals = line.told(Refused)
    assert {(each.code, each.command) for each in refusals} == {("rate", auction)}
    assert len(line.said(Read)) <= 2 + len(refusals) + 2, "each is asked for again when the house said, and not before"


def test_of_many_logs_none_is_asked_for_again_and_again(stage: Any, line: Any, auction: bytes) -> None:
    stage.house.limits = replace(stage.house.limits, max_concurrent_auctions=99)
    auctions = {auction, *(stage.announce() for _ in range(40))}
    line.follower.follow(auctions, stage.now_ns)
    line.connect()
    line.run_for(20 * SECOND_NS)
    assert all(line.agrees(each) for each in auctions)
    assert len(line.said(Read)) < 12 * len(auctions), "each would be asked for with each answer that another gets"


def test_a_catalogue_is_read_on_from_the_page_that_was_put_off(stage: Any, line: Any, auction: bytes) -> None:
    stage.house.limits = replace(stage.house.limits, max_concurrent_auctions=99, read_bytes_per_s=4_000)
    for _ in range(39):
        stage.announce()
    line.connect()
    line.follower.list_auctions(stage.now_ns)
    line.pump()
    line.run_for(30 * SECOND_NS)
    assert [len(each.auctions) for each in line.told(Listed)] == [40]
    starts = [each.start for each in line.said(List)]
    assert starts == sorted(starts), "and not from the beginning"
    assert len(set(starts)) < len(starts)


def test_whoever_is_muted_asks_again_when_that_is_over(stage: Any, line: Any, auction: bytes) -> None:
    line.connect()
    for _ in range(MAX_FORGERIES):
        stage.house.quotas.forged(line.key.identity.signing, stage.now_ns)
    line.follower.follow({auction}, stage.now_ns)
    line.pump()
    line.run_for(MUTE_NS // 2)
    assert {each.code for each in line.told(Refused)} == {"muted"}
    assert len(line.said(Read)) <= 1 + MUTE_NS // 2 // SILENCE_NS, "and not after every RETRY_NS"
    line.run_for(MUTE_NS // 2 + SILENCE_NS)
    assert line.agrees(auction)
