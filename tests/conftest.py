"""What several parts share: the stage, which is a house in memory and whoever speaks to it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


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
