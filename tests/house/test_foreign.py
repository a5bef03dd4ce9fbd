"""What other instances write is here as they wrote it, or is quarantined; and it is known where it is taken."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.errors import VerificationError
from auctionctl.house.condition import QUARANTINED, Warnings
from auctionctl.house.foreign import ASK_AGAIN_NS, Foreign, not_yet_here
from auctionctl.wire.messages import Moved, decode_reply


@pytest.fixture
def warnings() -> Warnings:
    return Warnings()


@pytest.fixture
def foreign(stage: Any, warnings: Warnings) -> Foreign:
    return Foreign(stage.key, warnings)


@pytest.fixture
def auction(stage: Any) -> bytes:
    """One in which both have bid: six entries."""
    auction: bytes = stage.opened()
    stage.handle(stage.bid(1, auction, 1_000))
    stage.handle(stage.bid(2, auction, 1_200))
    return auction


def test_a_log_that_grows_piece_by_piece_is_the_one_that_is_rebuilt_at_once(
    stage: Any, foreign: Foreign, auction: bytes
) -> None:
    log, data, registry = stage.log(auction), stage.data(auction), stage.house.registry.state
    for index, entry in enumerate(data):
        assert foreign.absorb(log.name, index, [entry], registry) is None
    found = foreign.logs[auction]
    assert (found.tree.root(), found.commands, found.times_ns) == (log.tree.root(), log.commands, log.times_ns)
    assert found.auction.standing == log.auction.standing
    assert found.sign_head() == log.sign_head()
    assert found.is_foreign


def test_an_auction_waits_for_its_announcement(stage: Any, foreign: Foreign, auction: bytes) -> None:
    log, data = stage.log(auction), stage.data(auction)
    before = type(stage.house.registry)(stage.key).state
    assert foreign.absorb(log.name, 0, data[:2], before) is None
    assert foreign.absorb(log.name, 2, data[2:], before) is None
    assert foreign.announced(before) == []
    assert not foreign.logs
    assert foreign.announced(stage.house.registry.state) == []
    assert foreign.logs[auction].tree.size == len(data)


def test_one_that_is_final_is_nobodys_any_more(stage: Any, foreign: Foreign, auction: bytes) -> None:
    stage.until(stage.log(auction).auction.end_ns)
    log, data, registry = stage.log(auction), stage.data(auction), stage.house.registry.state
    foreign.absorb(log.name, 0, data[:-1], registry)
    final = foreign.absorb(log.name, len(data) - 1, data[-1:], registry)
    assert final is not None
    assert final.is_complete
    assert not final.is_foreign
    assert not foreign.logs


def test_what_does_not_follow_is_quarantined_for_good(
    stage: Any, foreign: Foreign, warnings: Warnings, auction: bytes
) -> None:
    log, data, registry = stage.log(auction), stage.data(auction), stage.house.registry.state
    foreign.absorb(log.name, 0, data, registry)
    foreign.absorb(log.name, len(data), [data[-1]], registry)
    assert foreign.is_quarantined(log.name)
    assert log.name in dict(warnings.listed())[QUARANTINED]
    foreign.absorb(log.name, 0, data, registry)
    assert not foreign.logs


@pytest.mark.parametrize("name", ["auction/00", "else", f"auction/{'g' * 64}"])
def test_a_log_of_no_name_that_this_house_gives_is_quarantined(stage: Any, foreign: Foreign, name: str) -> None:
    foreign.absorb(name, 0, [b"?"], stage.house.registry.state)
    assert foreign.is_quarantined(name)


def test_only_what_is_new_is_taken_on_and_a_hole_is_noticed() -> None:
    entries = [b"3", b"4", b"5"]
    assert not_yet_here(3, 3, entries) == entries
    assert not_yet_here(5, 3, entries) == [b"5"]
    assert not_yet_here(9, 3, entries) == []
    with pytest.raises(VerificationError, match="entries 2 to 2 are missing"):
        not_yet_here(2, 3, entries)


def test_where_a_log_is_taken_is_told_or_when_to_ask_again(foreign: Foreign) -> None:
    foreign.set_endpoints({b"1" * 32: "b:1"})
    assert decode_reply(foreign.moved(b"1" * 32).body) == Moved(b"1" * 32, "b:1", b"", 0)
    command = b"c" * 32
    assert decode_reply(foreign.moved(b"2" * 32, command).body) == Moved(b"2" * 32, "", command, ASK_AGAIN_NS)
    assert decode_reply(foreign.moved(b"2" * 32, command, "c:1").body) == Moved(b"2" * 32, "c:1", command, 0)
