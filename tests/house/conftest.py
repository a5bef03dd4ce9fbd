"""What is shared by the tests of a house that several instances share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def sharing(staging: ModuleType, load: Callable[[Path], ModuleType]) -> ModuleType:
    """The module of the cluster in memory; it stands on the stage, which is therefore loaded before it."""
    assert staging.Stage
    return load(Path(__file__).parent / "sharing.py")
