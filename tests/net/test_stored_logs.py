"""What a store holds is rebuilt, held against the registry, or quarantined with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ConfigurationError, StoreError
from auctionctl.net.archiving import Archiving
from auctionctl.net.stored_logs import StoredLogs
from auctionctl.store.archive import Archive
from auctionctl.store.memory import MemoryStore


def stored(stage: Any, directory: Path, key: Any = None) -> StoredLogs:
    return StoredLogs(key or stage.key, stage.store, Archive(directory / "archive"))


def test_every_log_comes_back_with_its_registry(stage: Any, tmp_path: Path) -> None:
    auctions = [stage.opened(listing="vase"), stage.announce(listing="lamp")]
    logs = stored(stage, tmp_path)
    registry = logs.registry()
    found, quarantined = logs.auctions(registry)
    assert ([log.id for log in found], quarantined) == (auctions, [])
    assert list(registry.state.auctions) == auctions
    again = logs.rebuild(stage.log(auctions[0]))
    assert again is not None
    assert again.tree.root() == stage.log(auctions[0]).tree.root()


def test_whoever_waits_is_told_how_far_it_is(stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auctionctl.net.stored_logs.ENTRIES_A_WORD", 2)
    for listing in ("vase", "lamp"):
        stage.opened(listing=listing)
    logs = stored(stage, tmp_path)
    told: list[tuple[int, int]] = []
    registry = logs.registry()
    logs.auctions(registry, lambda *far: told.append(far))
    total = sum(size for _, size in stage.store.logs()) - registry.tree.size
    assert told == [(done, total) for done in range(2, total + 1, 2)]


def test_a_log_that_was_never_stored_is_not_rebuilt(stage: Any, tmp_path: Path) -> None:
    log = stage.log(stage.announce())
    empty = StoredLogs(stage.key, MemoryStore(), Archive(tmp_path))
    assert empty.rebuild(log) is None


def test_a_log_that_does_not_hold_is_set_aside_and_the_others_come_back(stage: Any, tmp_path: Path) -> None:
    broken, whole = stage.announce(listing="vase"), stage.announce(listing="lamp")
    stage.store._entries[stage.log(broken).name].append(b"nonsense")
    logs = stored(stage, tmp_path)
    found, ((name, reason),) = logs.auctions(logs.registry())
    assert [log.id for log in found] == [whole]
    assert name == f"auction/{broken.hex()}"
    assert "entry 1" in reason


def test_a_log_that_the_registry_does_not_announce_is_set_aside(stage: Any, tmp_path: Path) -> None:
    auction = stage.announce(listing="vase")
    stage.store._entries["registry"].pop()
    logs = stored(stage, tmp_path)
    found, ((name, reason),) = logs.auctions(logs.registry())
    assert (found, name) == ([], f"auction/{auction.hex()}")
    assert "does not announce" in reason


def test_what_is_archived_is_missed_by_nobody_and_what_is_gone_is_named(stage: Any, tmp_path: Path) -> None:
    archived, gone = stage.announce(listing="vase"), stage.announce(listing="lamp")
    stage.after(31 * SECOND_NS)
    work = Archiving(stage.house, stage.store, Archive(tmp_path / "archive"), retention_ns=1)
    assert work.turn(stage.now_ns + SECOND_NS)
    assert not stage.store.size(f"auction/{archived.hex()}")
    logs = stored(stage, tmp_path)
    assert logs.auctions(logs.registry())[1] == []
    stage.store.remove(f"auction/{gone.hex()}", stage.store.size(f"auction/{gone.hex()}"))
    ((name, reason),) = logs.auctions(logs.registry())[1]
    assert name == f"auction/{gone.hex()}"
    assert "neither in the store nor in the archive" in reason


def test_an_archive_that_cannot_be_looked_into_ends_nothing_and_is_named(stage: Any, tmp_path: Path) -> None:
    gone, kept = stage.announce(listing="vase"), stage.announce(listing="lamp")
    stage.store.remove(f"auction/{gone.hex()}", stage.store.size(f"auction/{gone.hex()}"))
    (tmp_path / "archive").symlink_to("archive")
    logs = stored(stage, tmp_path)
    found, ((name, reason),) = logs.auctions(logs.registry())
    assert ([log.id for log in found], name) == ([kept], f"auction/{gone.hex()}")
    assert "cannot look for" in reason


def test_another_houses_state_is_refused_as_such(stage: Any, staging: Any, tmp_path: Path) -> None:
    stage.announce()
    logs = stored(stage, tmp_path, staging.key_of("sue"))
    with pytest.raises(ConfigurationError, match="another house"):
        logs.auctions(stored(stage, tmp_path).registry())
    stage.store._entries["registry"][0] = b"nonsense"
    with pytest.raises(ConfigurationError, match="another house"):
        logs.registry()


def test_without_a_registry_that_holds_nothing_comes_back(stage: Any, tmp_path: Path) -> None:
    stage.announce()
    stage.store._entries["registry"][0] = b"nonsense"
    with pytest.raises(StoreError, match="the registry does not verify: entry 0"):
        stored(stage, tmp_path).registry()
