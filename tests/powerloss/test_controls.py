"""A store that promises too much is caught by the same harness: without that, its silence would say nothing."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from crash_states import crash_states
from house_workload import record_house
from loss_checkers import Laboratory, check_content, check_house
from power_cuts import Outcome, cut_power
from workload import record

from auctionctl.store import sqlite
from auctionctl.store.sqlite import SqliteStore

SEED = 3
WEAK_SETTINGS = (("OFF", 0), ("NORMAL", 1))


def with_synchronous(text: str, number: int) -> tuple[tuple[str, Any, Any], ...]:
    return tuple(
        (pragma, text, number) if pragma == "synchronous" else (pragma, value, read)
        for pragma, value, read in sqlite._SETTINGS
    )


def outcome_of_a_store(directory: Path, laboratory: Laboratory) -> Outcome:
    recording = record(SEED, directory)
    states = crash_states(recording.operations, SEED, 2)
    return cut_power(laboratory, SEED, states, lambda store, _place, state: check_content(store, recording, state))


@pytest.mark.parametrize("setting", WEAK_SETTINGS, ids=lambda setting: setting[0])
def test_a_store_that_does_not_sync_each_commit_is_caught(
    state_directory: Path, laboratory: Laboratory, monkeypatch, setting: tuple[str, int]
) -> None:
    monkeypatch.setattr(sqlite, "_SETTINGS", with_synchronous(*setting))
    outcome = outcome_of_a_store(state_directory, laboratory)
    with pytest.raises(AssertionError, match=f"of seed {SEED} do not hold"):
        outcome.require_nothing_lost()
    assert any("had been answered" in failure for failure in outcome.lost), "entries, or the last sign of life"


def test_an_epoch_that_was_given_and_lost_is_caught(state_directory: Path, laboratory: Laboratory, monkeypatch) -> None:
    monkeypatch.setattr(sqlite, "_SETTINGS", with_synchronous(*WEAK_SETTINGS[1]))
    outcome = outcome_of_a_store(state_directory, laboratory)
    assert any("had been given" in failure for failure in outcome.lost)


@pytest.mark.parametrize("setting", WEAK_SETTINGS, ids=lambda setting: setting[0])
def test_a_house_on_a_store_that_does_not_sync_each_commit_is_caught(
    state_directory: Path, laboratory: Laboratory, staging: ModuleType, monkeypatch, setting: tuple[str, int]
) -> None:
    monkeypatch.setattr(sqlite, "_SETTINGS", with_synchronous(*setting))
    recording = record_house(staging, SEED, state_directory)
    states = crash_states(recording.operations, SEED, 1)
    outcome = cut_power(
        laboratory, SEED, states, lambda store, place, state: check_house(store, place, recording, state, staging)
    )
    assert "another head" in "\n".join(outcome.lost)


def test_a_store_that_commits_the_logs_of_a_group_one_by_one_is_caught(
    state_directory: Path, laboratory: Laboratory, monkeypatch
) -> None:
    whole = SqliteStore.append

    def one_by_one(self: SqliteStore, appends: Any, now_ns: int) -> None:
        for share in appends:
            whole(self, [share], now_ns)

    monkeypatch.setattr(SqliteStore, "append", one_by_one)
    outcome = outcome_of_a_store(state_directory, laboratory)
    assert outcome.torn
    assert not outcome.lost
