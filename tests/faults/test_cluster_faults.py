"""A house, three servers, and everything that can befall them: no acknowledged bid is lost (DESIGN.md 9, 10).

Real processes: ``serve --store``, ``bid`` three times, and a cluster of NATS servers behind wires that can be cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_loop import FaultLoop
from house_machines import Premises
from nats_cluster import require_cluster

BACK_WITHIN_S = 10.0
NOISE_S = 8.0
"""What a machine that does other things may add."""
SHORT = {"cut": 1, "kill_node": 2, "kill_process": 3, "stop_house": 1, "stop_node": 1}
LONG = {"cut": 8, "kill_node": 16, "kill_process": 16, "stop_house": 8, "stop_node": 8, "end_everything": 2}


@pytest.fixture
def premises(tmp_path: Path) -> Iterator[Premises]:
    require_cluster()
    found = Premises(tmp_path, ("a",))
    yield found
    found.close()


@pytest.mark.parametrize(
    ("plan", "seed"),
    [
        pytest.param(SHORT, 1, id="short"),
        pytest.param(LONG, 2, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3_600)]),
    ],
)
def test_whatever_befalls_a_house_and_its_servers_what_was_acknowledged_is_kept_once(
    premises: Premises, plan: dict[str, int], seed: int, say_at_the_end: Callable[[str], None]
) -> None:
    premises.open()
    loop = FaultLoop(premises, seed)
    loop.run([fault for fault, count in sorted(plan.items()) for _ in range(count)])
    tally = loop.count()
    say_at_the_end(tally.line)
    assert len(tally.struck) == sum(plan.values())
    assert tally.acknowledged > 10 * len(tally.struck)
    assert (tally.lost, tally.doubled, tally.stale, tally.faults) == (0, 0, [], [])
    assert tally.longest.without_s < BACK_WITHIN_S + NOISE_S, tally.struck
