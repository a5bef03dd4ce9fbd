"""Every operation that the store asks of its disk fails once, in every way: it is full or broken, and loses nothing.

Chosen points, and what the store says at each of them: ``tests/store/test_sqlite_faults.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_runs import operations, run_with
from faulty_disk import FAULTS, Effect, Fault, Kind
from loss_checkers import Laboratory, LostError, TornError

from auctionctl.store.sqlite import SqliteStore

EVERY_FAULT = [pytest.param(kind, fault, id=f"{kind.value}-{fault.name}") for kind in Kind for fault in FAULTS[kind]]
FAILURES_SHOWN = 5


@dataclass(slots=True)
class FaultTally:
    """What all faults of a run came to."""

    faults: int = 0
    failed: int = 0
    operations: int = 0

    def __str__(self) -> str:
        return f"I/O faults: {self.faults:,} faults at {self.operations:,} operations, {self.failed:,} lost or torn"


@pytest.fixture(scope="module")
def fault_tally(say_at_the_end: Callable[[str], None]) -> Iterator[FaultTally]:
    made = FaultTally()
    yield made
    say_at_the_end(str(made))


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory, fault_tally: FaultTally) -> list[Kind]:
    directory = tmp_path_factory.mktemp("healthy")
    directory.chmod(0o700)
    asked = operations(directory)
    fault_tally.operations = len(asked)
    return asked


def failures_of(kind: Kind, fault: Fault, kinds: list[Kind], directory: Path, laboratory: Laboratory) -> list[str]:
    """One run for each operation of this kind; what did not hold in which of them."""
    failures = []
    for at in (at for at, asked in enumerate(kinds) if asked is kind):
        place = directory / f"fault-{at}"
        place.mkdir(mode=0o700)
        try:
            run_with(at, fault, place, laboratory)
        except (LostError, TornError) as error:
            failures.append(f"{kind.value} {fault.name}, operation {at} of {len(kinds)}: {error}")
    return failures


@pytest.mark.parametrize(("kind", "fault"), EVERY_FAULT)
def test_no_fault_of_the_disk_takes_away_what_was_answered(
    kind: Kind, fault: Fault, kinds: list[Kind], tmp_path: Path, fault_tally: FaultTally
) -> None:
    assert kind in kinds, "the workload has operations of every kind"
    laboratory = Laboratory(tmp_path)
    try:
        failures = failures_of(kind, fault, kinds, tmp_path, laboratory)
    finally:
        laboratory.close()
    fault_tally.faults += kinds.count(kind)
    fault_tally.failed += len(failures)
    assert not failures, "\n".join(failures[:FAILURES_SHOWN])


def failures_of_syncs(directory: Path, laboratory: Laboratory) -> list[str]:
    (fault,) = (fault for fault in FAULTS[Kind.SYNC] if fault.effect is Effect.NOTHING)
    healthy = directory / "healthy"
    healthy.mkdir(mode=0o700)
    return failures_of(Kind.SYNC, fault, operations(healthy), directory, laboratory)


def test_a_store_that_builds_on_a_log_as_it_finds_it_is_caught(
    tmp_path: Path, laboratory: Laboratory, monkeypatch
) -> None:
    monkeypatch.setattr(SqliteStore, "_renew", lambda *_: None)
    assert failures_of_syncs(tmp_path, laboratory)
