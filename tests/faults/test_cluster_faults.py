"""Three instances, three servers, and everything that can befall them: no acknowledged bid is lost (DESIGN.md 9, 10).

Real processes: ``serve --instance`` under one key, ``bid`` twice, and a cluster of NATS servers behind wires that
can be cut. A house by itself is put through the same. Its bidders keep clock heads, which every log is held against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from fault_loop import FaultLoop
from house_machines import Premises
from nats_cluster import require_cluster

ALONE = ("a",)
SEVERAL = ("a", "b", "c")
BACK_WITHIN_S = 10.0
NOISE_S = 8.0
"""What a machine that does other things may add."""
THIRTY = {
    "cut": 6,
    "end_everything": 1,
    "end_machine": 1,
    "kill_machine": 1,
    "kill_node": 3,
    "kill_process": 8,
    "stop_house": 5,
    "stop_machine": 1,
    "stop_node": 3,
    "swallow": 1,
}
"""Of every kind, and more of those that are over soon."""
LONG = {
    "cut": 3,
    "end_everything": 1,
    "end_machine": 2,
    "kill_machine": 4,
    "kill_node": 4,
    "kill_process": 6,
    "stop_house": 4,
    "stop_machine": 3,
    "stop_node": 3,
    "swallow": 3,
}
LONG_ALONE = {"cut": 4, "end_everything": 1, "kill_node": 6, "kill_process": 8, "stop_house": 4, "stop_node": 4}
LONG_MARKS = [pytest.mark.soak, pytest.mark.timeout(3_600)]


@pytest.fixture
def open_premises(tmp_path: Path) -> Iterator[Callable[[Sequence[str]], Premises]]:
    require_cluster()
    opened: list[Premises] = []

    def open_with(names: Sequence[str]) -> Premises:
        opened.append(Premises(tmp_path, names))
        opened[0].open()
        return opened[0]

    yield open_with
    for premises in opened:
        premises.close()


@pytest.mark.parametrize(
    ("names", "plan", "seed"),
    [
        pytest.param(SEVERAL, THIRTY, 1, id="three instances", marks=pytest.mark.timeout(600)),
        pytest.param(SEVERAL, LONG, 2, id="three instances, long", marks=LONG_MARKS),
        pytest.param(ALONE, LONG_ALONE, 3, id="alone, long", marks=LONG_MARKS),
    ],
)
def test_whatever_befalls_a_house_and_its_servers_what_was_acknowledged_is_kept_once(
    open_premises, names: Sequence[str], plan: dict[str, int], seed: int, say_at_the_end: Callable[[str], None]
) -> None:
    loop = FaultLoop(open_premises(names), seed)
    loop.run([fault for fault, count in sorted(plan.items()) for _ in range(count)])
    tally = loop.count()
    say_at_the_end(tally.line)
    assert len(tally.struck) == sum(plan.values())
    assert tally.acknowledged > 10 * len(tally.struck)
    assert (tally.lost, tally.doubled, tally.stale, tally.faults) == (0, 0, [], [])
    # Of every second in which the house served there is one of each lot; the harness looks away while it mends things.
    assert tally.heads > 8 * len(tally.struck)
    assert tally.misdated == []
    assert tally.takeovers_between >= plan.get("kill_machine", 0)
    assert tally.takeovers >= plan.get("kill_machine", 0)
    assert tally.longest.without_s < BACK_WITHIN_S + NOISE_S, tally.struck
