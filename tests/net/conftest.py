"""Real houses and sessions, of the making of ``tests/faults``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "faults")]

from daemon_run import prepare, run
from gateway_run import connect, serve, served
from house_fixtures import bidder_of, raw_session_of, stack, start_house

__all__ = ["bidder_of", "connect", "prepare", "raw_session_of", "run", "serve", "served", "stack", "start_house"]


@pytest.fixture(scope="module")
def several(staging: ModuleType, load: Callable[[Path], ModuleType]) -> ModuleType:
    return load(Path(__file__).parent / "several.py")


@pytest.fixture
def company(several: Any) -> Callable[..., Any]:
    return several.Company  # type: ignore[no-any-return]
