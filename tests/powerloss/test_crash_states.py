"""The model of a power cut: what it keeps for sure, and everything that it may do with the rest."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from crash_states import MODES, SECTOR_BYTES, CrashState, Disk, Mode, crash_states
from recording import Create, Delete, Operation, Sync, SyncNames, Truncate, Write
from workload import record

A, B, C = (letter * SECTOR_BYTES for letter in (b"a", b"b", b"c"))
ZEROS = bytes(SECTOR_BYTES)
MADE: tuple[Operation, ...] = (Create(0, "db"), SyncNames(), Write(0, 0, A * 2), Sync(0))


def outcomes(operations: Sequence[Operation], mode: Mode, rolls: int = 300) -> set[tuple[tuple[str, bytes], ...]]:
    disk = Disk()
    for operation in operations:
        disk.do(operation)
    states = (disk.after_power_cut(mode, random.Random(roll)) for roll in range(rolls))
    return {tuple(sorted(state.items())) for state in states}


def contents(operations: Sequence[Operation], mode: Mode) -> set[bytes]:
    return {dict(state)["db"] for state in outcomes(operations, mode)}


@pytest.mark.parametrize("mode", Mode)
def test_what_was_synced_is_there_in_every_mode(mode: Mode) -> None:
    assert contents(MADE, mode) == {A * 2}
    assert contents([*MADE, Write(0, SECTOR_BYTES, B), Truncate(0, SECTOR_BYTES * 2), Sync(0)], mode) == {A + B}


def test_what_was_not_synced_is_kept_dropped_or_torn_at_sectors() -> None:
    written = [*MADE, Write(0, 0, B * 2)]
    assert contents(written, Mode.KEPT) == {B * 2}
    assert contents(written, Mode.DROPPED) == {A * 2}
    for mode in (Mode.LAST_TORN, Mode.MIXED, Mode.REORDERED):
        assert contents(written, mode) == {A * 2, A + B, B + A, B * 2}


def test_a_later_write_may_be_there_without_an_earlier_one() -> None:
    written = [*MADE, Write(0, 0, B), Write(0, SECTOR_BYTES, C)]
    assert contents(written, Mode.LATE) == {A + A, A + C, B + C}
    for mode in (Mode.MIXED, Mode.REORDERED):
        assert contents(written, mode) == {A + A, A + C, B + A, B + C}


def test_two_writes_to_one_sector_reach_the_disk_in_the_order_of_the_cache_or_not_at_all() -> None:
    half = SECTOR_BYTES // 2
    written = [*MADE, Write(0, 0, b"b" * half), Write(0, half, b"c" * half)]
    both, first = b"b" * half + b"c" * half, b"b" * half + b"a" * half
    for mode in (Mode.MIXED, Mode.REORDERED):
        assert contents(written, mode) == {A + A, first + A, both + A}


def test_a_file_that_grew_may_have_grown_without_what_was_written() -> None:
    grown = [*MADE, Write(0, SECTOR_BYTES * 2, B)]
    assert contents(grown, Mode.MIXED) == {A * 2, A * 2 + ZEROS, A * 2 + B}


def test_a_file_may_be_cut_off_or_not() -> None:
    assert contents([*MADE, Truncate(0, SECTOR_BYTES)], Mode.MIXED) == {A, A * 2}


def test_names_that_were_not_synced_may_be_there_or_not() -> None:
    renewed = [*MADE, Delete("db"), Create(1, "log")]
    before, after = (("db", A * 2),), (("log", b""),)
    assert outcomes(renewed, Mode.DROPPED) == {before}
    assert outcomes(renewed, Mode.KEPT) == {after}
    assert outcomes(renewed, Mode.MIXED) == {before, after, before + after, ()}
    assert outcomes([*renewed, SyncNames()], Mode.MIXED) == {after}


def test_a_recording_played_to_its_end_is_what_lies_on_the_disk(state_directory: Path) -> None:
    recording = record(1, state_directory)
    last = [state for state in crash_states(recording.operations, 1) if state.mode is Mode.KEPT][-1]
    assert last.done == len(recording.operations)
    here = {path.name: path.read_bytes() for path in state_directory.iterdir() if path.name != "lock"}
    assert last.files == here


def test_a_seed_and_a_number_give_the_same_state_again(tmp_path: Path) -> None:
    recordings = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir(mode=0o700)
        recordings.append(record(5, tmp_path / name))
    one, two = recordings
    assert one.operations == two.operations
    for state in list(crash_states(one.operations, 5, 1))[::100]:
        assert list(crash_states(two.operations, 5, only=state.number)) == [state]


def test_every_boundary_is_cut_and_every_mode_has_its_turn(state_directory: Path) -> None:
    recording = record(1, state_directory)
    states: list[CrashState] = list(crash_states(recording.operations, 1, 2))
    assert {state.done for state in states} == set(range(len(recording.operations) + 1))
    assert {state.mode for state in states} == set(MODES)
