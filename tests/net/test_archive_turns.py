"""Archiving in turns: what fails is said once, and tried again after a pause."""

from __future__ import annotations

import select
import socket
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ArchiveError, StoreFullError
from auctionctl.house.condition import ARCHIVE_FAILED, Warnings
from auctionctl.net.archive_turns import LOOK_NS, PAUSE_NS, ArchiveTurns
from auctionctl.net.archiving import Archiving
from auctionctl.net.control import receive_control
from auctionctl.net.house_words import Archived, ArchiveFailed, decode_from_child
from auctionctl.store.archive import Archive

HOUR_NS = 3_600 * SECOND_NS


class Turns:
    """The turns of a house in memory that has sold one lot; ``told`` is what its supervisor has been told."""

    def __init__(self, stage: Any, directory: Path) -> None:
        self.house_end, self.supervisor_end = socket.socketpair()
        self.warnings = Warnings()
        self.auction = stage.opened(listing="vase")
        stage.handle(stage.bid(1, self.auction, 1_000))
        stage.after(20 * SECOND_NS)
        stage.log(self.auction).sign_head()
        self.archive = directory / "archive"
        archiving = Archiving(stage.house, stage.store, Archive(self.archive), HOUR_NS)
        self.turns = ArchiveTurns(self.house_end, self.warnings, archiving)

    def told(self) -> Any:
        ready, _, _ = select.select([self.supervisor_end], [], [], 0)
        return decode_from_child(receive_control(self.supervisor_end)[0]) if ready else None


@pytest.fixture
def made(stage: Any, tmp_path: Path) -> Any:
    turns = Turns(stage, tmp_path)
    yield turns
    turns.house_end.close()
    turns.supervisor_end.close()


def test_a_turn_is_due_now_and_then_and_until_what_was_begun_is_done(made: Turns, stage: Any) -> None:
    assert made.turns.is_due(stage.now_ns)
    made.turns.turn(stage.now_ns)
    assert not made.turns.is_due(stage.now_ns + LOOK_NS - 1)
    later_ns = stage.now_ns + 2 * HOUR_NS
    while made.turns.is_due(later_ns):
        made.turns.turn(later_ns)
    told = made.told()
    assert isinstance(told, Archived)
    assert (told.auction, told.listing, Path(told.path).parent) == (made.auction, "vase", made.archive)


def test_what_fails_is_said_once_waits_and_is_taken_back_when_it_works(made: Turns, stage: Any) -> None:
    made.archive.write_text("in the way")
    later_ns = stage.now_ns + 2 * HOUR_NS
    for attempt in range(2):
        made.turns.turn(later_ns + attempt * PAUSE_NS)
        assert not made.turns.is_due(later_ns + (attempt + 1) * PAUSE_NS - 1)
    assert isinstance(made.told(), ArchiveFailed)
    assert made.told() is None
    assert [code for code, _ in made.warnings.listed()] == [ARCHIVE_FAILED]
    made.archive.unlink()
    last_ns = later_ns + 2 * PAUSE_NS
    while made.turns.is_due(last_ns):
        made.turns.turn(last_ns)
    assert made.warnings.listed() == ()
    assert isinstance(made.told(), Archived)


def test_a_full_store_is_for_the_caller_and_makes_a_pause_too(
    made: Turns, stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_now_ns: int) -> bool:
        raise StoreFullError("no room")

    monkeypatch.setattr(made.turns.archiving, "turn", full)
    with pytest.raises(StoreFullError):
        made.turns.turn(stage.now_ns)
    assert not made.turns.is_due(stage.now_ns + PAUSE_NS - 1)
    assert made.told() is None


def test_a_directory_that_cannot_be_used_is_said_once_however_often_it_is_found(made: Turns) -> None:
    for _ in range(3):
        made.turns.say_failed(ArchiveError("it has mode 0755", hint="chmod 700 it"))
    assert made.told() == ArchiveFailed("it has mode 0755", "chmod 700 it")
    assert made.told() is None
