"""Closed auctions leave the store: nothing is lost on the way, and nothing is sold twice."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ArchiveError, StoreFullError, TermsError
from auctionctl.net.archiving import Archiving
from auctionctl.net.stored_logs import archive_name
from auctionctl.replica.audit import audit
from auctionctl.store.archive import Archive
from auctionctl.wire.messages import Read

HOUR_NS = 3600 * SECOND_NS


def sold(stage: Any, listing: str = "vase") -> bytes:
    auction: bytes = stage.opened(listing=listing)
    stage.handle(stage.bid(1, auction, 1_000))
    stage.after(20 * SECOND_NS)
    assert stage.log(auction).auction.outcome is not None
    # As a file has it: what the auction says of its bidders moves the registry, and both heads were signed together.
    stage.log(auction).sign_head()
    return auction


def archiving(stage: Any, directory: Path, retention_ns: int = HOUR_NS) -> Archiving:
    return Archiving(stage.house, stage.store, Archive(directory / "archive"), retention_ns)


def run(work: Archiving, now_ns: int) -> int:
    turns = 0
    while work.turn(now_ns):
        turns += 1
    return turns


def test_an_auction_is_archived_when_it_has_been_closed_for_long_enough(stage: Any, tmp_path: Path) -> None:
    auction, running = sold(stage), stage.announce(listing="other")
    expected = stage.export(auction)
    closed_ns = stage.log(auction).auction.last_time_ns
    work = archiving(stage, tmp_path)
    assert not run(work, closed_ns + HOUR_NS - 1)
    assert run(work, closed_ns + HOUR_NS)
    path = tmp_path / "archive" / f"vase-{auction.hex()}.auction"
    assert path.read_bytes() == expected
    found = audit(path.read_bytes(), stage.key.identity)
    assert found.is_finished
    assert found.sale is not None
    assert [log.id for log in stage.house.logs] == [running]
    assert stage.store.size(f"auction/{auction.hex()}") == 0


def test_a_log_that_is_halted_stays_as_evidence(stage: Any, tmp_path: Path) -> None:
    auction = sold(stage)
    stage.log(auction).is_halted = True
    assert not run(archiving(stage, tmp_path), stage.now_ns + 10 * HOUR_NS)
    assert stage.store.size(f"auction/{auction.hex()}")


def test_without_a_retention_everything_stays(stage: Any, tmp_path: Path) -> None:
    sold(stage)
    assert not run(archiving(stage, tmp_path, retention_ns=0), stage.now_ns + 10_000 * HOUR_NS)
    assert not (tmp_path / "archive").exists()


def test_an_archive_that_is_not_needed_may_be_as_it_likes(stage: Any, tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("no directory")
    archiving(stage, tmp_path, retention_ns=0).check()
    with pytest.raises(ArchiveError):
        archiving(stage, tmp_path).check()


def test_what_is_archived_is_announced_still_and_not_sold_again(stage: Any, tmp_path: Path) -> None:
    auction = sold(stage)
    run(archiving(stage, tmp_path), stage.now_ns + HOUR_NS)
    assert auction in stage.house.registry.state.auctions
    with pytest.raises(TermsError, match="announced 'vase' before"):
        stage.announce(listing="vase")
    (answer,) = stage.handle(stage.ask(1, Read(auction, 0)))
    assert b"has archived" in answer.message.body


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_house_that_dies_in_the_middle_archives_it_the_next_time(
    stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    monkeypatch.setattr("auctionctl.net.archiving.PIECES_A_TURN", 3)
    auction = sold(stage)
    expected = stage.export(auction)
    work = archiving(stage, tmp_path)
    for _ in range(turns):
        work.turn(stage.now_ns + HOUR_NS)
    stage.restart(SECOND_NS)
    run(archiving(stage, tmp_path), stage.now_ns + HOUR_NS)
    work.abandon()
    path = Archive(tmp_path / "archive").path(archive_name("vase", auction))
    assert path.read_bytes() == expected
    assert stage.store.logs() == [("registry", stage.house.registry.tree.size)]


def test_a_store_that_still_has_the_log_beside_its_file_writes_the_same_file_again(stage: Any, tmp_path: Path) -> None:
    auction = sold(stage)
    writing = Archive(tmp_path / "archive").write(archive_name("vase", auction))
    writing.add([stage.export(auction)])
    writing.finish()
    path = Archive(tmp_path / "archive").path(archive_name("vase", auction))
    before = path.read_bytes()
    run(archiving(stage, tmp_path), stage.now_ns + HOUR_NS)
    assert path.read_bytes() == before
    assert stage.store.size(f"auction/{auction.hex()}") == 0


def test_a_full_disk_changes_nothing_and_the_next_attempt_works(
    stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction = sold(stage)
    expected = stage.export(auction)
    work = archiving(stage, tmp_path)

    def full(log: str, expected_size: int) -> None:
        raise StoreFullError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(stage.store, "remove", full)
        with pytest.raises(StoreFullError):
            run(work, stage.now_ns + HOUR_NS)
    assert stage.store.size(f"auction/{auction.hex()}")
    assert [log.id for log in stage.house.logs] == [auction]
    assert run(work, stage.now_ns + HOUR_NS)
    assert Archive(tmp_path / "archive").path(archive_name("vase", auction)).read_bytes() == expected


def test_a_directory_that_cannot_be_made_for_want_of_room_ends_nothing(
    stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction = sold(stage)
    work = archiving(stage, tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", full)
        for _ in range(2):
            with pytest.raises(ArchiveError, match=os.strerror(errno.ENOSPC)):
                work.turn(stage.now_ns + HOUR_NS)
    assert run(work, stage.now_ns + HOUR_NS)
    assert Archive(tmp_path / "archive").holds(archive_name("vase", auction))


@pytest.mark.parametrize("pieces", [1, 3, 1_000])
def test_the_store_forgets_a_log_only_when_its_whole_file_and_the_name_of_it_are_on_the_disk(
    stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    monkeypatch.setattr("auctionctl.net.archiving.PIECES_A_TURN", pieces)
    auction = sold(stage)
    expected = stage.export(auction)
    (tmp_path / "archive").mkdir(mode=0o700)
    work = archiving(stage, tmp_path)
    path = Archive(tmp_path / "archive").path(archive_name("vase", auction))
    unfinished = path.with_name(path.name + ".new")
    sync, rename, remove = os.fsync, os.replace, stage.store.remove
    done: list[tuple[str, object]] = []

    def record_sync(descriptor: int) -> None:
        sync(descriptor)
        names = {each.stat().st_ino: each for each in (unfinished, path, path.parent, tmp_path) if each.exists()}
        synced = names[os.fstat(descriptor).st_ino]
        done.append(("sync", synced.read_bytes() if synced.is_file() else synced))

    def record_rename(source: Path, target: Path) -> None:
        rename(source, target)
        done.append(("rename", (source, target)))

    def record_remove(log: str, expected_size: int) -> None:
        done.append(("remove", log))
        remove(log, expected_size)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(os, "replace", record_rename)
    monkeypatch.setattr(stage.store, "remove", record_remove)
    assert run(work, stage.now_ns + HOUR_NS)
    assert done == [
        ("sync", tmp_path),
        ("sync", expected),
        ("rename", (unfinished, path)),
        ("sync", path.parent),
        ("remove", f"auction/{auction.hex()}"),
    ]
