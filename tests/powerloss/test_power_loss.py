"""Whatever a power cut does with what was not synced: what the store had answered is there, whole, and nothing else.

Each state is reproduced by a seed and a number (``AUCTIONCTL_POWER_CUT=SEED:STATE``). Source: DESIGN.md section 9.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from crash_states import MODES, crash_states
from house_workload import record_house
from loss_checkers import Laboratory, check_content, check_house
from power_cuts import Outcome, Tally, cut_power, wanted
from workload import record

SEEDS = range(5)
HOUSE_SEEDS = range(4)
LEAST_STATES = 900
LEAST_HOUSE_STATES = 200
SOAK_SEEDS = range(100, 134)
SOAK_HOUSE_SEEDS = range(100, 120)


def cut_stores(seed: int, directory: Path, laboratory: Laboratory, modes: int) -> Outcome | None:
    is_wanted, only = wanted(seed)
    if not is_wanted:
        return None
    recording = record(seed, directory)
    states = crash_states(recording.operations, seed, len(MODES) if only is not None else modes, only)
    return cut_power(laboratory, seed, states, lambda store, _directory, state: check_content(store, recording, state))


def cut_houses(seed: int, directory: Path, laboratory: Laboratory, staging: ModuleType, modes: int) -> Outcome | None:
    is_wanted, only = wanted(seed)
    if not is_wanted:
        return None
    recording = record_house(staging, seed, directory)
    assert recording.receipts
    states = crash_states(recording.operations, seed, len(MODES) if only is not None else modes, only)
    return cut_power(
        laboratory, seed, states, lambda store, place, state: check_house(store, place, recording, state, staging)
    )


def count(tally: Tally, outcome: Outcome | None, least: int) -> None:
    if outcome is None:
        pytest.skip("another seed is asked for")
    tally.states += outcome.states
    tally.lost += len(outcome.lost)
    tally.torn += len(outcome.torn)
    outcome.require_nothing_lost()
    assert outcome.states >= least or wanted(outcome.seed)[1] is not None, "fewer states than are promised"


@pytest.mark.parametrize("seed", SEEDS)
def test_no_power_cut_takes_away_what_a_store_has_answered(
    seed: int, state_directory: Path, laboratory: Laboratory, tally: Tally
) -> None:
    count(tally, cut_stores(seed, state_directory, laboratory, 2), LEAST_STATES)


@pytest.mark.parametrize("seed", HOUSE_SEEDS)
def test_no_power_cut_takes_away_what_a_house_has_said(
    seed: int, state_directory: Path, laboratory: Laboratory, tally: Tally, staging: ModuleType
) -> None:
    outcome = cut_houses(seed, state_directory, laboratory, staging, 1)
    tally.house_states += outcome.states if outcome else 0
    count(tally, outcome, LEAST_HOUSE_STATES)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SOAK_SEEDS)
def test_no_power_cut_out_of_many_takes_away_what_a_store_has_answered(
    seed: int, state_directory: Path, laboratory: Laboratory, tally: Tally
) -> None:
    count(tally, cut_stores(seed, state_directory, laboratory, len(MODES)), 3 * LEAST_STATES)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SOAK_HOUSE_SEEDS)
def test_no_power_cut_out_of_many_takes_away_what_a_house_has_said(
    seed: int, state_directory: Path, laboratory: Laboratory, tally: Tally, staging: ModuleType
) -> None:
    outcome = cut_houses(seed, state_directory, laboratory, staging, len(MODES))
    tally.house_states += outcome.states if outcome else 0
    count(tally, outcome, 5 * LEAST_HOUSE_STATES)
