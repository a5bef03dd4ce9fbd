"""The simulator finds bugs: each of these, patched into the real code, within 200 seeds, which hold without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from checkers import CheckFailed
from mutations import MUTATIONS
from world import run_seed

WITHIN = 200
"""The first of those that test_seeds runs without a mutation: that they hold is shown there, and once more here."""


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_bug_is_found_within_200_seeds(
    name: str, monkeypatch: pytest.MonkeyPatch, say_at_the_end: Callable[[str], None]
) -> None:
    MUTATIONS[name](monkeypatch)
    found: CheckFailed | None = None
    seed = -1
    while found is None and seed + 1 < WITHIN:
        seed += 1
        try:
            run_seed(seed)
        except CheckFailed as error:
            found = error
    assert found is not None, f"nothing was found in {WITHIN} seeds"
    monkeypatch.undo()
    run_seed(seed)
    say_at_the_end(f"simulation: the mutation '{name}' was caught at seed {seed}: {found}"[:150])
