"""What several parts share: the stage, which is a house in memory and whoever speaks to it; and what a run says of
itself: long runs are left out unless asked for, and numbers that are promised are printed at the end.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_SAID = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "soak" in config.getoption("markexpr"):
        return
    soaking = [item for item in items if item.get_closest_marker("soak")]
    if soaking:
        config.hook.pytest_deselected(items=soaking)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(_SAID, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def say_at_the_end(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Prints a line at the end of the whole run, where a number that is promised can be read: what was counted."""
    return pytestconfig.stash.setdefault(_SAID, []).append


def load_stage() -> ModuleType:
    name = "auctionctl_tests_stage"
    if name not in sys.modules:
        path = Path(__file__).parent / "house" / "stage.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def staging() -> ModuleType:
    """The module of the stage, for what it has besides the stage."""
    return load_stage()


@pytest.fixture
def stage(staging: ModuleType) -> Any:
    return staging.Stage()
