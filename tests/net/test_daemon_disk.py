"""A house whose disk is full, or whose archive cannot be used: it says so, and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from daemon_run import LOT, Run, TroubledStore
from house_process import until

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import StoreFullError
from auctionctl.house.limits import Limits
from auctionctl.net import daemon, house_store
from auctionctl.net.control import tell_child
from auctionctl.net.house_words import Archived, ArchiveFailed, Opened, Reload, Reloaded, StoreFull, Turned
from auctionctl.store.archive import Archive
from auctionctl.store.state_directory import BALLAST_BYTES
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.listing import LotDescription

SHORT_LOT = LotDescription("lamp", "A lamp", "credits", 1, start_timeout_ns=SECOND_NS // 10)


class FullWhileBallasted(TroubledStore):
    """A store on a disk where, when an auction is to be cancelled, the only room left is that of the ballast."""

    def append(self, appends: Any, now_ns: int) -> None:
        is_close = any(decode(entry).kind is Kind.CANCELLED for append in appends for entry in append.entries)
        self.trouble = StoreFullError if is_close and self.ballast_bytes else None
        super().append(appends, now_ns)


def archive_soon(run: Run) -> None:
    """One lot closes, and is to be archived at once."""
    tell_child(run.control, Reload(Limits(10, 1_000), [LOT, SHORT_LOT], 1))
    assert isinstance(run.hear(), Reloaded)


def test_an_archive_that_cannot_be_used_is_said_once_and_tried_again_after_a_while(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    write = Archive.write

    def count(archive: Archive, name: str) -> Any:
        tried.append(name)
        return write(archive, name)

    monkeypatch.setattr(Archive, "write", count)
    directory = tmp_path / "state" / "archive"
    directory.mkdir(mode=0o755)
    directory.chmod(0o755)
    archive_soon(run)
    failed = run.hear()
    assert failed == ArchiveFailed(
        f"archive directory {directory} has mode 0755: others have access to it", f"chmod 700 {directory}"
    )
    assert len(tried) == 1
    assert run.process is not None
    assert run.process._archiving._next_ns - run.process._clock.now_ns() > 50 * SECOND_NS
    run.process._archiving._next_ns = 0
    until(lambda: len(tried) == 2, "another attempt")
    run.greet()
    assert run.read() == [Kind.TERMS], "bidders notice nothing of it"
    directory.chmod(0o700)
    run.process._archiving._next_ns = 0
    archived = run.hear()
    assert isinstance(archived, Archived), "the second failure was not said again"
    assert Path(archived.path).is_file()


def test_an_archive_that_cannot_be_used_ends_no_house_that_is_started_again(
    prepare: Callable[..., Run], tmp_path: Path
) -> None:
    directory = tmp_path / "state" / "archive"
    directory.mkdir(parents=True)
    directory.parent.chmod(0o700)
    directory.chmod(0o755)
    run = prepare(retention_ns=1, allowed_before=b"")
    run.thread.start()
    failed = run.hear()
    assert isinstance(failed, ArchiveFailed)
    assert failed.hint == f"chmod 700 {directory}"
    assert run.hear() == Opened([])


def test_what_fails_after_something_was_archived_is_said_again(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "state" / "archive"
    directory.mkdir()
    directory.chmod(0o755)
    archive_soon(run)
    assert isinstance(run.hear(), ArchiveFailed)
    directory.chmod(0o700)
    assert run.process is not None
    run.process._archiving._next_ns = 0
    assert isinstance(run.hear(), Archived)
    directory.chmod(0o755)
    other = LotDescription("bowl", "A bowl", "credits", 1, start_timeout_ns=SECOND_NS // 10)
    tell_child(run.control, Reload(Limits(10, 1_000), [LOT, other], 1))
    assert {type(run.hear()) for _ in range(2)} == {Reloaded, ArchiveFailed}


def test_the_ballast_is_released_once_so_that_a_close_that_is_due_gets_in(
    prepare: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_store, "SqliteStore", FullWhileBallasted)
    run = prepare().begin()
    tell_child(run.control, Reload(Limits(10, 1_000), [LOT, SHORT_LOT]))
    assert isinstance(run.hear(), Reloaded)
    assert run.hear() == StoreFull("for the test", BALLAST_BYTES)
    while not isinstance(turned := run.hear(news=True), Turned):
        pass
    assert (turned.listing, turned.phase) == ("lamp", "closed")
    assert run.process is not None
    assert run.process._store.ballast_bytes == 0


def test_what_is_due_on_a_full_disk_is_tried_again_after_a_pause(
    prepare: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried_ns: list[int] = []

    class Full(TroubledStore):
        def append(self, appends: Any, now_ns: int) -> None:
            if any(decode(entry).kind is Kind.CANCELLED for append in appends for entry in append.entries):
                tried_ns.append(time.monotonic_ns())
                raise StoreFullError("for the test")
            super().append(appends, now_ns)

    monkeypatch.setattr(house_store, "SqliteStore", Full)
    run = prepare().begin()
    tell_child(run.control, Reload(Limits(10, 1_000), [LOT, SHORT_LOT]))
    until(lambda: len(tried_ns) >= 5, "five attempts")
    # The first failure releases the ballast, and is tried again at once.
    assert all(later - sooner >= daemon.FULL_PAUSE_NS * 9 // 10 for sooner, later in pairwise(tried_ns[1:]))
