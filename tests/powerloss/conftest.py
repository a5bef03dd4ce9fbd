"""The pieces of the harness lie beside this file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from loss_checkers import Laboratory
from power_cuts import Tally


@pytest.fixture(scope="session")
def tally(say_at_the_end: Callable[[str], None]) -> Iterator[Tally]:
    """What all power cuts of this run come to, for its last lines."""
    made = Tally()
    yield made
    say_at_the_end(str(made))


@pytest.fixture
def laboratory(tmp_path: Path) -> Iterator[Laboratory]:
    made = Laboratory(tmp_path)
    yield made
    made.close()


@pytest.fixture
def state_directory(tmp_path: Path) -> Path:
    directory = tmp_path / "recorded"
    directory.mkdir(mode=0o700)
    return directory
