from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hostile_arguments import ARGUMENTS
from hostile_case import Case, Materials, check_ending, lay_out, tree_of
from hostile_files import FILES
from hostile_trading import TRADING

CASES = [*ARGUMENTS, *FILES, *TRADING]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_that_is_given_does_harm(case: Case, work: Path, commands: Any, materials: Materials) -> None:
    lay_out(case, work, materials)
    before = tree_of(work)
    temporary = work.with_name("tmp")
    temporary.mkdir()
    environment = {
        "AUCTIONCTL_HOME": str(work / "home"),
        "HOME": str(work),
        "TMPDIR": str(temporary),
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
    }
    ending = commands.run(work, case.arguments, environment | dict(case.environment), str(work / case.stdin))
    check_ending(case, ending)
    after = tree_of(work)
    for name in case.keeps:
        after.pop(name)
    assert after == before
    assert list(temporary.iterdir()) == []


def test_every_case_has_a_name_of_its_own_and_there_are_many() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(CASES) >= 100
