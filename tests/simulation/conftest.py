"""What the simulator's tests share, and the line that says at the end of a run what was simulated."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from checkers import CheckFailed
from world import run_seed

LOST = frozenset({"receipts"})
DOUBLED = frozenset({"once", "rules"})
COUNTED = (
    "receipts for bids",
    "house crashes",
    "gateway crashes",
    "agent crashes",
    "partitions",
    "messages lost",
    "batches rolled back",
    "broken stores",
    "gaps",
)


@pytest.fixture(scope="session")
def simulated(say_at_the_end: Callable[[str], None]) -> Iterator[Counter[str]]:
    """What happened in all seeds of this run."""
    tally: Counter[str] = Counter()
    yield tally
    counted = ", ".join(f"{tally[name]:,} {name}" for name in COUNTED)
    say_at_the_end(
        f"simulation: {tally['seeds']:,} seeds, {tally['auctions']:,} auctions, {tally['bids acknowledged']:,} bids"
        f" acknowledged, {tally['lost']} lost, {tally['doubled']} doubled, {tally['failed']} seeds failed; {counted}"
    )


@pytest.fixture
def simulate(simulated: Counter[str]) -> Callable[[range], None]:
    """Run these seeds; the first that does not hold ends it, and says how it is run again."""

    def run(seeds: range) -> None:
        for seed in seeds:
            simulated["seeds"] += 1
            try:
                simulated.update(run_seed(seed).tally)
            except Exception as error:
                simulated["failed"] += 1
                if isinstance(error, CheckFailed):
                    simulated["lost"] += error.name in LOST
                    simulated["doubled"] += error.name in DOUBLED
                command = f"python tests/simulation/replay_seed.py {seed}"
                raise AssertionError(f"seed {seed}: {error!r}\nto see it again: {command}") from error

    return run
